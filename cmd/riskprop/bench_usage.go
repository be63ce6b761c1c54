package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

// This file asks the system what processes have used. What it does not tell is not known, or 0.

// ownCPU is the time on processors that this process has had so far.
func ownCPU() (seconds float64, known bool) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, false
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9, true
}

// ownPeak is the largest resident set of this process, in bytes: since forgetPeak where the system has that, otherwise ever.
func ownPeak() int64 {
	if peak := peakOf(os.Getpid()); peak > 0 {
		return peak
	}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return residentBytes(&r)
}

// forgetPeak gives back the memory that this process does not use, and lets its peak begin anew. That takes Linux, and as long as the
// process is kept from dumping its memory, its superuser; without it the peak is that of all that was before.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peakOf is the largest resident set so far of a process that has not ended, in bytes. Linux alone tells.
func peakOf(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // nothing is in what cannot be read
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// usageOf is what a process that has ended has used. Its own count of memory begins with that of its parent, so a peak that was
// seen before its end is better, where there is one.
func usageOf(state *os.ProcessState, seen int64) (cpu float64, peak int64) {
	if r, ok := state.SysUsage().(*syscall.Rusage); ok && seen == 0 {
		seen = residentBytes(r)
	}
	return (state.UserTime() + state.SystemTime()).Seconds(), seen
}

// residentBytes is the largest resident set in bytes. Systems disagree about the unit.
func residentBytes(r *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) << 10
}

// cpuOf is the time on processors that a process which is not waited for has had so far, to a hundredth of a second. Linux
// alone tells.
func cpuOf(pid int) (seconds float64, known bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The name of the program, in brackets, may hold anything. After it come the state and ten numbers, then these two.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0, false
	}
	const ticks = 100 // a second, on every machine that Go runs on
	var user, system float64
	n, _ := fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	return (user + system) / ticks, n == 2
}
