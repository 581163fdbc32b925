package network

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the system kill the process when this one dies in
// whatever way: a validator that is left over would run for ever.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
