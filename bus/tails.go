package bus

import (
	"fmt"
	"sync"
)

// Tails is what an implementation of Log keeps for every handle: the filters that are being tailed. The zero value is ready. Safe
// for concurrent use.
type Tails struct {
	mu      sync.Mutex
	filters map[string]bool
}

// Enter notes that filter is being tailed until leave is called. The error wraps ErrInvalid when CheckFilter refuses the
// filter, and ErrBusy when it is being tailed already.
func (t *Tails) Enter(filter string) (leave func(), err error) {
	if err := CheckFilter(filter); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.filters[filter] {
		return nil, fmt.Errorf("tail %s: %w", filter, ErrBusy)
	}
	if t.filters == nil {
		t.filters = make(map[string]bool)
	}
	t.filters[filter] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.filters, filter)
	}, nil
}
