//go:build !linux

package main

import "syscall"

// mortal would let a child end with this process even if this one is killed; here there is no way to ask for that. An interrupt
// at the terminal reaches the children as well.
func mortal() *syscall.SysProcAttr { return nil }
