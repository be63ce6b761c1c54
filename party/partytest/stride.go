//go:build !race

package partytest

// Stride is for [Reference.CrashEverywhere] and the number of seeds: 1 means every moment, and all of them. Under the
// race detector, which makes a session ten times slower and has nothing to find where all run in turn, it is larger.
const Stride = 1
