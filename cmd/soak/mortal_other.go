//go:build !linux

package main

import "syscall"

// mortal would let a process end with this one even if this one is killed; here there is no way to ask for that.
func mortal() *syscall.SysProcAttr { return nil }
