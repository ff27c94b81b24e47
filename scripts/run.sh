#!/bin/sh
# dockward in the foreground, with a demo authority and policy, before the machine's daemon if one
# answers, otherwise before a private one that ends with it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
listen=${LISTEN:-127.0.0.1:2376}
socket=/run/docker.sock
mkdir -p .run

cargo build --release --quiet
target=${CARGO_TARGET_DIR:-target}

answers() { curl -fsS --max-time 5 -o /dev/null --unix-socket "$1" http://docker/_ping 2>/dev/null; }
if ! answers "$socket"; then
    echo "run: no daemon answers at $socket: starting a private one, which ends with this" >&2
    daemon=$(mktemp -d)
    mkfifo "$daemon/owner" "$daemon/ready"
    # In a session of its own, so that an interrupt reaches the gate first.
    setsid scripts/private-dockerd.sh "$daemon/docker" <"$daemon/owner" >"$daemon/ready" &
    exec 9>"$daemon/owner"
    read -r _ socket <"$daemon/ready" || { echo "run: the private daemon did not start" >&2; exit 1; }
    trap 'exec 9>&-; wait; rm -rf "$daemon"' EXIT
fi
# One name for whichever daemon it is, so that the policy of the last time is good for this time.
ln -sfn "$socket" .run/docker.sock
# An interrupt from the keyboard is the gate's to answer; this shell only waits for it.
trap : INT
gate=
trap '[ -z "$gate" ] || kill -TERM "$gate"' TERM HUP
"$target/release/dockward" quickstart --dir .run/demo --listen "$listen" --daemon "$root/.run/docker.sock" 9>&- &
gate=$!
status=0
while :; do
    wait "$gate" && status=0 || status=$?
    kill -0 "$gate" 2>/dev/null || break
done
exit "$status"
