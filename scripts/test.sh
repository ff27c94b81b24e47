#!/bin/sh
# Every test there is, and a closing line with how many ran: a suite that quietly shrinks is seen.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
# The client programs obey these before the certificate authority that they are given.
{ env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE cargo test --no-fail-fast "$@" 2>&1 || echo "cargo test: exit $?"; } | tee "$out"
grep -q '^cargo test: exit' "$out" && status=1
awk '
    /^test result:/ { passed += $4; failed += $6; ignored += $8 }
    /^MISSING:/ { missing++ }
    END {
        printf "make test: %d ran, %d passed, %d failed, %d left out\n", passed + failed, passed, failed, ignored
        if (missing) printf "make test: %d part(s) not tried because a program is not on this machine: see MISSING above\n", missing
    }' "$out"
exit "$status"
