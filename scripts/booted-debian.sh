#!/bin/sh
# A Debian 12 that has booted with its own systemd, dockerd as its docker.service, and a network of its own, for
# what can only be seen there: units. Needs root.
#
#   booted-debian.sh DIR
#
# Its files are DIR/share, seen in it as /srv/share; nothing else of the machine is seen, and what it writes
# elsewhere goes with it. "ready PID" is written when its services are up: nsenter(1) into that process. It lives
# until its standard input ends: a pipe from its owner, so it goes with the owner however that one ends.
# Ends with status 3, and a line that begins with MISSING, where this machine cannot do it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:?usage: booted-debian.sh DIR}
mkdir -p "$dir/share"
dir=$(cd "$dir" && pwd)
# Kept: it is made in a minute or two, and each boot writes elsewhere.
kept=${DOCKWARD_ENGINES:-$root/.run/engines}
tree="$kept/bookworm-systemd"
packages=systemd,systemd-sysv,dbus,sudo,acl,docker.io,busybox-static,iproute2,iptables,ca-certificates,curl
packages=$packages,openssh-server,openssh-client,openssl
name="dockward-boot-$$"
machine=

missing() {
    echo "MISSING: $*"
    exit 3
}

# What boots it, and what makes its files: only where this is run, hence not in install.sh.
need() { # need PACKAGE COMMAND
    command -v "$2" >/dev/null || {
        echo "booted-debian: apt: $1" >&2
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$1"; } \
            >/dev/null || missing "$2 (package $1) is not on this machine and cannot be installed"
    }
}

# The archive that this machine itself has Debian from.
mirror() {
    # shellcheck disable=SC2016 # fields of apt's, not of the shell
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }'
}

make_tree() {
    need debootstrap debootstrap
    from=$(mirror)
    [ -n "$from" ] || missing "an archive of Debian among apt's sources of this machine"
    echo "booted-debian: a Debian 12 into $tree, once: a minute or two" >&2
    rm -rf --one-file-system "$tree.part"
    debootstrap --variant=minbase --include="$packages" bookworm "$tree.part" "$from" >"$tree.log" 2>&1 ||
        missing "a Debian 12: debootstrap ends with: $(tail -n 1 "$tree.log")"
    echo gate >"$tree.part/etc/hostname"
    echo 127.0.0.1 localhost gate gate.example >"$tree.part/etc/hosts"
    echo "$packages" >"$tree.part/etc/made-of"
    rm -rf --one-file-system "$tree"
    mv "$tree.part" "$tree"
}

[ "$(id -u)" = 0 ] || missing "root, who alone can boot a Debian"
need systemd-container systemd-nspawn
mkdir -p "$kept"
exec 8>"$kept/bookworm-systemd.lock"
flock 8
[ "$(cat "$tree/etc/made-of" 2>/dev/null)" = "$packages" ] || make_tree
exec 8>&-

clean() {
    status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$machine" ]; then
        # its child is process 1 of a namespace: with it goes all that it has booted
        kill -KILL "$machine" 2>/dev/null || true
        wait "$machine" 2>/dev/null || true
    fi
    tries=0
    groups=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$name")
    # shellcheck disable=SC2086 # several paths without spaces
    until [ -z "$groups" ] || [ "$tries" -ge 50 ] || find $groups -depth -type d -exec rmdir {} + 2>/dev/null; do
        tries=$((tries + 1))
        sleep 0.1
    done
    exit "$status"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# In control groups of its own, so that several boot beside each other, and without nspawn's own filter of system calls,
# so that a unit is tried under its own alone.
# shellcheck disable=SC2016 # this is the child's to expand
SYSTEMD_SECCOMP=0 setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
        [ -e "$procs" ] || continue
        own="${procs%/*}/$1"
        mkdir "$own" 2>/dev/null || continue
        for key in cpuset.cpus cpuset.mems; do
            [ ! -e "$own/$key" ] || cat "${procs%/*}/$key" >"$own/$key"
        done
        echo 0 >"$own/cgroup.procs" # this shell; its number is another outside of its namespace
    done
    exec systemd-nspawn --quiet --directory="$2" --volatile=overlay --tmpfs=/var/lib/docker --bind="$3:/srv/share" \
        --private-network --capability=all --register=no --keep-unit --machine="$1" \
        --link-journal=no --resolv-conf=off --timezone=off --console=pipe --boot
' sh "$name" "$tree" "$dir/share" >"$dir/console.log" 2>&1 </dev/null &
machine=$!

inside() { nsenter --target "$first" --mount --uts --ipc --net --pid --root --wd env -i PATH=/usr/sbin:/usr/bin "$@"; }

deadline=$(($(date +%s) + 120))
until first=$(pgrep -P "$(pgrep -P "$machine" || echo 0)" -x systemd) && [ "$(inside systemctl is-system-running 2>/dev/null)" = running ] &&
    inside docker version >/dev/null 2>&1; do
    if [ "$(date +%s)" -ge "$deadline" ] || ! kill -0 "$machine" 2>/dev/null; then
        echo "booted-debian: it does not come up:" >&2
        tail -n 20 "$dir/console.log" >&2
        [ -z "${first:-}" ] || inside systemctl --no-pager --failed >&2 || true
        exit 1
    fi
    sleep 0.2
done
# nspawn leaves some hierarchies read-only, and containers have groups in all
inside sh -c 'for at in /sys/fs/cgroup/*/; do ! mountpoint -q "$at" || mount -o remount,bind,rw "$at"; done'
inside sh -s /run/docker.sock <"$root/scripts/busybox-image.sh"
echo "ready $first"

# Ends with the owner: this read returns when the other end of the pipe is closed.
while read -r _; do :; done
