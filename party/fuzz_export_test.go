package party

// Seen is the transcript that the machine's next head signs.
func (m *Machine) Seen() [32]byte { return m.now.seen }
