package jet_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// Every record is on the disk before Append returns.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{256, 512 << 10} {
		data := random(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			log := newSite(b).open(b)
			b.SetBytes(int64(size))
			i := 0
			for b.Loop() {
				if err := log.Append(b.Context(), slot(i), data); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
		b.Run(fmt.Sprint(size, "/concurrent"), func(b *testing.B) {
			log := newSite(b).open(b)
			b.SetBytes(int64(size))
			b.SetParallelism(8)
			var i atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := log.Append(b.Context(), slot(int(i.Add(1))), data); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	log := newSite(b).open(b)
	if err := log.Append(b.Context(), slot(0), random(512<<10)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(512 << 10)
	for b.Loop() {
		if _, err := log.Get(b.Context(), slot(0)); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation reads the whole log.
func BenchmarkTail(b *testing.B) {
	for _, c := range []struct{ records, size int }{{2000, 256}, {100, 512 << 10}} {
		b.Run(fmt.Sprintf("%dx%d", c.records, c.size), func(b *testing.B) {
			log := newSite(b).open(b)
			for i := range c.records {
				if err := log.Append(b.Context(), slot(i), random(c.size)); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(c.records * c.size))
			caughtUp := errors.New("caught up")
			for b.Loop() {
				n := 0
				err := log.Tail(b.Context(), 0, jet.Shared, func(bus.Record) error { n++; return nil }, func() error { return caughtUp })
				if err != caughtUp || n != c.records {
					b.Fatalf("Tail = %v after %d records", err, n)
				}
			}
			b.ReportMetric(float64(b.N*c.records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
