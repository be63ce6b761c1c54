package schema

import (
	"encoding/binary"
	"fmt"
)

// Bounds of a msgpack document, checked before it is decoded.
const (
	maxDepth    = 8
	maxElements = 1 << 16 // array elements in the whole document
)

// checkShape walks over a msgpack document without allocating anything and refuses what could hurt the decoder or has
// no place in our schema: lengths beyond what remains, deep nesting, more than maxElements elements, maps, floats,
// extensions, and anything behind the document's end. The decoder allocates what a length declares before it looks at
// the data, and recurses without a limit, so none of that may reach it. The document must be one array.
func checkShape(raw []byte) error {
	if len(raw) == 0 || !isArray(raw[0]) {
		return fmt.Errorf("%w: not a msgpack array", ErrUntrusted)
	}
	w := walker{raw: raw}
	if err := w.value(0); err != nil {
		return fmt.Errorf("%w: msgpack at byte %d: %v", ErrUntrusted, w.at, err)
	}
	if w.at != len(raw) {
		return fmt.Errorf("%w: %d bytes behind the document", ErrUntrusted, len(raw)-w.at)
	}
	return nil
}

func isArray(code byte) bool { return code&0xf0 == 0x90 || code == 0xdc || code == 0xdd }

type walker struct {
	raw      []byte
	at       int
	elements int
}

func (w *walker) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if w.at >= len(w.raw) {
		return fmt.Errorf("cut off")
	}
	code := w.raw[w.at]
	w.at++
	switch {
	case code <= 0x7f, code == 0xc0, code == 0xc2, code == 0xc3: // small integer, nil, false, true
		return nil
	case code&0xf0 == 0x90:
		return w.array(uint64(code&0x0f), depth)
	case code&0xe0 == 0xa0:
		return w.skip(uint64(code & 0x1f))
	}
	switch code {
	case 0xc4, 0xd9: // bin 8, str 8
		return w.skipCounted(1)
	case 0xc5, 0xda:
		return w.skipCounted(2)
	case 0xc6, 0xdb:
		return w.skipCounted(4)
	case 0xcc, 0xcd, 0xce, 0xcf: // uint 8, 16, 32, 64
		return w.skip(1 << (code - 0xcc))
	case 0xdc:
		return w.countedArray(2, depth)
	case 0xdd:
		return w.countedArray(4, depth)
	}
	return fmt.Errorf("type %#x has no place here", code)
}

func (w *walker) countedArray(size, depth int) error {
	n, err := w.length(size)
	if err != nil {
		return err
	}
	return w.array(n, depth)
}

// array visits n elements; each takes at least one byte, so n cannot exceed what remains.
func (w *walker) array(n uint64, depth int) error {
	if n > uint64(len(w.raw)-w.at) {
		return fmt.Errorf("array of %d elements in %d bytes", n, len(w.raw)-w.at)
	}
	w.elements += int(n)
	if w.elements > maxElements {
		return fmt.Errorf("more than %d elements", maxElements)
	}
	for range n {
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) skipCounted(size int) error {
	n, err := w.length(size)
	if err != nil {
		return err
	}
	return w.skip(n)
}

func (w *walker) length(size int) (uint64, error) {
	if len(w.raw)-w.at < size {
		return 0, fmt.Errorf("cut off in a length")
	}
	var wide [8]byte
	copy(wide[8-size:], w.raw[w.at:w.at+size])
	w.at += size
	return binary.BigEndian.Uint64(wide[:]), nil
}

func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.raw)-w.at) {
		return fmt.Errorf("%d bytes declared, %d left", n, len(w.raw)-w.at)
	}
	w.at += int(n)
	return nil
}
