package main

import "runtime/debug"

// From manyAccounts of its own on, most of what a party has in memory are ciphertexts that stay for a whole round and hold no pointers.
// Then the collector runs when a fifth has been added, and not when as much again has: that takes no time to speak of.
const (
	manyAccounts  = 10_000
	sparePercents = 20
)

// sparing keeps a party's memory close to what it needs, where that is much.
func sparing(accounts int) {
	if accounts >= manyAccounts {
		debug.SetGCPercent(sparePercents)
	}
}
