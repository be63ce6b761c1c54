// Package propagate moves risk scores through the joint transaction network of several banks. Every bank knows its own
// accounts and the transactions that it sees; at the end it knows the scores of its own accounts, and nobody else does.
// The semantics are those of [vE24] (van Egmond et al., eprint 2024/065):
//
//	new(a) = (1-δ)·old(a) + δ · Σ amount·old(source) / Σ amount       over a's income in the period
//	new(a) = (1-δ)·old(a)                                             where a has no income
//
// # Rounds
//
//	agree        everybody states the manifest; every two banks find out which of their common transactions both list
//	scores.z.i   for every period z and iteration i: ciphertexts of the scores that others need, re-randomised
//	final        every bank's final scores, several packed into one ciphertext
//	open         partial decryptions, sealed for the owner of the scores: its own, and those of t others
//	stand-in.k   the same by other members, in the place of those that have gone meanwhile
//	check        partial decryptions of random combinations, by those that have not made the others
//	confirm      nothing but the transcript, so that the last round is agreed, too
//
// From open on the session can do without members that do not speak any more, as long as t+1 are left.
//
// Between two rounds of scores every party updates all its accounts under encryption, one multi-exponentiation an
// account: E(new) = E(old)^w0 · ∏ E(source)^w. Weights are integers that sum to 2^w, so risk is conserved to the bit.
// The encrypted scores of a party are a message to itself, so that they survive a restart.
//
// # What a bank learns
//
// Its own final scores, and with every other bank which of their common transactions both list, how many only one of
// them lists, and how many both list with different amounts. No account id is ever sent: transactions are compared by
// tags under a key that only the two banks have. The other bank, which has that key, can test guesses: whether a
// transaction between two accounts that it names is in our list, and, where it is in both with different amounts, what
// our amount is. It can do so only for transactions with itself, which it should know anyway.
//
// The sizes of messages are public. They tell everybody how many accounts take part at each bank, how many edges it
// has with others and with each of them, and how many distinct sources two banks exchange.
//
// A final score is an exact, known linear form of the neighbours' scores, with many digits. One with a single unknown
// source reveals that source's score. So, with more work, do a few unknown sources whose scores are likely to be round
// numbers: the sum has only one plausible solution. An analyst at a bank must be trusted not to do that; the protocol
// cannot prevent it, and rounding what is shown does not undo what was opened. Accounts with a single foreign source
// are counted and reported before any score is sent, and the manifest can set a limit above which a bank refuses to go
// on; the limit says nothing about accounts with two sources or three.
package propagate
