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
# ---- rollback ----
all() { for what in root 'state Counter' balances 'events --failed' blocks; do
    # shellcheck disable=SC2086
    "$TWVM" -d l $what
done; }
add() { "$TWVM" -d l call Counter add n=1 --as alice --time 2026-01-08; }
then=$(all)
check 'one more block' 0 'in block 7' add
with=$(all)
check 'it asks first' 1 'block 7, 2026-01-08T00:00:00Z, .* --yes' "$TWVM" -d l rollback
same 'and does nothing then' "$with" "$(all)"
check 'the block is taken off' 0 'block 7 is taken off; the newest is now 6' \
    "$TWVM" -d l rollback --yes
same 'everything is as it was' "$then" "$(all)"
check 'the ledger is whole' 0 'the ledger is whole' "$TWVM" -d l fsck
check 'the same block again' 0 'in block 7' add
same 'as if nothing had been' "$with" "$(all)"
for height in 6 5 4 3 2 1 0; do
    check "back to $height" 0 "\"height\":\"$height\"" "$TWVM" -d l rollback --yes --json
done
check 'not the first one' 1 "the first block can't be taken off" "$TWVM" -d l rollback --yes
check 'it is whole' 0 '1 blocks in .* the ledger is whole$' "$TWVM" -d l fsck
check 'and lives on' 0 '' "$TWVM" -d l deploy counter.twc --as alice --role owner=alice

# ---- prune ----
"$TWVM" init p --start 2026-01-01 --retain 3 >out 2>&1 || exit 1
check 'a contract on another ledger' 0 '' "$TWVM" -d p deploy counter.twc --as alice \
    --role owner=alice --time 2026-01-02
for day in 03 04 05 06 07 08; do
    check "add on day $day" 0 '' "$TWVM" -d p call Counter add n=1 --as alice \
        --time "2026-01-$day"
    check 'it is whole' 0 'the ledger is whole' "$TWVM" -d p fsck
done
check 'the third newest is there' 0 '^4$' "$TWVM" -d p view Counter all --at 5
check 'the one before is not' 1 'not kept any more; the oldest .* after block 5' \
    "$TWVM" -d p view Counter all --at 4
check 'every block is' 0 'agrees' "$TWVM" -d p replay
check 'fewer' 0 '"pruned":"1","oldest":"6"' "$TWVM" -d p prune --retain 2 --json
check 'again: nothing' 0 'after 0 blocks is let go' "$TWVM" -d p prune --retain 2
check 'only the newest' 0 'the oldest that is kept is that after block 7' \
    "$TWVM" -d p prune --retain 1
check 'then there is no way back' 1 'is not kept' "$TWVM" -d p rollback --yes
check 'all from now on' 0 '' "$TWVM" -d p prune --retain 0
for day in 09 10 11; do
    check "add on day $day" 0 '' "$TWVM" -d p call Counter add n=1 --as alice \
        --time "2026-01-$day"
done
check 'they stay' 0 '^6$' "$TWVM" -d p view Counter all --at 7
check 'still whole' 0 'the ledger is whole' "$TWVM" -d p fsck
check 'a step back' 0 'the newest is now 9' "$TWVM" -d p rollback --yes
check 'and whole' 0 'the ledger is whole' "$TWVM" -d p fsck
check 'prune needs a number' 2 'how many blocks' "$TWVM" -d p prune
finish
