#!/bin/sh
# Docker engines of other Debian releases, with their clients, for the tests: the files of their packages in a
# directory of their own, in which scripts/private-dockerd.sh runs them. Nothing of the machine changes.
#
#   engines.sh SUITE...
#
# .run/engines/SUITE is made once, in a quarter of a minute, and kept; remove it to have it made anew. What is
# there is whole: it gets its name at the end. One that cannot be had is no failure here: .run/engines/SUITE.missing
# says why, and the tests say that it was not tried.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .run/engines
place=$(cd .run/engines && pwd)
packages="base-files busybox-static iproute2 iptables procps docker.io docker-cli docker-buildx docker-compose"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "engines: $*" >&2; }

# The mirror that this machine's own packages come from; nothing else is asked.
mirror() {
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v release="$codename" '$1 == release && $2 == "main" && $3 == "Debian" { print $4; exit }'
}

# A list of sources, lists, cache and status of its own: the machine's are not touched.
configure() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    : >"$work/status"
    echo "deb [signed-by=$keyring] $uri $suite main" >"$work/sources.list"
    cat >"$work/apt.conf" <<END
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::State::extended_states "$work/extended";
Dir::Cache "$work/cache";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
END
    export APT_CONFIG="$work/apt.conf" DEBIAN_FRONTEND=noninteractive
}

# What the packages' own scripts would have made, as far as a daemon wants it.
finish() {
    for name in iptables ip6tables iptables-save ip6tables-save iptables-restore ip6tables-restore; do
        kind=${name%%-*}
        ln -s "$kind-nft${name#"$kind"}" "$root/usr/sbin/$name"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale"
}

# Says what went wrong and is not 0, or makes $place/$suite.
make_engine() {
    [ "$(id -u)" = 0 ] || { echo "not root"; return 1; }
    [ -e "$keyring" ] || { echo "no $keyring: this is no Debian"; return 1; }
    uri=$(mirror)
    [ -n "$uri" ] || { echo "apt names no mirror of this machine's Debian release"; return 1; }
    configure
    apt-get -qq update >"$work/said" 2>&1 && ls "$work"/lists/*_Packages* >/dev/null 2>&1 ||
        { echo "its list of packages cannot be had: $(tail -n 1 "$work/said")"; return 1; }
    # shellcheck disable=SC2086 # the list is words by design
    apt-get -qq --download-only -y install $packages >"$work/said" 2>&1 ||
        { echo "its packages cannot be had: $(tail -n 1 "$work/said")"; return 1; }
    root="$work/root"
    mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
    for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
    for package in "$work"/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$root" 2>"$work/said" || { echo "$package: $(tail -n 1 "$work/said")"; return 1; }
    done
    [ -x "$root/usr/sbin/dockerd" ] || { echo "its docker.io brings no dockerd"; return 1; }
    finish
    echo "$packages" >"$root/.packages"
    rm -rf "${place:?}/$suite"
    mv "$root" "$place/$suite"
}

is_whole() { [ "$(cat "$place/$suite/.packages" 2>/dev/null)" = "$packages" ]; }

for suite in "$@"; do
    is_whole && continue
    # Whoever comes second waits, and finds it made.
    exec 8>"$place/$suite.lock"
    flock 8
    is_whole && continue
    say "$suite: docker and its clients into .run/engines/$suite"
    work="$place/.$suite"
    rm -rf "$work" "$place/$suite.missing"
    if why=$(make_engine); then
        say "$suite: $("$place/$suite/usr/sbin/dockerd" --version 2>&1 | head -n 1)"
    else
        echo "$why" >"$place/$suite.missing"
        say "MISSING: $suite: $why"
    fi
    rm -rf "$work"
done
