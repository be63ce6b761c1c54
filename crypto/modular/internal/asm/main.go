// Command asm writes the assembly of the packages beside it.
package main

import _ "github.com/mmcloughlin/avo/build"

func main() {}
