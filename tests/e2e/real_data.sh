#!/bin/sh
# real_data -- recordings of others through `feed`: what is wrong with them is refused, counted and
# survived; what a rule finds is held against what is known of them.
#
# TWVM_TEST_DATA names a folder with nab/machine_temperature_system_failure.csv (the Numenta Anomaly
# Benchmark) and hydraulic/TS1.txt, profile.txt (UCI 447); what is not there is skipped.
. "${0%/*}/lib.sh"

data=${TWVM_TEST_DATA:-}
test -n "$data" || skip_all 'TWVM_TEST_DATA names no folder of recordings'
nab=$data/nab/machine_temperature_system_failure.csv
rig=$data/hydraulic
test -f "$nab" || test -f "$rig/TS1.txt" || skip_all 'no recordings are there'

# --- a machine's temperature every five minutes, with an hour that comes twice ---

if test -f "$nab"; then
    cat >machine.twc <<'TWC'
contract Machine version 1 {
  role owner
  role sensor
  reading heat : temperature from sensor field "value"
    range -40 °C .. 200 °C rate 1 per 1 min keep 60 max_age 10 min
  alarm hot
    raise when heat above 104 °C
    clear when heat below 90 °C for 2 h
  phases Normal -> Hot -> Normal
  event TooHot(at: time)
  event Normal_again(at: time)
  on hot raised in Normal { emit TooHot(at: now) go Hot }
  on hot cleared in Hot { emit Normal_again(at: now) go Normal }
  on heat silent for 1 h { }
  action replace(old: account, new: account) by owner { revoke sensor from old grant sensor to new }
}
TWC
    "$TWVM" init nab --insecure-keys --start 2013-12-02 >/dev/null
    "$TWVM" -d nab deploy machine.twc --as o --role owner=o --role sensor=m >/dev/null 2>&1
    check 'finer than a millikelvin is refused' 1 'finer than the resolution.*--round' \
        "$TWVM" -d nab feed Machine "$nab" --as m --time timestamp --map heat=value:°C
    check 'rounded it goes through' 0 '"readings":"22695"' \
        "$TWVM" -d nab feed Machine "$nab" --as m --time timestamp --map heat=value:°C --round \
        --json
    cp out.1 fed.json
    # what must be refused, by the rule of the language, from the file alone
    awk -F, 'NR > 1 {
        if ($1 < last) back++
        else if ($1 == last) rate++
        else { taken++; last = $1 }
    } END { printf "%d %d %d\n", taken, back, rate }' "$nab" >wanted
    read -r taken back rate <wanted
    check "the $back readings of the jump back are refused" 0 "\"time goes back\":\"$back\"" \
        cat fed.json
    check "the $rate with a time that was there is refused" 0 "\"more than rate\":\"$rate\"" \
        cat fed.json
    check "the other $taken are in" 0 "\"accepted\":\"$taken\"" cat fed.json
    check 'nothing else is refused' 1 '' grep -e 'out of range' -e 'older' fed.json
    check 'replay agrees' 0 'every root and receipt agrees' "$TWVM" -d nab replay
fi

# --- a hydraulic rig: 2,205 cycles of a minute, the state of its cooler known for each ---

if test -f "$rig/TS1.txt" && test -f "$rig/profile.txt"; then
    { echo n,oil && tr -s '\t \r' '\n' <"$rig/TS1.txt" | awk 'NF { print n++ "," $1 }'; } >oil.csv
    "$TWVM" init rig --insecure-keys --start 2026-01-01 >/dev/null
    "$TWVM" -d rig deploy "$ROOT/contracts/cooler_guard.twc" --as o --role owner=o --role sensor=m \
        >/dev/null 2>&1
    check '132,300 readings of a hydraulic rig' 0 '132,300 taken in, 0 refused' \
        "$TWVM" -d rig feed CoolerGuard oil.csv --as m --time 'n*1s' --map oil=oil:°C --round
    # the last cycle ends after the last reading
    "$TWVM" -d rig call CoolerGuard retire --as o --time 2026-01-02T12:45:01Z >/dev/null
    "$TWVM" -d rig events CoolerGuard --kind Minute --csv | tail -n +2 |
        sed 's/.*state: \([A-Za-z]*\),.*/\1/' >found
    awk '{ print $1 == 3 ? "Failing" : $1 == 20 ? "Reduced" : "Full" }' "$rig/profile.txt" >known
    same 'every cycle is judged' "$(wc -l <found)" "$(wc -l <known)"
    right=$(paste found known | awk '$1 == $2' | wc -l)
    test "$right" -ge 2150
    verdict $? "the state of the cooler is right in $right of $(wc -l <known) cycles"
    check 'replay agrees' 0 'every root and receipt agrees' "$TWVM" -d rig replay
fi
finish
