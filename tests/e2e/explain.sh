#!/bin/sh
# explain -- a contract told in sentences and drawn, held against the pages kept in tests/golden.
# BLESS=1 writes them anew: read the difference before it is committed.
. "${0%/*}/lib.sh"
golden=$ROOT/tests/golden

page() # page TITLE FILE COMMAND...
{
    title=$1 kept=$golden/$2
    shift 2
    "$@" >page 2>page.err
    code=$?
    if test -n "${BLESS:-}"; then cp page "$kept"; fi
    test "$code" -eq 0 && cmp -s page "$kept"
    verdict $? "$title"
    test "$code" -eq 0 && diff "$kept" page | head -n 20 | sed 's/^/# /'
}

page 'a contract in sentences' pump_guard.explain "$TWC" explain "$ROOT/contracts/pump_guard.twc"
page 'one with money and time-outs' service_escrow.explain \
    "$TWC" explain "$ROOT/contracts/service_escrow.twc"
page 'one with a token, purses of members and an upgrade' data_reward.explain \
    "$TWC" explain "$ROOT/contracts/data_reward.twc"
page 'one with things' vehicle_passport.explain \
    "$TWC" explain "$ROOT/contracts/vehicle_passport.twc"
page 'its phases as a picture' pump_guard.svg "$TWC" explain --svg "$ROOT/contracts/pump_guard.twc"
page 'its phases for Graphviz' pump_guard.dot "$TWC" explain --dot "$ROOT/contracts/pump_guard.twc"
hash=$(sed -n 's/.*about the module \([0-9a-f]*\)\./\1/p' "$golden/pump_guard.explain")
check 'the module it speaks of is the one of the source' 0 ', the same' \
    "$TWC" verify "$ROOT/contracts/pump_guard.twc" "$hash"
check 'a message is explained too' 0 'E0104' "$TWC" explain E0104
check 'a code that is none' 1 'no message has the code' "$TWC" explain E9999
printf 'contract X version 1 { role r action a() by q {} }\n' >broken.twc
check 'a source with an error' 1 'there is no role `q`' "$TWC" explain broken.twc
check 'nothing' 2 'give a file, or one code' "$TWC" explain
finish
