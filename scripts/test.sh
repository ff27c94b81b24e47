#!/bin/sh
# Every test there is, and a closing line with how many ran: a suite that quietly shrinks is seen. Arguments are
# cargo test's.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
# The client programs obey these before the certificate authority that they are given.
{ env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u SSL_CERT_FILE cargo test --no-fail-fast "$@" 2>&1 || echo "cargo test: exit $?"; } | tee "$out"
grep -q '^cargo test: exit' "$out" && status=1
# What failed, once more and at the end, where nobody has to look for it: the first of each binary's lines on it.
awk '
    /^failures:$/ && !told { told = 1; lines = 0 }
    /^test result:/ { told = 0 }
    told && lines++ < 120 { print substr($0, 1, 400) }' "$out"
# The last line is for machines: what passed, and what failed, a build among it.
awk -v status="$status" '
    /^test result:/ { passed += $4; failed += $6; ignored += $8; binaries++ }
    /^MISSING:/ { missing++ }
    END {
        if (status && !failed) { print "make test: it did not build, or a test binary was cut off: see above"; failed = 1 }
        if (missing) printf "make test: %d part(s) not tried because a program is not on this machine: see MISSING above\n", missing
        printf "make test: %d tests of %d binaries ran, %d left to make test-engines\n", passed + failed, binaries, ignored
        printf "%d passed, %d failed\n", passed, failed
    }' "$out"
exit "$status"
