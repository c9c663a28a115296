//go:build !unix

package child

import "os/exec"

// Separate does nothing: the system has no process groups.
func Separate(*exec.Cmd) {}

// terminate ends the program: it cannot be asked.
func terminate(cmd *exec.Cmd) { Kill(cmd) }

// Kill ends the program.
func Kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // an error says that it is gone
