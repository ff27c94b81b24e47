#!/bin/sh
# dockward in the foreground, with a demo authority and policy, before the machine's daemon if one
# answers, otherwise before a private one that ends with it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
listen=${LISTEN:-127.0.0.1:2376}
socket=/run/docker.sock
mkdir -p .run

say() { echo "run: $*" >&2; }

# All that is missing at once, before anything is built or installed.
rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
PATH="$PATH:$HOME/.cargo/bin"
lacks=
command -v cc >/dev/null || lacks="$lacks
  a C compiler: apt-get install -y gcc libc6-dev"
have=$(cargo --version 2>/dev/null | cut -d' ' -f2) || have=
if [ -z "$have" ] || [ "$(printf '%s\n%s\n' "$rust" "$have" | sort -V | head -n 1)" != "$rust" ]; then
    lacks="$lacks
  Rust $rust or newer${have:+ (there is $have)}: see https://rustup.rs"
fi
if [ -n "$lacks" ]; then
    say "this is missing:$lacks"
    exit 1
fi

say "1/3 a daemon"
scripts/install.sh run
say "2/3 building; minutes the first time"
cargo build --release
target=${CARGO_TARGET_DIR:-target}

answers() { curl -fsS --max-time 5 -o /dev/null --unix-socket "$1" http://docker/_ping 2>/dev/null; }
if answers "$socket"; then
    say "3/3 serving before the daemon at $socket"
else
    [ "$(id -u)" = 0 ] || { say "no daemon answers at $socket, and a private one needs root"; exit 1; }
    say "3/3 no daemon answers at $socket: starting a private one, which ends with this"
    daemon=$(mktemp -d)
    mkfifo "$daemon/owner" "$daemon/ready"
    # In a session of its own, so that an interrupt reaches the gate first.
    setsid scripts/private-dockerd.sh "$daemon/docker" <"$daemon/owner" >"$daemon/ready" &
    exec 9>"$daemon/owner"
    trap 'exec 9>&-; wait; rm -rf "$daemon"' EXIT
    read -r _ socket <"$daemon/ready" || { say "the private daemon did not start"; exit 1; }
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
