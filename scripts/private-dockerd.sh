#!/bin/sh
# A private dockerd for tests and `make run`: own data, own sockets, own network, mount and process
# namespaces, so it neither meets another daemon of the machine nor leaves anything behind.
#
#   private-dockerd.sh DIR [registry]
#
# With the word registry, one listens on 127.0.0.1:5000 in the daemon's network, and holds nothing yet.
#
# Everything is under DIR, which must not exist or be empty, and is removed at the end. "ready SOCKET"
# is written when the daemon answers and has busybox:latest. It lives until its standard input ends:
# a pipe from its owner, so it goes with the owner however that one ends (killed too).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: private-dockerd.sh DIR [registry]}
registry=${2:-}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
socket="$dir/docker.sock"
log="$dir/dockerd.log"
parent="dockward-$$"
keeper=
if [ "$registry" = registry ]; then
    cat >"$dir/registry.yml" <<END
version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $dir/registry } }
http: { addr: "127.0.0.1:5000" }
END
fi

clean() {
    status=$?
    trap '' INT TERM HUP
    trap - EXIT
    # The keeper's child is process 1 of its namespace: with it go daemon, containerd, shims and
    # containers; with the mount namespace go their mounts.
    if [ -n "$keeper" ]; then
        kill -KILL "$keeper" 2>/dev/null || true
        wait "$keeper" 2>/dev/null || true
    fi
    find /sys/fs/cgroup -depth -type d -path "*/$parent*" -exec rmdir {} + 2>/dev/null || true
    # What died with the namespace may still be letting go of its files.
    tries=0
    until rm -rf "$dir" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
    exit "$status"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# unshare ends its child when it ends, and is itself ended with this shell.
setpriv --pdeathsig KILL unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
    sh -c '
        ip link set lo up
        [ ! -e "$1/registry.yml" ] || docker-registry serve "$1/registry.yml" >"$1/registry.log" 2>&1 &
        exec docker-init -s -- dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \
            --host "unix://$1/docker.sock" --cgroup-parent "$2" --log-level warn --experimental
    ' sh "$dir" "/$parent" >"$log" 2>&1 </dev/null &
keeper=$!

answers() { curl -fsS --max-time 5 -o /dev/null --unix-socket "$socket" http://docker/_ping 2>/dev/null; }
deadline=$(($(date +%s) + 60))
until answers; do
    if [ "$(date +%s)" -ge "$deadline" ] || ! kill -0 "$keeper" 2>/dev/null; then
        echo "private-dockerd: no answer; its log:" >&2
        tail -n 40 "$log" >&2
        exit 1
    fi
    sleep 0.1
done
"$here/busybox-image.sh" "$socket"
echo "ready $socket"

# Ends with the owner: this read returns when the other end of the pipe is closed.
while read -r _; do :; done
