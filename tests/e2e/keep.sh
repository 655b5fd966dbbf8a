#!/bin/sh
# keep -- what who keeps a ledger does with it: looks whether it is whole.
. "${0%/*}/lib.sh"

cat >counter.twc <<'TWC'
contract Counter version 1 {
  role owner
  var total : int = 0
  action add(n: int) by owner { total += n }
  view all() -> int { return total }
}
TWC
"$TWVM" init l --start 2026-01-01 --asset 'EUR 2 alice=1_000.00' >out 2>&1 || exit 1
check 'a contract' 0 '' "$TWVM" -d l deploy counter.twc --as alice --role owner=alice \
    --time 2026-01-02
for day in 03 04 05 06 07; do
    check "add on day $day" 0 '' "$TWVM" -d l call Counter add n=1 --as alice \
        --time "2026-01-$day"
done

# ---- fsck ----
check 'it is whole' 0 '7 blocks in .* the ledger is whole$' "$TWVM" -d l fsck
check 'as JSON' 0 '^{"whole":true,"problems":\[\],"problem_count":"0","height":"6"' \
    "$TWVM" -d l fsck --json
check 'there is no ledger' 1 'nowhere holds no ledger' "$TWVM" -d nowhere fsck
finish
