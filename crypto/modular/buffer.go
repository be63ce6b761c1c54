package modular

// Buffer collects residues of one ring piece by piece, one after the other or anywhere, in memory that is allocated once. It must not be used by several
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

// Put makes the residues from position at on those of v, which it copies. Positions before at that were never set are undefined until
// they are. It panics if v is of another ring, at is negative or the capacity is exceeded.
func (b *Buffer) Put(at int, v *Vector) {
	require(b.all.ring.same(v.ring), "put a vector of another ring")
	require(0 <= at && at+v.n <= b.all.n, "%d residues at %d in a buffer for %d", v.n, at, b.all.n)
	b.all.set(at, v)
	b.n = max(b.n, at+v.n)
}

// Len returns the number of residues so far: one more than the last position that was set.
func (b *Buffer) Len() int { return b.n }

// Vector returns the residues so far. It shares their memory with the buffer, and what is appended later does not change it; [Buffer.Put] into it does.
func (b *Buffer) Vector() *Vector { return b.all.Slice(0, b.n) }
