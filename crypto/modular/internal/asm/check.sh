#!/usr/bin/env bash
# Says whether the committed assembly is what the generator writes, and runs the generator's own tests. Needs the modules of go.sum,
# from a proxy or a cache, and nothing else; writes nothing into the work tree.
set -euo pipefail
cd "$(dirname "$0")"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
go build -o "$fresh/asm" .

# Everything but the first line, which names the generator.
same() { diff -u --label "committed $1" --label "generated" <(tail -n +2 "$1") <(tail -n +2 "$2"); }

for kernel in ifma adx; do
	"$fresh/asm" -kernel "$kernel" -out "$fresh/${kernel}_amd64.s" -stubs "$fresh/${kernel}_amd64.go"
	for file in "${kernel}_amd64.s" "${kernel}_amd64.go"; do
		same "../$kernel/$file" "$fresh/$file"
	done
done

go vet ./...
# Tests read the committed files, which lie outside of this module: go test does not see when those change.
go test -count=1 ./...
printf 'the committed assembly is up to date\n'
