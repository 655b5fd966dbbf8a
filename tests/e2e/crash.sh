#!/bin/sh
# crash -- kill -9 during `feed` at random moments: each time the ledger opens again at a whole
# block, replay agrees, and --resume brings every reading in, once.
#
#   crash.sh [RUNS [SEED]]     5 runs by default; the seed of the moments is printed
. "${0%/*}/lib.sh"

runs=${1:-5}
seed=${2:-$(date +%s)}
printf '# seed %s\n' "$seed"
readings=20000
feed='--as gauge --time time --map level=depth:mm'

"$TWVM" init base --insecure-keys --start 2026-01-01 >/dev/null
"$TWVM" -d base deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice \
    --role sensor=gauge >/dev/null 2>&1
awk -v start=1767225600 -v count="$readings" 'BEGIN {
    print "time,depth"
    for (i = 1; i <= count; i++) print start + i "," (i % 300 < 100 ? 1900 : 1500) + i % 7
}' >levels.csv

# seconds from the start of the process; its first block is written after some 0.05
moments=$(awk -v seed="$seed" -v runs="$runs" 'BEGIN {
    srand(seed); for (i = 0; i < runs; i++) printf "%.3f\n", 0.03 + rand() * rand() * 1.2 }')
killed=0
for moment in $moments; do
    rm -rf l
    cp -r base l
    # shellcheck disable=SC2086 # a list of options
    "$TWVM" -d l feed TankGuard levels.csv $feed --pack 1 >feed.out 2>&1 &
    started=$!
    sleep "$moment"
    kill -9 "$started" 2>/dev/null && killed=$((killed + 1))
    wait "$started" 2>/dev/null
    started=
    "$TWVM" -d l replay --json >replay.json 2>replay.err && grep -q '"agrees":true' replay.json
    verdict $? "killed after $moment s: it opens, and replay agrees"
    height=$("$TWVM" -d l root | sed -n 's/^height *//p')
    printf '# at block %s\n' "${height:-none}"
    # shellcheck disable=SC2086
    "$TWVM" -d l feed TankGuard levels.csv $feed --resume >feed.out 2>&1 &&
        "$TWVM" -d l state TankGuard | grep -q 'level: 20,000 readings in'
    verdict $? 'the rest comes in behind it, each reading once'
done
same 'each was killed while it fed' "$killed" "$runs"
check 'replay of the last one, to its end' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
