#!/usr/bin/env bash
# Formatting and vet of the Go program, in both versions.
set -euo pipefail
cd "$(dirname "$0")"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "not formatted, run gofmt -w: $unformatted" >&2; exit 1; }
go vet .
go vet -modfile=go-1.6.mod -tags raft16 .
