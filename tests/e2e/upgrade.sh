#!/bin/sh
# upgrade -- a contract gets another version: consent, waiting, what stays, how the past is told.
. "${0%/*}/lib.sh"

t="$TWVM -d l"

version_1() # version_1 CLAUSE
{
    cat <<END
contract Tally version 1 {
  role owner
  role keeper max 3
  param most : int = 10 in 1 .. 100
  phases Open -> Shut -> Open
  var total : int = 0
  var latest : int = 0
  map scores : text(12) -> int max 8
  event Added(n: int)
  action add(n: int) by owner in Open needs n <= most {
    total += n
    latest = n
    history Added(n: n)
    emit Added(n: n)
  }
  action score(name: text(12), n: int) by owner in Open { scores[name] = n }
  action shut() by owner in Open { go Shut }
  action reopen() by owner in Shut { go Open }
  view at(name: text(12)) -> int { return scores[name] }
  view newest() -> int { return latest }
  $1
}
END
}

# version_2 CLAUSE: events and phases stand in another order, so old receipts would be misread
version_2()
{
    cat <<END
contract Tally version 2 {
  role owner
  role keeper max 3
  param most : int = 10 in 1 .. 100
  phases Shut -> Open -> Shut
  var twice : int = 0
  var total : int = 0
  map scores : text(12) -> int max 8
  event Emptied()
  event Added(n: int, total: int)
  action add(n: int) by owner in Open needs n <= most {
    total += n
    twice += 2 * n
    emit Added(n: n, total: total)
  }
  action empty() by owner { total = 0 twice = 0 emit Emptied() }
  action shut() by owner in Open { go Shut }
  action reopen() by owner in Shut { go Open }
  view at(name: text(12)) -> int { return scores[name] }
  view doubled() -> int { return twice }
  invariant even: twice == 2 * total
  upgrade after 1 days signed by 2 of keeper
  $1
}
END
}

version_1 'upgrade after 1 days signed by 2 of keeper' >one.twc
{ version_1 'upgrade after 1 days signed by 2 of keeper' && version_2 \
    'migrate from 1 { twice = 2 * old.total }'; } >two.twc
{ version_1 'upgrade after 1 days signed by 2 of keeper' && version_2 \
    'migrate from 1 { twice = old.total }'; } >odd.twc
version_2 '' >new_var.twc
sed 's/Tally/Other/' one.twc >other.twc

"$TWVM" init l --insecure-keys --start 2026-01-01 >out
for key in ann ben cid; do $t key new $key >out; done
check 'version 1 is deployed' 0 'deployed Tally' $t deploy one.twc --as alice --role owner=alice \
    --role keeper=ann,ben,cid --param most=20
check 'it counts' 0 'add done' $t call Tally add 12 --as alice
check 'and keeps scores' 0 'score done' $t call Tally score zoe 7 --as alice

check 'the command explains itself' 0 'the first call is the consent' "$TWVM" upgrade --help
check 'who signs must be said' 2 'say who signs' $t upgrade Tally two.twc
check 'one keeper is not enough' 1 'signed by 2 of keeper: --as' $t upgrade Tally two.twc --as ann
check 'another contract is none of its versions' 1 'the module is Other' \
    $t upgrade Tally other.twc --as ann,ben
check 'the same version is no upgrade' 1 'give it a higher one' \
    $t upgrade Tally one.twc --as ann,ben
check 'a new var needs a migration' 1 'var twice is new: write migrate from 1' \
    $t upgrade Tally new_var.twc --as ann,ben
check 'the first call is the consent' 0 'consent to version 2 of Tally at 2026-01-01' \
    $t upgrade Tally two.twc --as ann,ben
check 'which the state shows' 0 'upgrade *consent to the module' $t state Tally
check 'until the day is over it is too early' 1 'may be done from 2026-01-02T00:00:00Z on' \
    $t upgrade Tally two.twc --as ben,cid --time 2026-01-01T23:59
check 'version 1 still runs' 0 '^Tally: Tally version 1' $t state Tally
check 'a migration that breaks an invariant: consent' 0 'consent to version 2' \
    $t upgrade Tally odd.twc --as ann,cid --time 2026-01-02
check 'and its failure' 1 'the invariant even would not hold' \
    $t upgrade Tally odd.twc --as ann,cid --time 2026-01-03
check 'after which all is as before' 0 '^Tally: Tally version 1' $t state Tally
check 'its failure is told' 0 'failed transaction *an invariant' $t events --failed
check 'the consent to the other counts no more' 0 'consent to version 2' \
    $t upgrade Tally two.twc --as ann,cid --time 2026-01-03
check 'a day later it is done' 0 'upgraded Tally from version 1 to 2 at 2026-01-04' \
    $t upgrade Tally two.twc --as cid,ben --time 2026-01-04
check 'version 2 runs' 0 '^Tally: Tally version 2' $t state Tally
check 'in the phase that held' 0 'phase *Open since 2026-01-01T00:00:00Z' $t state Tally
check 'with the count' 0 'var *total = 12' $t state Tally
check 'the new count' 0 '^24$' $t view Tally doubled
check 'the scores' 0 '^7$' $t view Tally at zoe
check 'the param as it was set' 0 'most = 20' $t state Tally
check 'and without what it has no more' 1 'no view newest' $t view Tally newest
check 'its actions are the new ones' 0 'event Added: n: 3, total: 15' $t call Tally add 3 --as alice
check 'old events are told in their own words' 0 'Added *n: 12$' $t events Tally
check 'old history too' 0 'Added *n: 12$' $t history Tally
check 'the JSON says where it stands' 0 '"version":2' $t state Tally --json
check 'all blocks replay' 0 'every root and receipt agrees' $t replay
# A registry that a version drops and a later one brings back holds other things, same keys or not.
cat >depot1.twc <<'END'
contract Depot version 1 {
  role owner
  asset Part { serial: text(12), runs: int }
  registry parts : Part by serial max 6
  var seen : int = 0
  action make(serial: text(12)) by owner {
    create Part(serial: serial, runs: 0) in parts owned by caller
  }
  action log(serial: text(12), n: int) by owner { history Check(n: n) of parts[serial] }
  upgrade signed by 1 of owner
}
END
cat >depot2.twc <<'END'
contract Depot version 2 {
  role owner
  var seen : int = 0
  action look() by owner { seen += 1 }
  upgrade signed by 1 of owner
}
END
sed 's/version 1/version 3/' depot1.twc >depot3.twc
check 'a contract with things' 0 'deployed Depot' $t deploy depot1.twc --as alice --role owner=alice
check 'a thing' 0 'make done' $t call Depot make P-1 --as alice
check 'another' 0 'make done' $t call Depot make P-2 --as alice
for n in 11 12 13; do check "entry $n" 0 'log done' $t call Depot log P-1 $n --as alice; done
check 'and one of the other' 0 'log done' $t call Depot log P-2 21 --as alice
last=$($t root | sed -n 's/^height *//p') first=$(root_of l)
check 'its registry goes' 0 'to 2' $t upgrade Depot depot2.twc --as alice
check 'and comes back' 0 'to 3' $t upgrade Depot depot3.twc --as alice
check 'the thing is made anew' 0 'make done' $t call Depot make P-1 --as alice
for n in 31 32; do check "entry $n" 0 'log done' $t call Depot log P-1 $n --as alice; done
check 'its history is proved' 0 'wrote new.proof' \
    $t history Depot --of 'parts[P-1]' --prove -o new.proof
check 'and holds' 0 '32' "$TWVM" verify new.proof --root "$(root_of l)"
check 'with its own entries alone' 0 'n: 31' $t history Depot --of 'parts[P-1]'
same 'two of them' "$(grep -c 'Check' out)" 2
check 'the newest' 0 'n: 32' $t history Depot --of 'parts[P-1]' --limit 1
same 'alone' "$(grep -c 'Check' out)" 1
check 'of a thing that is no more nothing is proved' 1 'no thing of this key' \
    $t history Depot --of 'parts[P-2]' --prove -o old.proof
check 'what the blocks have of it is told' 0 'n: 21' $t history Depot --of 'parts[P-2]'
check 'all that was written is told' 0 'n: 13' $t history Depot
check 'at its time the first one is proved' 0 'wrote first.proof' \
    $t history Depot --of 'parts[P-1]' --at "$last" --prove -o first.proof
check 'and holds too' 0 'n: 13' "$TWVM" verify first.proof --root "$first"
finish
