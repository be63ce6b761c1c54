package modular

// Buffer collects residues of one ring piece by piece, in memory that is allocated once. It must not be used by several
// goroutines at once; the vectors that it returns may.
type Buffer struct {
	all *Vector
	n   int
}

// Buffer returns an empty buffer for at most capacity residues. It panics if capacity is negative.
func (r *Ring) Buffer(capacity int) *Buffer {
	require(capacity >= 0, "buffer for %d residues", capacity)
	return &Buffer{all: r.empty(capacity)}
}

// Append adds the residues of v, which it copies. It panics if v is of another ring or the capacity is exceeded.
func (b *Buffer) Append(v *Vector) {
	require(b.all.ring.same(v.ring), "append a vector of another ring")
	require(b.n+v.n <= b.all.n, "%d residues in a buffer for %d", b.n+v.n, b.all.n)
	b.all.set(b.n, v)
	b.n += v.n
}

// Len returns the number of residues so far.
func (b *Buffer) Len() int { return b.n }

// Vector returns the residues so far. It shares their memory with the buffer, and what is appended later does not change it.
func (b *Buffer) Vector() *Vector { return b.all.Slice(0, b.n) }
