package modular

import (
	"fmt"
	"sync"

	"riskprop/crypto/modular/internal/adx"
	"riskprop/crypto/modular/internal/choice"
	"riskprop/crypto/modular/internal/ifma"
)

// Path says how this program multiplies: "ifma" (eight residues at once, AVX512-IFMA), "adx" (one residue, MULX, ADCX and
// ADOX) or "big" (math/big). It is the first of them that the build and the machine have, chosen once, at the first use of
// the package; a build with the tag purego has "big" alone. The environment variable RISKPROP_MODULAR chooses another:
// big, adx, ifma, or auto, which is the default. Path and whatever needs it panic if the variable has another value or
// names a path that this build or machine lacks. Results do not depend on the path, only the time they take; see the
// package's policy on constant time.
func Path() string { return pathOf(selected()) }

// CheckPath returns the error with which Path and whatever needs it would panic, for a program to report at its start.
func CheckPath() error {
	_, err := chosen()
	return err
}

// selected is the engine of this process, nil for math/big.
func selected() *engine {
	e, err := chosen()
	if err != nil {
		panic(err.Error())
	}
	return e
}

// chosen is the engine, found once.
var chosen = sync.OnceValues(func() (*engine, error) {
	return choose(choice.Value(), ifma.Available(), adx.Available())
})

// choose returns the engine for a value of the environment variable on a machine that has the given instructions.
func choose(value string, hasIFMA, hasADX bool) (*engine, error) {
	switch {
	case value == "big":
		return nil, nil
	case value == "ifma" && hasIFMA:
		return ifmaEngine(), nil
	case value == "adx" && hasADX:
		return adxEngine(), nil
	case value == "ifma" || value == "adx":
		return nil, fmt.Errorf("modular: %s=%s: this build or machine lacks the instructions; unset it", choice.Variable, value)
	case value != "" && value != "auto":
		return nil, fmt.Errorf("modular: %s=%q: want big, adx, ifma or auto", choice.Variable, value)
	case hasIFMA:
		return ifmaEngine(), nil
	case hasADX:
		return adxEngine(), nil
	}
	return nil, nil
}

func pathOf(e *engine) string {
	if e == nil {
		return "big"
	}
	return e.name
}
