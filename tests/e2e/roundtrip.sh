#!/bin/sh
# roundtrip -- from an empty folder to a closed maintenance order, through every command.
. "${0%/*}/lib.sh"

t="$TWVM -d l"
start=1767225600 # 2026-01-01T00:00:00Z

check 'help lists the commands' 0 'feed .*readings' "$TWVM" --help
for command in test init key deploy call view feed state events history blocks root replay report \
    disasm; do
    check "$command explains itself" 0 "usage: twvm .*$command" "$TWVM" "$command" --help
done

check 'init makes a ledger' 0 'simulated clock from 2026-01-01T00:00:00Z' \
    "$TWVM" init l --insecure-keys --start 2026-01-01
check 'a key is made' 0 '^bob ' $t key new bob
same 'its file is for its owner alone' "$(ls -l l/keys/bob.key | cut -c 1-10)" '-rw-------'
check 'deploy, with keys that are made on the way' 0 'deployed PumpGuard at' \
    $t deploy "$ROOT/contracts/pump_guard.twc" --as alice --role owner=alice --role provider=bob \
    --role sensor=pump1 --param 'vib_alarm=7.2 mm/s'
check 'keys are listed' 0 '^pump1 ' $t key list
check 'twc build' 0 '' "$TWC" build "$ROOT/contracts/pump_guard.twc" -o pump.twm
check 'deploy of a compiled file, under a second name' 0 'deployed PumpGuard#2' \
    $t deploy pump.twm --as alice --role owner=alice --role provider=bob --role sensor=pump2
check 'state shows the parameter' 0 'vib_alarm = 7.2 mm/s' $t state PumpGuard
check 'and the phase' 0 'phase *Healthy' $t state PumpGuard

{ echo time,heat,vibration && series $start 10 72 '90.0,8.0'; } >hot.csv
check 'feed' 0 'MaintenanceRequested: 1' $t feed PumpGuard hot.csv --as pump1 --time time \
    --map heat=heat:°C --map vib=vibration:mm/s
check 'all readings are in' 0 '144 readings signed by pump1: 144 taken in, 0 refused' cat out
check 'the alarm is up' 0 'bearing_fault is up' $t state PumpGuard
check 'the event is told' 0 'MaintenanceRequested *peak: 8 mm/s, hottest: 90 °C' \
    $t events PumpGuard
check 'also as a table' 0 '^2026-01-01T00:1.*,PumpGuard,.*,event,MaintenanceRequested,"peak: 8 ' \
    $t events --csv
check 'also as JSON' 0 '"peak":{"value":"8000","text":"8 mm/s"}' $t events --json
check 'the alarm edge is told' 0 'alarm bearing_fault  raised' $t events --alarms
check 'the view gives the order' 0 '^Order(opened: .*peak: 8 mm/s, eta: none' \
    $t view PumpGuard status
check 'and as JSON' 0 '"eta":null' $t view PumpGuard status --json

check 'who is not the provider cannot accept' 1 'NotCaller' \
    $t call PumpGuard accept 'eta=now + 24 h' --as alice
check 'nor the provider too late' 1 'EtaTooLate(limit: 2026-01-0' \
    $t call PumpGuard accept 'eta=now + 73 h' --as bob
check 'the provider accepts' 0 'accept done' $t call PumpGuard accept 'eta=now + 24 h' --as bob
check 'but cannot close a vibrating pump' 1 'StillVibrating(now_at: 8 mm/s)' \
    $t call PumpGuard close 'report=hash(r1)' part=BRG-6205 --as bob
{ echo time,heat,vibration && series $((start + 720)) 10 190 '40.0,2.0'; } >cool.csv
check 'the pump runs quietly' 0 'cleared 1' $t feed PumpGuard cool.csv --as pump1 --time time \
    --map heat=heat:°C --map vib=vibration:mm/s
check 'the provider closes the order' 0 'history Service: part: "BRG-6205"' \
    $t call PumpGuard close 'report=hash(r1)' part=BRG-6205 --as bob
check 'it stands in the history' 0 'Service  part: "BRG-6205".*peak: 8 mm/s' $t history PumpGuard
check 'the pump is healthy' 0 'phase *Healthy' $t state PumpGuard
check 'there is no order any more' 0 '^none$' $t view PumpGuard status
check 'the failed calls are told' 0 'failed accept  NotCaller' $t events --failed

check 'a sensor is replaced' 0 'replace_sensor done' \
    $t call PumpGuard replace_sensor old=pump1 new=pump2 --as alice
check 'the old one is in no role any more' 1 'pump1 is in no role of PumpGuard' \
    $t feed PumpGuard cool.csv --as pump1 --time time --map heat=heat:°C
check 'blocks are listed' 0 'transactions' $t blocks --limit 5
check 'a block is told' 0 'deploy' $t blocks 1
check 'time passes without readings' 0 'retire done at 2026-01-03' \
    $t call PumpGuard#2 retire --as alice --time 2026-01-03
check 'and silence is noticed at its time' 0 '^2026-01-01T00:15:00Z .*SensorSilent  field: "vib"' \
    $t events PumpGuard#2
check 'replay agrees' 0 'every root and receipt agrees' $t replay
for threads in 1 2 4 8; do
    check "replay agrees with $threads threads" 0 'every root and receipt agrees' \
        $t replay --threads $threads
done
check 'replay with no thread' 2 'whole number from 1 to 64' $t replay --threads 0
check 'replay into another folder' 0 'agrees' $t replay --to copy
same 'which then has the same root' "$(root_of l)" "$(root_of copy)"
check 'a report' 0 '' $t report PumpGuard --out page.html
check 'which is one whole page' 0 '</html>' cat page.html
check 'without anything from elsewhere' 1 '' grep -E 'src=|href=|url\(' page.html
# several devices in one table, each to its own contract, side by side through time
"$TWVM" init two --insecure-keys --start 2026-01-01 >/dev/null
for tank in a b; do
    check "tank $tank" 0 "deployed tank-$tank" \
        "$TWVM" -d two deploy "$ROOT/contracts/tank_guard.twc" --as alice --name "tank-$tank" \
        --role owner=alice --role "sensor=gauge-$tank"
done
{ echo tank,n,level && for tank in b a; do
    awk -v t="$tank" 'BEGIN {
        for (i = 1; i <= 600; i++) print t "," i "," (t == "a" ? 1700 : 1900) }'
done; } >tanks.csv
check 'two devices of one table' 0 'tank-b: .*600 taken in, 0 refused' \
    "$TWVM" -d two feed 'tank-{}' tanks.csv --as 'gauge-{}' --by tank --time 'n*1s' \
    --map level=level:mm
check 'both are in whole' 0 'tank-a: .*600 taken in, 0 refused' cat out
check 'one of them is too full' 0 'Overfull *depth: 1900 mm' "$TWVM" -d two events tank-b
same 'the other one is not' "$("$TWVM" -d two events tank-a)" ''

# on the wall clock
"$TWVM" init wall --insecure-keys >/dev/null
check 'a ledger on the wall clock' 0 'deployed TankGuard' \
    "$TWVM" -d wall deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice \
    --role sensor=gauge
{ echo time,level && series "$(($(date +%s) - 20))" 1 10 1500; } >now.csv
check 'takes what was measured just now' 0 '10 taken in, 0 refused' \
    "$TWVM" -d wall feed TankGuard now.csv --as gauge --time time --map level=level:mm
{ echo time,level && series "$(($(date +%s) + 1000))" 1 10 1500; } >soon.csv
check 'and nothing from the future' 1 'soon.csv:2 to 11: the pack is refused: InFuture' \
    "$TWVM" -d wall feed TankGuard soon.csv --as gauge --time time --map level=level:mm

check 'machine code' 0 'StillVibrating' "$TWVM" disasm pump.twm
check 'the tests of the contract' 0 '2 passed, 0 failed' \
    "$TWVM" test "$ROOT/contracts/pump_guard.twc"
check 'and as JSON' 0 '"passed":true' "$TWVM" test --json "$ROOT/contracts/pump_guard.twc"
finish
