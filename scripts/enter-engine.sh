#!/bin/sh
# Runs a command with an engine of scripts/engines.sh as its root; in a mount namespace of its own, which
# scripts/private-dockerd.sh makes.
#
#   enter-engine.sh ENGINE EMPTY-DIRECTORY [PATH...] -- COMMAND...
#
# The engine's own files stay as they are: what is written there is in memory, at EMPTY-DIRECTORY. Each PATH (one
# may be empty) is the machine's, under the same name. By pivot_root and not chroot, under which containerd finds
# no mounts of its own.
set -eu
engine=$1 memory=$2
shift 2
mount -t tmpfs tmpfs "$memory"
root="$memory/root"
mkdir "$root" "$memory/upper" "$memory/work"
mount -t overlay overlay -o "lowerdir=$engine,upperdir=$memory/upper,workdir=$memory/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" # of its own network: engines from 28 on look at their bridge's ports there
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    if [ -n "$1" ]; then
        mkdir -p "$root$1"
        mount --bind "$1" "$root$1"
    fi
    shift
done
shift
for file in hosts resolv.conf; do cp "/etc/$file" "$root/etc/$file" 2>/dev/null || true; done
cd "$root"
mkdir machine
pivot_root . machine
cd /
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
busybox umount -l /machine
busybox rmdir /machine
exec "$@"
