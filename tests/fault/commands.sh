#!/bin/sh
# commands -- `snapshot save`, `snapshot load`, `backup`, `prune` and `rollback` on a disk that
# fails.
#
#   commands.sh SHIM [EACH]     one in EACH (12) of the calls that change a file fails, by EIO or
#                               ENOSPC; the shim is shim.c
#
# A command ends well, and what it made is whole; or with a sentence and status 1, and nothing has
# the name that was asked for. The ledger it read stands where it stood. After the two that change
# the ledger it is whole, at the block where they found it or to which they go, and they are done
# when tried again.
. "$ROOT/tests/e2e/lib.sh"

shim=$1
each=${2:-12}
area=$work/area
quietly='--insecure-keys'

"$TWVM" init base $quietly --start 2026-01-01 >/dev/null 2>&1
for i in 1 2 3; do
    "$TWVM" -d base deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice \
        --role sensor=gauge >/dev/null 2>&1
done
check 'a snapshot without the shim' 0 '' "$TWVM" -d base snapshot save base.snap
hash=$("$TWVM" -d base root | sed -n 's/^block *//p')
root=$("$TWVM" -d base root)

# attempt CALL AT HOW COMMAND...: in a fresh area, under the shim; its status in `code`.
attempt()
{
    rm -rf "$area"
    mkdir "$area"
    cp -r base "$area/l"
    cp base.snap "$area/"
    rm -f counts mark
    call=$1 at=$2 how=$3
    shift 3
    TWVM_SHIM_FOLDER=$area TWVM_SHIM_COUNTS=$work/counts TWVM_SHIM_MARK=$work/mark \
        TWVM_SHIM_CALL=$call TWVM_SHIM_AT=$at TWVM_SHIM_HOW=$how LD_PRELOAD=$shim \
        ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 \
        "$TWVM" "$@" >out.1 2>out.2 </dev/null
    code=$?
}

# made NAME: what the command was to make is there, and whole.
made()
{
    case $1 in
    save) cmp -s "$area/to" base.snap ;;
    load | backup)
        "$TWVM" -d "$area/to" fsck >fsck.out 2>&1 && test "$("$TWVM" -d "$area/to" root)" = "$root"
        ;;
    esac
}

# sweep NAME COMMAND...
sweep()
{
    name=$1
    shift
    attempt none 0 EIO "$@"
    test "$code" -eq 0 && made "$name"
    verdict $? "$name: under the shim it does what it does without"
    sed -n '/^sync /d; / 0$/d; p' counts >plan
    runs=0 well=0 refused=0 bad=0 turn=0
    while read -r called total; do
        n=$((1 + turn % each))
        while test "$n" -le "$total"; do
            test $((turn % 2)) -eq 0 && kind=EIO || kind=ENOSPC
            turn=$((turn + 1))
            attempt "$called" "$n" "$kind" "$@"
            runs=$((runs + 1))
            if test "$code" -eq 0 && made "$name"; then
                well=$((well + 1))
            elif test "$code" -eq 1 && test -s out.2 && test ! -e "$area/to" && test -e mark; then
                refused=$((refused + 1))
            else
                bad=$((bad + 1))
                printf '# %s number %d, %s: status %d: ' "$called" "$n" "$kind" "$code"
                head -n 1 out.2
            fi
            if test "$("$TWVM" -d "$area/l" root)" != "$root"; then
                bad=$((bad + 1))
                printf '# %s number %d, %s: the ledger is another one\n' "$called" "$n" "$kind"
            fi
            n=$((n + each))
        done
    done <plan
    printf '# %s: %d runs, %d ended well, %d with an error\n' "$name" "$runs" "$well" "$refused"
    test "$bad" -eq 0 && test "$refused" -gt 0
    verdict $? "$name: what is made is whole, or is not there"
}

# changes NAME ROOT COMMAND...: on the ledger in the area, to what `twvm root` says then.
changes()
{
    name=$1 after=$2
    shift 2
    attempt none 0 EIO "$@"
    test "$code" -eq 0 && test "$("$TWVM" -d "$area/l" root)" = "$after"
    verdict $? "$name: under the shim it does what it does without"
    sed -n '/^sync /d; / 0$/d; p' counts >plan
    runs=0 well=0 refused=0 bad=0 turn=0
    while read -r called total; do
        n=$((1 + turn % each))
        while test "$n" -le "$total"; do
            test $((turn % 2)) -eq 0 && kind=EIO || kind=ENOSPC
            turn=$((turn + 1))
            attempt "$called" "$n" "$kind" "$@"
            runs=$((runs + 1))
            stands=$("$TWVM" -d "$area/l" root)
            fine=1
            if test "$code" -eq 0 && test "$stands" = "$after"; then
                well=$((well + 1))
            elif test "$code" -eq 1 && test -s out.2 && test -e mark; then
                refused=$((refused + 1))
                test "$stands" = "$root" || test "$stands" = "$after" || fine=0
                test "$stands" = "$after" || "$TWVM" "$@" >again.out 2>&1 || fine=0
                test "$("$TWVM" -d "$area/l" root)" = "$after" || fine=0
            else
                fine=0
            fi
            "$TWVM" -d "$area/l" fsck >fsck.out 2>&1 || fine=0
            if test "$fine" -eq 0; then
                bad=$((bad + 1))
                printf '# %s number %d, %s: status %d: ' "$called" "$n" "$kind" "$code"
                head -n 1 out.2
            fi
            n=$((n + each))
        done
    done <plan
    printf '# %s: %d runs, %d ended well, %d with an error\n' "$name" "$runs" "$well" "$refused"
    test "$bad" -eq 0 && test "$refused" -gt 0
    verdict $? "$name: the ledger is whole, and it is done when tried again"
}

sweep save -d "$area/l" snapshot save "$area/to"
sweep load -d "$area/to" snapshot load "$area/base.snap" --block "$hash" --simulated $quietly
sweep backup -d "$area/l" backup "$area/to"
changes prune "$root" -d "$area/l" prune --retain 1
cp -r base earlier
"$TWVM" -d earlier rollback --yes >/dev/null 2>&1
changes rollback "$("$TWVM" -d earlier root)" -d "$area/l" rollback --yes
finish
