#!/bin/sh
# Records anew what real clients send (tests/fixtures/clients), through a private daemon.
#
#   record-clients.sh [cli-20.10|cli-28|docker-py-7|compose-1.29|bollard-0.21]...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/install.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/owner" "$dir/ready"
scripts/private-dockerd.sh "$dir/daemon" <"$dir/owner" >"$dir/ready" &
exec 9>"$dir/owner"
read -r _ socket <"$dir/ready"
# bollard is driven by the test that compares it, told to go to the recording socket alone.
DOCKWARD_RECORD_BOLLARD=$(cargo test --quiet --no-run --test e2e --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\/deps\/e2e-[^"]*\)".*/\1/p')
export DOCKWARD_RECORD_BOLLARD
DOCKWARD_RECORD_DAEMON="$socket" .run/venv/bin/python tests/e2e/record/record.py "$@"
exec 9>&-
wait
rmdir /srv/dockward-demo 2>/dev/null || true
