#!/bin/sh
# What may be in the tree of dependencies, by deny.toml. cargo-deny is built when it is missing, once and
# without optimisation: a minute on two cores. Advisories are not asked: their database is no registry.
set -eu
cd "$(dirname "$0")/.."
version=0.20.2
deny=.run/bin/cargo-deny
if [ "$("$deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
    echo "deny: cargo-deny $version into .run" >&2
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --force --root .run "cargo-deny@$version"
fi
exec "$deny" check --deny warnings bans licenses sources
