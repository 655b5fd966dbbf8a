#!/bin/sh
# past -- each state of the ledger, asked for again after the blocks that followed it.
. "${0%/*}/lib.sh"

cat >club.twc <<'TWC'
contract Club version 1 {
  currency EUR decimals 2
  role owner
  role guest max 3
  record Visit { at: time, count: int }
  var total : int = 0
  purse dues : EUR falls to owner after 30 days
  purse share : EUR per guest
  map visits : account -> Visit max 10
  event Paid(amount: EUR)
  action join(who: account) by owner { grant guest to who }
  action leave(who: account) by owner { pay rest of share[who] to who revoke guest from who }
  action pay_fee(amount: EUR) by guest receives amount into dues {
    total += 1
    emit Paid(amount: amount)
  }
  action put(amount: EUR) by guest receives amount into share[caller] { }
  action visit() by guest {
    visits[caller] = Visit(at: now, count: total)
    history Visited(total: total)
  }
  action withdraw() by guest { pay rest of share[caller] to caller }
  action forget() by guest { remove visits[caller] }
  view paid() -> int { return total }
}
TWC
# what all commands say, into the file $1; the rest are options of each
ask()
{
    to=$1
    shift
    for what in 'state Club' 'view Club paid' 'balances' 'history' \
        'events Club --money --failed'; do
        # shellcheck disable=SC2086
        "$TWVM" -d l $what "$@" 2>/dev/null </dev/null
        echo "exit $?"
    done >"$to"
}
height()
{
    "$TWVM" -d l root | sed -n 's/^height *//p'
}
note() { ask "then.$(height)"; }

"$TWVM" init l --start 2026-01-01 --asset 'EUR 2 alice=1_000.00,bob=500.00' >out 2>&1 || exit 1
"$TWVM" -d l key new olga >out 2>&1
note
check 'a contract' 0 '' "$TWVM" -d l deploy club.twc --as olga --role owner=olga \
    --role guest=alice --time 2026-01-02
note
day=3
step() # step WHO ACTION...
{
    who=$1
    shift
    check "$1 by $who" 0 '' "$TWVM" -d l call Club "$@" --as "$who" \
        --time "2026-01-$(printf %02d $day)"
    note
    day=$((day + 1))
}
step alice visit
step alice pay_fee 'amount=10 EUR' --spend '10 EUR'
step olga join who=bob
step bob put 'amount=70 EUR' --spend '70 EUR'
step bob visit
step alice forget
step alice visit
step olga leave who=bob
step alice pay_fee 'amount=1.50 EUR' --spend '2 EUR'

newest=$(height)
same 'a block for each step' "$newest" 10
for h in $(seq 0 "$newest"); do
    ask now "--at=$h"
    cmp -s now "then.$h"
    verdict $? "all that was said at height $h is said again"
done
differs 'and it is not always the same' "$(cat then.3)" "$(cat then.9)"

# ---- by time ----
ask now --at 2026-01-05T12:00:00Z
cmp -s now then.4
verdict $? 'a time between two blocks is that of the older'
ask now --at 2026-01-05
cmp -s now then.4
verdict $? 'the time of a block is the block'
check 'it says which block it is' 0 '^as it was after block 4, 2026-01-05T00:00:00Z$' \
    "$TWVM" -d l state Club --at 2026-01-05T23:59:59+01:00
check 'before there was a ledger' 1 'the ledger begins at 2026-01-01T00:00:00Z' \
    "$TWVM" -d l state Club --at 2025-12-31
check 'after all blocks' 0 'after block 10,' "$TWVM" -d l balances --at 2030-01-01

# ---- JSON ----
check 'the answer with its height' 0 '"height":"2".*"answer":"0"}' \
    "$TWVM" -d l view Club paid --at 2 --json
check 'a later one' 0 '"height":"3".*"answer":"1"}' "$TWVM" -d l view Club paid --at 3 --json
check 'without --at it stands alone' 0 '^"2"$' "$TWVM" -d l view Club paid --json

# ---- what cannot be ----
check 'no contract yet' 1 'the ledger has no contract yet' "$TWVM" -d l state Club --at 0
check 'no block yet' 1 'there is no block 11; the newest is 10' "$TWVM" -d l state Club --at 11
check 'no height' 2 'no height of a block, and no time' "$TWVM" -d l state Club --at soon
check 'too high' 2 'is no height of a block' "$TWVM" -d l state Club --at 99999999999999999999999
check 'nothing is called in the past' 2 '--at is no option of call' \
    "$TWVM" -d l call Club visit --as alice --at 3
check 'and the present is as it was' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
