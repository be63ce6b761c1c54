package mem_test

import (
	"testing"

	"riskprop/bus"
	"riskprop/bus/bustest"
	"riskprop/bus/mem"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(*testing.T) bustest.Factory {
		store := mem.NewStore()
		return bustest.Factory{Open: func(*testing.T) bus.Log { return store.Open(nil) }}
	})
}
