package modular

import (
	"math/big"
	"runtime"
	"sync"
	"sync/atomic"
)

// chunksPerWorker balances uneven elements against the cost of fetching a chunk.
const chunksPerWorker = 8

// spread calls work for consecutive ranges that together cover 0..n-1, on up to GOMAXPROCS goroutines of which the
// caller's is one. A range has at least grain elements (the last one may be shorter), so a batch of at most grain elements
// stays on the caller's goroutine. Every goroutine makes its own work, and calls done when there is no more.
func spread(n, grain int, start func() (work func(from, to int), done func())) {
	workers := runtime.GOMAXPROCS(0)
	size := max(grain, ceilDiv(n, workers*chunksPerWorker))
	chunks := ceilDiv(n, size)
	var next atomic.Int64
	run := func() {
		work, done := start()
		for {
			c := int(next.Add(1)) - 1
			if c >= chunks {
				break
			}
			work(c*size, min(n, (c+1)*size))
		}
		done()
	}
	var group sync.WaitGroup
	for range min(workers, chunks) - 1 {
		group.Go(run)
	}
	if chunks > 0 {
		run()
	}
	group.Wait()
}

// batch is spread with a scratch for every goroutine.
func batch(n, grain int, work func(s *scratch, from, to int)) {
	spread(n, grain, func() (func(from, to int), func()) {
		s := new(scratch)
		return func(from, to int) { work(s, from, to) }, func() {}
	})
}

// spread calls work for all elements 0..n-1, up to a pack of consecutive ones at a time, with a worker that has working
// memory of that many packs. A chunk has at least grain packs.
func (c *context) spread(n, grain, packs int, work func(w *worker, from, to int)) {
	lanes := c.e.lanes
	spread(ceilDiv(n, lanes), grain, func() (func(from, to int), func()) {
		w := c.worker(packs)
		return func(from, to int) {
			for p := from; p < to; p++ {
				w.taken = 0
				work(w, p*lanes, min(n, (p+1)*lanes))
			}
		}, func() { c.pool.Put(w) }
	})
}

// fillPacks makes a vector of n residues, up to a pack at a time: work sets out to the residues from at on.
func (r *Ring) fillPacks(n, grain, packs int, work func(w *worker, out []uint64, at int)) *Vector {
	v := r.empty(n)
	r.kernel.spread(n, grain, packs, func(w *worker, from, to int) { work(w, v.residues(from, to), from) })
	return v
}

// ceilDiv is the quotient of two non-negative integers, rounded up.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// scratch is the working memory of one goroutine.
type scratch struct {
	product, quotient big.Int
	temporaries       []*big.Int // handed out by take
	taken             int
	at                [64][]*big.Int // straus: the factors that enter at each bit position
	terms             []term
}

// mul sets z = x·y mod m. z must not be shared with a vector; it may be x or y.
func (s *scratch) mul(z, x, y, m *big.Int) {
	s.product.Mul(x, y)
	s.quotient.QuoRem(&s.product, m, z)
}

// take returns a temporary of unspecified value that is valid until taken falls below it again.
func (s *scratch) take() *big.Int {
	if s.taken == len(s.temporaries) {
		s.temporaries = append(s.temporaries, new(big.Int))
	}
	s.taken++
	return s.temporaries[s.taken-1]
}

// product is a running product that starts empty, so that the first factor costs nothing.
type product struct {
	value *big.Int // a temporary
	some  bool
}

func (s *scratch) newProduct() product { return product{value: s.take()} }

// times multiplies p by x mod m.
func (p *product) times(s *scratch, x, m *big.Int) {
	if !p.some {
		p.value.Set(x)
		p.some = true
		return
	}
	s.mul(p.value, p.value, x, m)
}

// square replaces p by p^(2^n) mod m.
func (p *product) square(s *scratch, n int, m *big.Int) {
	for range n {
		if p.some {
			s.mul(p.value, p.value, p.value, m)
		}
	}
}

// result returns the product in memory of its own.
func (p *product) result() *big.Int {
	if !p.some {
		return big.NewInt(1)
	}
	return new(big.Int).Set(p.value)
}
