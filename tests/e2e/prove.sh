#!/bin/sh
# prove -- facts of a ledger in files that a person without the ledger checks: what is there, what
# is not, balances, code, the whole history of an asset over an upgrade; and files that lie.
. "${0%/*}/lib.sh"

t="$TWVM -d l"

# contract_of VERSION REST: history kinds stand in another order in each version
contract_of()
{
    cat <<END
contract Shop version $1 {
  role owner
  role fitter max 3
  currency EUR decimals 2
  asset Machine { serial: text(12), hours: duration }
  registry machines : Machine by serial max 8
  map scores : text(12) -> length max 8
  var level : length = 1.5 m
  purse till : EUR falls to owner after 300 days
  phases Open -> Shut
  action make(serial: text(12)) by owner {
    create Machine(serial: serial, hours: 0 h) in machines owned by caller
  }
  action score(name: text(12), height: length) by owner { scores[name] = height }
  action pay() by anyone receives 12.50 EUR into till { }
  action out() by owner { pay rest of till to caller }
  action close() by owner { go Shut }
  $2
}
END
}
upgrade='upgrade signed by 1 of owner'
work='action work(serial: text(12), ran: duration) by fitter {
    machines[serial].hours += ran'
{ contract_of 1 "$work history Serviced(ran: ran) of machines[serial] }
  action look() by owner { history Looked() }
  $upgrade"; } >one.twc
{ contract_of 1 "$work history Serviced(ran: ran) of machines[serial] }
  action look() by owner { history Looked() }
  $upgrade"
    contract_of 2 "$work history Looked() history Checked(level: level) of machines[serial] }
  action look() by owner { history Looked() }
  $upgrade
  migrate from 1 { }"; } >two.twc

"$TWVM" init l --start 2026-01-01 --asset 'EUR 2 ann=100.00' >out
check 'a contract is deployed' 0 'deployed Shop' $t deploy one.twc --as ann --role owner=ann \
    --role fitter=ben
for serial in M-1 M-2 M-3; do $t call Shop make $serial --as ann >>out; done
$t call Shop score zoe '7.25 m' --as ann >>out
$t call Shop pay --as ann --spend '12.50 EUR' >>out
for hours in 1 2 3; do
    $t call Shop work M-1 "$hours h" --as ben --time "2026-01-0$((hours + 1))" >>out
done
$t call Shop work M-2 '5 h' --as ben >>out
$t call Shop look --as ann >>out
mkdir empty

block_of() { sed -n 's/^  block  *//p' out; }

# proved FILE WHAT...: makes the proof, with its block in $block and its root in $root
proved()
{
    file=empty/$1
    shift
    check "prove $*" 0 "wrote $file" $t prove "$@" -o "$file"
    block=$(block_of)
    root=$(root_of l)
}

# shows PATTERN: the file holds in a folder without a ledger, by its block
shows()
{
    check "it shows $1" 0 "$1" "$TWVM" verify "$file" --block "$block"
}

# --- what is there ---

proved var.tw state Shop level
shows '^  value  *1500 mm$'
check 'also by the root alone, with a warning' 0 'what the maker of the file says' \
    "$TWVM" verify "$file" --root "$root"
check 'by both' 0 'the proof holds$' "$TWVM" verify "$file" --root "$root" --block "$block"
check 'as JSON' 0 '"value":{"value":"1500000","text":"1500 mm"}' \
    "$TWVM" --json verify "$file" --block "$block"
same 'which says that the block is checked' \
    "$(grep -c '"holds":true.*"block_checked":true' out)" 1
proved map.tw state Shop 'scores[zoe]'
shows '^  value  *7250 mm$'
shows '^  of  *"zoe"$'
proved phase.tw state Shop phase
shows '^  value  *Open$'
proved thing.tw state Shop 'machines["M-1"]'
shows '^  entries  *3$'
proved count.tw state Shop machines
shows '^  keys  *3$'
proved purse.tw state Shop till
shows '^  amount  *12.50 EUR$'
proved member.tw state Shop fitter ben
shows '^  found  *true$'
proved balance.tw balance EUR ann
shows '^  amount  *87.50 EUR$'
proved code.tw code Shop
shows "^  code  *[0-9a-f]\{64\}$"

# --- what is not there ---

proved nobody.tw state Shop 'scores[bob]'
shows '^  found  *false$'
proved stranger.tw state Shop fitter ann
shows '^  found  *false$'
proved poor.tw balance EUR ben
shows '^  found  *false$'
proved raw.tw --key 10ffff
shows '^  found  *false$'

# --- without the code in the file ---

proved bare.tw state Shop level --no-code
shows '^  bytes  *01000000000016e360$'
check 'with the code given beside it' 0 '^  value  *1500 mm$' \
    "$TWVM" verify "$file" --block "$block" --module one.twc
check 'other code is refused' 1 'is not the code of the contract' \
    "$TWVM" verify "$file" --block "$block" --module two.twc
differs 'and the file is smaller' "$(wc -c <empty/bare.tw)" "$(wc -c <empty/var.tw)"
check 'ICS-23, for other verifiers' 0 'wrote empty/ics' $t prove state Shop level --ics23 \
    -o empty/ics
check 'which is another file' 1 'is no proof that twvm made' \
    "$TWVM" verify empty/ics --block "$block"

# --- the whole life of an asset, over an upgrade ---

$t upgrade Shop two.twc --as ann >>out
check 'version 2 is there' 0 '"version":2' $t --json state Shop
$t call Shop work M-1 '4 h' --as ben --time 2026-02-01 >>out
check 'the history of one machine' 0 'wrote empty/life.tw' \
    $t history Shop --of 'machines[M-1]' --prove -o empty/life.tw
block=$(block_of)
root=$(root_of l)
file=empty/life.tw
shows 'all 4 entries, none missing'
shows '2026-01-03T00:00:00Z  *Serviced .*ran: 2 h'
shows '2026-02-01T00:00:00Z  *Checked .*level: 1500 mm'
check 'one kind' 0 'Checked' "$TWVM" verify "$file" --block "$block" --kind Checked
same 'has only its entries' "$(grep -c '  by ' out)" 1
check 'from a time to another' 0 'ran: 2 h' "$TWVM" verify "$file" --block "$block" \
    --from 2026-01-03 --to 2026-01-04
same 'has only what lies between' "$(grep -c '  by ' out)" 1
check 'in JSON' 0 '"number":"3"' "$TWVM" --json verify "$file" --block "$block"
check 'the written history says the same' 0 'Serviced' $t history Shop --of 'machines[M-1]'
same 'in as many lines' "$(grep -c 'of machines' out)" 4
check 'the form with a colon stays' 0 'Serviced' $t history Shop --of machines:M-1
check 'a machine without entries' 0 'wrote' \
    $t history Shop --of machines:M-3 --prove -o empty/none.tw
file=empty/none.tw
shows 'all 0 entries'
check "the contract's own history" 0 'wrote' $t history Shop --prove -o empty/own.tw
file=empty/own.tw
shows 'all 2 entries'
shows 'Looked'
check 'a filter and a proof of all do not go together' 2 'leave --kind to verify' \
    $t history Shop --prove --kind Looked -o empty/x

# --- the past ---

check 'the state as it was' 0 '^  height  *3$' \
    $t prove state Shop 'scores[zoe]' --at 3 -o empty/old.tw
file=empty/old.tw
block=$(block_of)
shows '^  found  *false$'
check 'a history as it was' 0 'wrote' \
    $t history Shop --of 'machines[M-1]' --prove --at 2026-01-03T12:00 -o empty/old.tw
block=$(block_of)
shows 'all 2 entries'
check 'ICS-23 of the past' 0 '^  height  *3$' $t prove state Shop level --at 3 --ics23 -o empty/ics
check 'a block that is not there' 1 'there is no block 999' $t prove state Shop level --at 999 -o x

# --- files that lie ---

check 'another root is refused' 1 'against another state root' "$TWVM" verify empty/var.tw \
    --root "$root"
check 'another block is refused' 1 'of another block' "$TWVM" verify empty/var.tw \
    --block "$root"
size=$(wc -c <empty/life.tw)
passed=0
at=0
while test "$at" -lt "$size"; do
    cp empty/life.tw bad.tw
    byte=$(od -An -tu1 -j "$at" -N 1 bad.tw | tr -d ' ')
    printf "\\$(printf %o $((byte ^ 1)))" | dd of=bad.tw bs=1 seek="$at" conv=notrunc 2>dd.err
    "$TWVM" verify bad.tw --root "$root" >bad.out 2>&1 && passed=$((passed + 1))
    at=$((at + size / 40))
done
same 'a byte changed in 40 places, and none passed' "$passed" 0
head -c $((size - 1)) empty/life.tw >bad.tw
check 'a file cut short' 1 'is no proof' "$TWVM" verify bad.tw --root "$root"
: >bad.tw
check 'an empty file' 1 'is no proof' "$TWVM" verify bad.tw --root "$root"

# --- command lines that are not understood ---

check 'against nothing' 2 'against --root HEX or --block HASH' "$TWVM" verify empty/var.tw
check 'a root of too few digits' 2 'is not 64 hex digits' "$TWVM" verify empty/var.tw --root ab
check 'no file to write' 2 'say with -o' $t prove state Shop level
check 'what is proved must be named' 2 'prove state CONTRACT' $t prove level -o x
check 'a name that is not there' 1 'there are: phase' $t prove state Shop depth -o x
check 'a role that is not there' 1 'has no role' $t prove state Shop cook ann -o x
check 'an account that nobody has' 1 'no key has this name' $t prove state Shop owner eve -o x
check 'a key in a var' 1 'level is a var' $t prove state Shop 'level[2]' -o x
check 'a bracket that is not closed' 2 'write NAME or NAME' $t prove state Shop 'scores[zoe' -o x
check 'a file that cannot be written' 1 'cannot be written' $t prove state Shop level -o no/x
check 'a raw key that is none' 2 'in hex' $t prove --key xyz -o x
finish
