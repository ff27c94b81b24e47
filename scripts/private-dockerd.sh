#!/bin/sh
# A private dockerd for tests and `make run`: own data, own sockets, own network, mount and process
# namespaces, so it neither meets another daemon of the machine nor leaves anything behind.
#
#   private-dockerd.sh DIR [registry] [engine=ROOT] [store=graph|containerd] [share=PATH]
#
# With the word registry, one listens on 127.0.0.1:5000 in the daemon's network, and holds nothing yet.
# With engine=ROOT it is not the machine's own dockerd but the one in that tree (scripts/engines.sh makes them), which
# becomes the daemon's root; what it writes there is in memory and gone with it. Of the machine it sees /dev, /sys
# and, under the same names, the directory that DIR is in and PATH. So a path below these is the same for daemon,
# gate and clients; any other is the engine's own. store= says where images are kept, where the engine has a choice.
#
# Everything is under DIR, which must not exist or be empty, and is removed at the end. "ready SOCKET"
# is written when the daemon answers and has busybox:latest. It lives until its standard input ends:
# a pipe from its owner, so it goes with the owner however that one ends (killed too).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: private-dockerd.sh DIR [registry] [engine=ROOT] [store=graph|containerd] [share=PATH]}
shift
registry='' engine='' store='' share=''
for word in "$@"; do
    case $word in
        registry) registry=registry ;;
        engine=*) engine=$(cd "${word#*=}" && pwd) ;;
        store=graph) store=false ;;
        store=containerd) store=true ;;
        share=*) share=${word#*=} ;;
        *) echo "private-dockerd: what is $word?" >&2; exit 2 ;;
    esac
done
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
[ -z "$store" ] || echo "{ \"features\": { \"containerd-snapshotter\": $store } }" >"$dir/daemon.json"

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
    # What died with the namespace may still be letting go of its files and groups.
    tries=0
    until rm -rf "$dir" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
    tries=0
    until find /sys/fs/cgroup -depth -type d -path "*/$parent*" -exec rmdir {} + 2>/dev/null || [ "$tries" -ge 50 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    exit "$status"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# unshare ends its child when it ends, and is itself ended with this shell.
setpriv --pdeathsig KILL unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
    sh -c '
        here=$1 dir=$2 parent=$3 engine=$4 share=$5
        ip link set lo up
        [ ! -e "$dir/registry.yml" ] || docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &
        set -- docker-init -s -- dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" \
            --host "unix://$dir/docker.sock" --cgroup-parent "$parent" --log-level warn --experimental
        [ ! -e "$dir/daemon.json" ] || set -- "$@" --config-file "$dir/daemon.json"
        [ -n "$engine" ] || exec "$@"
        mkdir "$dir/memory"
        exec "$here/enter-engine.sh" "$engine" "$dir/memory" "$(dirname "$dir")" "$share" -- "$@"
    ' sh "$here" "$dir" "/$parent" "$engine" "$share" >"$log" 2>&1 </dev/null &
keeper=$!

answers() { curl -fsS --max-time 5 -o /dev/null --unix-socket "$socket" http://docker/_ping 2>/dev/null; }
deadline=$(($(date +%s) + 300))
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
