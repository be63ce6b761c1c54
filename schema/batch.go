package schema

import "fmt"

// maxBatch is the payload of one part: what fits a record with its framing and its seal.
const maxBatch = MaxRecord - 256

// Batch is the content of every part: a run of elements of one width, packed. The elements of a message are numbered
// through all of its parts.
type Batch struct {
	First uint32 // number of this part's first element in the message
	Width uint32 // bytes of an element
	Data  []byte
	// Mark lets the sender of a sealed part recognise it as its own when it is started again: the recipient could have sealed
	// it as well. It is 0 in a broadcast and tells nothing to anybody else.
	Mark [16]byte
}

// PerPart is the number of elements of the given width in every part of a message but the last. The division is
// canonical, so that a party that is started again writes the same parts.
func PerPart(width int) int { return max(1, maxBatch/width) }

// Parts is the number of parts of a message of count elements.
func Parts(count, width int) int { return (count + PerPart(width) - 1) / PerPart(width) }

// Join appends the elements of the next part to a message, after checking that they continue it. An error is the
// sender's fault.
func Join(data []byte, part Batch, width int) ([]byte, error) {
	if _, err := part.Count(width); err != nil {
		return nil, err
	}
	if err := part.Follows(len(data) / width); err != nil {
		return nil, err
	}
	return append(data, part.Data...), nil
}

// Count returns the number of elements of a part, which must be of this width. An error is the sender's fault.
func (b Batch) Count(width int) (int, error) {
	if int64(b.Width) != int64(width) {
		return 0, fmt.Errorf("elements of %d bytes instead of %d", b.Width, width)
	}
	if len(b.Data) == 0 || len(b.Data)%width != 0 {
		return 0, fmt.Errorf("part of %d bytes is no list of elements of %d", len(b.Data), width)
	}
	return len(b.Data) / width, nil
}

// Follows returns an error, the sender's fault, unless the part begins after so many elements.
func (b Batch) Follows(elements int) error {
	if int64(b.First) != int64(elements) {
		return fmt.Errorf("part starts at element %d instead of %d", b.First, elements)
	}
	return nil
}
