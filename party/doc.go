// Package party is the core of every party: a pure fold over the log.
//
// A [Machine] is fed with events (heads and parts that passed schema.Open) and says which effects are due: which
// records to append, which parts to fetch, or that it has finished. It reads no clock, no file, no network and no
// random source; what it does follows from its session, its [Identity], its input and the log alone. The shell that
// carries the effects out is package party/node, and it is the only one.
//
// # Rounds
//
// A protocol is a chain of [Round] values. In each round every member says something: parts, and then one head that
// signs them. When the heads of a round are complete, a party fetches the parts that it can read, checks every
// message, and goes on to the next round. A member that has nothing to say in a round signs an empty head. While it waits for the
// rest, a party may fetch what those who have spoken say to it ([Machine.Early]): that saves time, and decides nothing. Large
// messages are taken over by a [Collector], part by part.
//
// A round with a quorum can do without some. When those that are needed have spoken, any of them can settle it, by a word on the log:
// the round is closed with those who have spoken before that word. The log has one order, so all go on without the same
// members. Those are not heard any more, but they can read on, and come to their result.
//
// # Started again
//
// Nothing is kept outside of the log. A party that is started again folds the same log and arrives at the same state.
// Where it had not yet written its head it says the same bytes again, because all its randomness comes from [Secrets]
// and all its sealing is deterministic. A secret or a heavy result of its own that a later round needs is a message
// to itself, sealed like any other.
//
// # Errors
//
// Noise (what no member signed, or what came again) leaves the state as it was: [ErrStale] and errors that wrap
// schema.ErrUntrusted. A [Blame] names a member whose signed word is wrong. [ErrSplit] means that a member signed
// another history than ours. [Aborted] is another member's last word. A bug panics with the package's name.
package party
