package party

import "riskprop/schema"

// SignForTest signs whatever a test wants a member to have said.
func (id *Identity) SignForTest(slot schema.Slot, head schema.Head) []byte {
	return schema.SealHead(slot, head, id.sign)
}
