//go:build !unix

package child

import "os/exec"

// separate does nothing: the system has no process groups.
func separate(*exec.Cmd) {}

// terminate ends the program: it cannot be asked.
func terminate(cmd *exec.Cmd) { kill(cmd) }

// kill ends the program.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // an error says that it is gone
