//go:build race

package partytest

// Stride leaves out all but every 11th moment: see the other one.
const Stride = 11
