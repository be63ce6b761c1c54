package propagate

import (
	"io"

	"riskprop/crypto/modular"
)

// RerandomizeWith re-randomises as the manifest says, with streams of the test.
func RerandomizeWith(c Config, stream func(i int) io.Reader, v *modular.Vector) *modular.Vector {
	return c.randomizeWith(stream, v)
}
