package main

import "syscall"

// mortal lets a process end with this one, even if this one is killed.
func mortal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
