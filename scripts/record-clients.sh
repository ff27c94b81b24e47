#!/bin/sh
# Records anew what real clients send (tests/fixtures/clients), each through a private daemon of the release that
# it comes with.
#
#   record-clients.sh [cli-20.10|cli-26|cli-28|cli-28.5|docker-py-7|compose-1.29|compose-2|buildx-0.29|bollard-0.21]...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/install.sh
scripts/engines.sh trixie sid
[ $# -gt 0 ] || set -- cli-20.10 cli-26 cli-28 cli-28.5 docker-py-7 compose-1.29 compose-2 buildx-0.29 bollard-0.21
dir=$(mktemp -d)
trap 'rm -rf "$dir"; rmdir /srv/dockward-demo 2>/dev/null || true' EXIT
mkdir -p /srv/dockward-demo
mkfifo "$dir/owner" "$dir/ready"
# bollard is driven by the test that compares it, told to go to the recording socket alone.
DOCKWARD_RECORD_BOLLARD=$(cargo test --quiet --no-run --test e2e --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\/deps\/e2e-[^"]*\)".*/\1/p')
export DOCKWARD_RECORD_BOLLARD
for client in "$@"; do
    case $client in
        cli-26) engine=trixie ;;
        cli-28.5 | compose-2 | buildx-*) engine=sid ;;
        *) engine= ;;
    esac
    if [ -n "$engine" ] && [ ! -d ".run/engines/$engine" ]; then
        echo "$client: NOT ON THIS MACHINE ($(cat ".run/engines/$engine.missing")), $client.yaml stays as it was"
        continue
    fi
    scripts/private-dockerd.sh "$dir/daemon" ${engine:+"engine=.run/engines/$engine" store=graph} \
        share=/srv/dockward-demo <"$dir/owner" >"$dir/ready" &
    exec 9>"$dir/owner"
    read -r _ socket <"$dir/ready"
    DOCKWARD_RECORD_DAEMON="$socket" DOCKWARD_RECORD_ENGINE=${engine:+"$root/.run/engines/$engine"} \
        .run/venv/bin/python tests/e2e/record/record.py "$client" 9>&-
    exec 9>&-
    wait
done
