#!/usr/bin/env bash
# Builds ORY Hydra from the Go module proxy, with SQLite, for `npm run test:peers`. It needs Go and a C compiler, and takes
# some twenty minutes on a small machine.
set -euo pipefail
cd "$(dirname "$0")"
target=$(realpath ../../.clients)/hydra-server
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A copy, because Go writes what it has chosen into go.mod.
cp go.mod main.go "$folder"
cd "$folder"
CGO_ENABLED=1 go build -mod=mod -tags sqlite -trimpath -ldflags '-s -w' -o "$target" .
