package node

import "riskprop/party"

// writing is one part on its way to the log, while the machine computes the next one. There is one at a time, so that a party's
// records lie on the log in the order in which it said them, and no more than two parts are in memory. The zero value is ready.
type writing struct {
	effect party.Effect
	result chan error // nil: nothing is on its way
}

// begin sends a part on its way; nothing else is.
func (w *writing) begin(n *node, effect party.Effect) {
	w.effect, w.result = effect, make(chan error, 1)
	go func(result chan<- error) { result <- n.Log.Append(n.ctx, effect.Slot.Subject(), effect.Data) }(w.result)
}

// wait returns when nothing is on its way any more, and what has come of it.
func (w *writing) wait(n *node) error {
	if w.result == nil {
		return nil
	}
	err := <-w.result
	w.result = nil
	return n.appended(w.effect, err)
}
