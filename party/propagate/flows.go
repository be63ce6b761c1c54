package propagate

import (
	"cmp"
	"slices"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/party/ledger"
)

// agreement is what the rounds after agree have in common.
type agreement struct {
	*setup
	packedCounts []int   // packed ciphertexts of each member
	flows        []flows // by period; nil for an auditor
	report       Report
}

// flows is the part of the network in one period that takes part, as this party sees it. Sources are numbered: first
// the party's own accounts, then what each member sends, in the roster's order.
type flows struct {
	send    [][]int // by member: own accounts whose ciphertext it gets, in the agreed order
	receive []int   // by member: number of ciphertexts that it sends
	offsets []int   // the income of own account a is incomes[offsets[a]:offsets[a+1]]
	incomes []income
}

type income struct {
	source uint32 // number of the source
	amount fixed.Amount
}

// sortFlows sorts the edges into periods. Both sides of a pair walk over their agreed edges in the order of the tags, so
// they number the source accounts alike.
func (s *setup) sortFlows(internal []listed, shared [][]sharedEdge) []flows {
	index := make(map[string]int, s.accounts())
	for i, account := range s.Ledger.Accounts {
		index[account.ID] = i
	}
	builders := make([]builder, s.Manifest.Periods)
	for z := range builders {
		builders[z] = newBuilder(s.n)
	}
	for _, one := range internal {
		edge := s.Ledger.Edges[one.edge]
		builders[edge.Period].income(index[edge.Destination.ID], s.self, index[edge.Source.ID], edge.Amount)
	}
	for peer, list := range shared {
		for _, one := range list {
			b, edge := &builders[one.edge.Period], one.edge
			if edge.Source.Bank == s.Ledger.Bank {
				b.outgo(peer, index[edge.Source.ID])
			} else {
				b.income(index[edge.Destination.ID], peer, b.received(peer, edge.Source.ID), edge.Amount)
			}
		}
	}
	periods := make([]flows, len(builders))
	for z := range builders {
		periods[z] = builders[z].build(s.self, s.accounts())
	}
	return periods
}

// builder collects one period.
type builder struct {
	send     [][]int
	sent     []map[int]bool
	position []map[string]int
	rows     []row
}

// row is one income while it is being collected; the source is still numbered within its member.
type row struct {
	account, member, source int
	amount                  fixed.Amount
}

func newBuilder(members int) builder {
	b := builder{send: make([][]int, members), sent: make([]map[int]bool, members), position: make([]map[string]int, members)}
	for i := range members {
		b.sent[i], b.position[i] = make(map[int]bool), make(map[string]int)
	}
	return b
}

func (b *builder) outgo(peer, account int) {
	if !b.sent[peer][account] {
		b.sent[peer][account] = true
		b.send[peer] = append(b.send[peer], account)
	}
}

// received is the position of a foreign source among what its bank sends: that of its first edge.
func (b *builder) received(peer int, id string) int {
	at, known := b.position[peer][id]
	if !known {
		at = len(b.position[peer])
		b.position[peer][id] = at
	}
	return at
}

func (b *builder) income(account, member, source int, amount fixed.Amount) {
	b.rows = append(b.rows, row{account, member, source, amount})
}

func (b *builder) build(self, accounts int) flows {
	f := flows{send: b.send, receive: make([]int, len(b.send)), offsets: make([]int, accounts+1)}
	first := make([]int, len(b.send))
	next := accounts
	for member := range b.position {
		if member != self {
			f.receive[member] = len(b.position[member])
			first[member] = next
			next += f.receive[member]
		}
	}
	slices.SortFunc(b.rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(first[x.member]+x.source, first[y.member]+y.source))
	})
	for _, r := range b.rows {
		f.offsets[r.account+1]++
		f.incomes = append(f.incomes, income{uint32(first[r.member] + r.source), r.amount})
	}
	for a := range accounts {
		f.offsets[a+1] += f.offsets[a]
	}
	return f
}

// sums are the weighted sums of one iteration for some of the own accounts: of each its old score and its sources.
func (f *flows) sums(delta uint64, bits, from, to int) modular.Sums {
	sums := modular.Sums{Offsets: make([]int, 1, to-from+1)}
	var amounts []fixed.Amount
	for a := from; a < to; a++ {
		incomes := f.incomes[f.offsets[a]:f.offsets[a+1]]
		amounts = amounts[:0]
		sums.Index = append(sums.Index, uint32(a))
		for _, one := range incomes {
			sums.Index = append(sums.Index, one.source)
			amounts = append(amounts, one.amount)
		}
		sums.Weights = append(sums.Weights, fixed.Weights(delta, amounts, bits)...)
		sums.Offsets = append(sums.Offsets, len(sums.Index))
	}
	return sums
}

// singleSource counts the own accounts whose foreign income, over all periods, comes from exactly one account. Its
// bank and position there identify a foreign account within one period only, so ids are compared.
func singleSource(shared [][]sharedEdge, bank string) int {
	first := make(map[string]ledger.Endpoint)
	several := make(map[string]bool)
	for _, list := range shared {
		for _, one := range list {
			account, source := one.edge.Destination, one.edge.Source
			if account.Bank != bank {
				continue
			}
			if known, ok := first[account.ID]; ok && known != source {
				several[account.ID] = true
			}
			first[account.ID] = source
		}
	}
	return len(first) - len(several)
}
