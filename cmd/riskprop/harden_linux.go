package main

import "golang.org/x/sys/unix"

// undumpable also keeps other processes of the same user from looking into this one.
func undumpable() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
