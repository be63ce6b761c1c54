//go:build unix

package main

import "golang.org/x/sys/unix"

// harden keeps what this process knows out of a core dump. Where the system does not let it, nothing is lost but that.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	undumpable()
}
