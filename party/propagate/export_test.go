package propagate

import (
	"io"
	"weak"

	"riskprop/crypto/modular"
	"riskprop/party"
)

// Previous is what a round of scores needs of the one before, which the test does not keep alive.
func Previous(r party.Round) weak.Pointer[encrypted] {
	switch r := r.(type) {
	case *scores:
		return weak.Make(r.previous)
	case *final:
		return weak.Make(r.previous)
	}
	return weak.Pointer[encrypted]{}
}

// RerandomizeWith re-randomises as the manifest says, with streams of the test.
func RerandomizeWith(c Config, stream func(i int) io.Reader, v *modular.Vector) *modular.Vector {
	return c.randomizeWith(stream, v)
}
