//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// Separate has a program that is not started yet run in a process group of its own.
func Separate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the program, and all of its group, to end.
func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) } // an error says that they are gone

// Kill ends all of the group of a program that [Separate] was told of, and that
// was started.
func Kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
