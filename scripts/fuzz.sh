#!/bin/sh
# Runs every fuzz target (or those named) for so many seconds each, and prints what each of them did.
# usage: scripts/fuzz.sh [SECONDS [TARGET...]]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(ls fuzz/fuzz_targets | sed 's/\.rs$//')
command -v cargo-fuzz >/dev/null || {
    echo "cargo-fuzz is not on this machine: cargo install cargo-fuzz" >&2
    exit 2
}
# The compiler flags that libFuzzer needs are taken by a nightly, or by a stable told to. Only here:
# told to, cargo builds everything anew.
fuzz() { RUSTC_BOOTSTRAP=1 cargo fuzz "$@"; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
DOCKWARD_FUZZ_SEEDS=1 cargo test --quiet --test fuzz >"$log" 2>&1 || { cat "$log"; exit 1; }
fuzz build -s none
printf '%-16s %12s %8s %10s %10s %9s\n' target runs runs/s edges features findings
status=0
for target in "$@"; do
    mkdir -p "fuzz/corpus/$target" "fuzz/kept/$target" "fuzz/artifacts/$target"
    before=$(find "fuzz/artifacts/$target" -type f | wc -l)
    fuzz run -s none "$target" "fuzz/corpus/$target" "fuzz/kept/$target" -- \
        -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=4096 \
        -print_final_stats=1 >"$log" 2>&1 || status=1
    found=$(($(find "fuzz/artifacts/$target" -type f | wc -l) - before))
    awk -v target="$target" -v found="$found" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1) } }
        /stat::number_of_executed_units/ { runs = $2 }
        /stat::average_exec_per_sec/ { rate = $2 }
        END { printf "%-16s %12d %8d %10d %10d %9d\n", target, runs, rate, cov, ft, found }' "$log"
    [ "$found" -eq 0 ] || {
        grep -E 'panicked at|ERROR: libFuzzer|Test unit written' -A2 "$log" | cut -c1-600
        echo "found: fuzz/artifacts/$target; copy it to fuzz/kept/$target together with the fix"
    }
done
exit "$status"
