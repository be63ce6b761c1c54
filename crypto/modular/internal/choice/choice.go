// Package choice is what the environment says about the arithmetic: the one place below crypto that looks outside.
package choice

import "os"

// Variable names the environment variable that chooses a path; see modular.Path.
const Variable = "RISKPROP_MODULAR"

// Value is its value, empty where it is not set.
func Value() string { return os.Getenv(Variable) }
