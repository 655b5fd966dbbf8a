#!/bin/sh
# starved -- the commands of twvm on a host that is out of memory for a moment.
#
#   starved.sh STARVED [EACH]   one in EACH (16) of the calls that a command makes to memory gives
#                               nothing; STARVED is the program of starve.c
#
# A command ends well, or with a sentence and status 1; what it was to make is whole or not there,
# the ledger is whole, and the same command is then done.
. "$ROOT/tests/e2e/lib.sh"

starved=$1
each=${2:-16}
turn=0

cat >shop.twc <<'END'
contract Shop version 1 {
  role owner
  role sensor
  reading level : length from sensor field "level"
    range -1 m .. 10 m rate 10 per 1 s keep 16 max_age 1 h
  asset Machine { serial: text(12), hours: duration }
  registry machines : Machine by serial max 8
  map scores : text(12) -> length max 8
  var turns : int = 0
  every 1 h { turns += 1 history Turned(turns: turns) }
  action make(serial: text(12)) by owner {
    create Machine(serial: serial, hours: 0 h) in machines owned by caller
  }
  action score(name: text(12), height: length) by owner { scores[name] = height }
  view best(name: text(12)) -> length { return scores[name] }
}
END
{
    printf 'time,level\n'
    for i in 1 2 3 4 5 6; do printf '2026-01-02T00:00:0%dZ,1.%d\n' "$i" "$i"; done
} >level.csv

"$TWVM" init base --insecure-keys --start 2026-01-01 >out 2>&1
check 'a ledger to work on' 0 'deployed Shop' "$TWVM" -d base deploy shop.twc --as ann \
    --role owner=ann --role sensor=gauge
"$TWVM" -d base call Shop make M-1 --as ann >>out 2>&1
"$TWVM" -d base call Shop score zoe '7.25 m' --as ann --time 2026-01-01T05:00:00Z >>out 2>&1
check 'a proof of it' 0 'wrote' "$TWVM" -d base prove state Shop 'scores[zoe]' -o zoe.proof
"$TWVM" -d base snapshot save base.snap >>out 2>&1
block=$("$TWVM" -d base root | sed -n 's/^block *//p')
root=$(root_of base)

# attempt AT COMMAND...: its status in `code`; mark is there when the call came
attempt()
{
    rm -f mark
    at=$1
    shift
    TWVM_STARVE_AT=$at TWVM_STARVE_MARK=$work/mark "$starved" "$@" >out.1 2>out.2 </dev/null
    code=$?
}

fresh()
{
    rm -rf l made
    cp -r base l
}

# sweep NAME COMMAND...: the ledger is l, what is made is `made`
sweep()
{
    name=$1
    shift
    turn=$((turn + 1))
    n=$((1 + turn % each)) runs=0 told=0 bad=0
    fresh
    while
        rm -rf made
        attempt "$n" "$@"
        runs=$((runs + 1))
        if test "$code" -eq 1 && test -s out.2 && test -e mark && test ! -e made; then
            told=$((told + 1))
        elif test "$code" -ne 0; then
            bad=$((bad + 1))
            printf '# %s, call %d: status %d: ' "$name" "$n" "$code"
            head -n 1 out.2
        else
            fresh
        fi
        test -e mark && test "$bad" -lt 3
    do
        n=$((n + each))
    done
    fresh
    attempt 0 "$@"
    test "$bad" -eq 0 && test "$told" -gt 0 && test "$code" -eq 0
    verdict $? "$name: $runs runs, $told told"
}

# after a step that may have written: whole, and at a block that a run may come to
whole()
{
    check "after $1 the ledger is whole" 0 'whole' "$TWVM" -d l fsck
}

sweep deploy -d l deploy shop.twc --as ann --role owner=ann --role sensor=gauge
whole deploy
sweep call -d l call Shop score amy '1.5 m' --as ann
whole call
sweep feed -d l feed Shop level.csv --as gauge --map level=level:m --time time
whole feed
sweep view -d l view Shop best zoe
sweep state -d l state Shop
sweep history -d l history Shop
sweep prove -d l prove state Shop 'scores[zoe]' -o made
sweep fsck -d l fsck
sweep prune -d l prune --retain 1
whole prune
sweep rollback -d l rollback --yes
whole rollback
sweep 'snapshot save' -d l snapshot save made
sweep 'snapshot load' -d made snapshot load base.snap --block "$block" --simulated --insecure-keys
each=1 # there are few
sweep verify verify zoe.proof --root "$root"
sweep 'key new' -d l key new bob
sweep 'key list' -d l key list
finish
