package exampledata

import "math/rand/v2"

const (
	storySeed     = 1
	storyAccounts = 40 // a bank
	storyPeriods  = 3
)

// Numbers of the banks in the story.
const (
	alice = iota
	bob
	charlie
)

// stage is one station of the story's money: accounts of one bank, each of which passes on what it gets to the accounts of the next stage.
type stage struct {
	bank    int
	numbers []int
}

// circle returns the stages of the story, the last of which pays the first: the mule, two layers, and the account through which the money comes back.
func circle() []stage {
	return []stage{
		{alice, []int{17}},
		{bob, []int{8, 21, 33}},
		{charlie, []int{12, 29}},
		{alice, []int{31}},
	}
}

// Story returns the files of the story that README.md tells, those that are embedded: 40 accounts at each of alice, bob and charlie, and 3 periods of
// ordinary payments, among which one account with a high score sends money in a circle through the three banks.
func Story() []Folder {
	r := generator(storySeed)
	b := newBook(bankNames(3))
	accounts := make([]account, 0, 3*storyAccounts)
	for bank := range 3 {
		for number := range storyAccounts {
			score := r.IntN(100)
			if bank == alice && number+1 == circle()[0].numbers[0] {
				score = 950
			}
			accounts = append(accounts, b.open(bank, number+1, score))
		}
	}
	next := successors()
	for period := range storyPeriods {
		for i, from := range accounts {
			if targets := next[i]; targets != nil {
				passOn(b, r, period, from, pick(accounts, targets))
				continue
			}
			to := accounts[r.IntN(len(accounts))]
			if to != from {
				b.pay(period, from, to, ordinary(r))
			}
		}
	}
	return b.folders()
}

// successors returns, for each account of the circle by its index, the indices of those it pays.
func successors() map[int][]int {
	stages := circle()
	next := make(map[int][]int)
	for s, from := range stages {
		to := stages[(s+1)%len(stages)]
		for _, i := range from.numbers {
			for _, j := range to.numbers {
				k := from.bank*storyAccounts + i - 1
				next[k] = append(next[k], to.bank*storyAccounts+j-1)
			}
		}
	}
	return next
}

func pick(accounts []account, indices []int) []account {
	picked := make([]account, len(indices))
	for i, index := range indices {
		picked[i] = accounts[index]
	}
	return picked
}

// passOn enters a payment of the circle to each target: round sums that stay below 5,000.
func passOn(b *book, r *rand.Rand, period int, from account, targets []account) {
	for _, to := range targets {
		b.pay(period, from, to, 100*(4500+10*r.IntN(50)))
	}
}

// ordinary returns the cents of an everyday payment: 5.00 to 499.99.
func ordinary(r *rand.Rand) int { return 500 + r.IntN(49_500) }
