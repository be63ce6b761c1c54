package main

import "syscall"

// mortal lets a child end with this process, even if this one is killed. An interrupt at the terminal reaches this process alone,
// which then ends its children in order.
func mortal() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
