#!/usr/bin/env bash
# Builds the peer twice into ../.bin: on the newest hashicorp/raft, and on 1.6, which has no pre-vote.
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
go build -trimpath -o ../.bin/peer .
go build -trimpath -modfile=go-1.6.mod -tags raft16 -o ../.bin/peer-1.6 .
