#!/bin/sh
# snapshot -- a ledger's state as a file and a ledger from it, copies of folders, and what happens
# when the disk is nearly full, the folder is damaged or in use.
. "${0%/*}/lib.sh"

cat >counter.twc <<'TWC'
contract Counter version 1 {
  role owner
  var total : int = 0
  event Added(n: int)
  action add(n: int) by owner {
    total += n
    emit Added(n: n)
    history Step(n: n)
  }
  every 1 day { total += 100 }
  view all() -> int { return total }
}
TWC
"$TWVM" init l --start 2026-01-01 --asset 'EUR 2 alice=1_000.00' --insecure-keys >out 2>&1 || exit 1
deploy() # deploy LEDGER DAY [OPTION...]
{
    ledger=$1 day=$2
    shift 2
    "$TWVM" -d "$ledger" deploy counter.twc --as alice --role owner=alice --time "2026-01-$day" "$@"
}
add() # add LEDGER DAY
{
    "$TWVM" -d "$1" call Counter add n="$2" --as alice --time "2026-01-$2"
}
check 'a contract' 0 '' deploy l 02
for day in 03 04 05; do check "add on day $day" 0 'done' add l "$day"; done
height=$("$TWVM" -d l root | sed -n 's/^height *//p')
block=$("$TWVM" -d l root | sed -n 's/^block *//p')
root=$(root_of l)
view_then=$("$TWVM" -d l view Counter all)

# ---- save ----
check 'the state is written down' 0 "block $height, .* keys in 1 chunk" \
    "$TWVM" -d l snapshot save state.snap
grep -q "$block" out && grep -q "$root" out
verdict $? 'with the hash and the root to give along'
check 'as JSON' 0 "^{\"file\":\"json.snap\",.*\"height\":\"$height\",.*\"root\":\"$root\"}" \
    "$TWVM" -d l snapshot save json.snap --json
check 'the same bytes' 0 '' cmp state.snap json.snap
for day in 06 07; do check "add on day $day" 0 'done' add l "$day"; done
check 'of an earlier block' 0 "block $height, " "$TWVM" -d l snapshot save at.snap --at "$height"
check 'the same bytes' 0 '' cmp state.snap at.snap
check 'by a time' 0 "block $height, " "$TWVM" -d l snapshot save time.snap --at 2026-01-05T00:00:00Z
check 'the same bytes' 0 '' cmp state.snap time.snap
check 'from a ledger that was replayed' 0 'agrees' "$TWVM" -d l replay --to r
check 'which is on the disk: its newest block is noted' 0 '' cmp l/store/LANDMARK r/store/LANDMARK
check 'not over something' 1 'r is there already' "$TWVM" -d l replay --to r
test ! -e r.unfinished
verdict $? 'and nothing is left over'
mkdir -p l/replay-99 l/replay-1x && echo old >l/replay-99/CURRENT && echo mine >l/replay-1x/file
check 'a replay that is not kept' 0 'agrees' "$TWVM" -d l replay
test ! -e l/replay-99 && test -e l/replay-1x/file
verdict $? 'takes away what one that was killed has left, and nothing else'
rm -r l/replay-1x
check 'the same state' 0 "block $height, " "$TWVM" -d r snapshot save replayed.snap --at "$height"
check 'the same bytes' 0 '' cmp state.snap replayed.snap
check 'where nothing can be written' 1 'cannot be written' "$TWVM" -d l snapshot save none/x
check 'not a block' 1 'there is no block 99' "$TWVM" -d l snapshot save x --at 99
test -e x
same 'and no file' 1 $?

# ---- load ----
check 'not without something to trust' 2 'what you know of its block' \
    "$TWVM" -d c snapshot load state.snap
check 'no hash' 2 '64 hex digits' "$TWVM" -d c snapshot load state.snap --root 12
check 'another root' 1 "with the root $root, not " \
    "$TWVM" -d c snapshot load state.snap --root "$block"
check 'another block' 1 "with the hash $block, not " \
    "$TWVM" -d c snapshot load state.snap --block "$root"
check 'no file' 1 'nofile: cannot be read' "$TWVM" -d c snapshot load nofile --root "$root"
check 'a folder' 1 'cannot be read' "$TWVM" -d c snapshot load l --root "$root"
check 'something else' 1 'is no snapshot' "$TWVM" -d c snapshot load counter.twc --root "$root"
check 'an option of the other' 2 'goes with load' "$TWVM" -d l snapshot save x --root "$root"
check 'an option of the other' 2 'goes with save' "$TWVM" -d c snapshot load x --at 1
check 'neither' 2 'snapshot save FILE' "$TWVM" -d c snapshot keep x
size=$(wc -c <state.snap)
for at in 0 4 5 20 150 180 210 220 $((size / 2)) $((size - 1)); do
    cp state.snap bad.snap
    byte=$(od -An -tu1 -j "$at" -N 1 state.snap | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf '%03o' $(((byte + 1) % 256)))" |
        dd of=bad.snap bs=1 seek="$at" conv=notrunc 2>/dev/null
    check "another byte $at" 1 '' "$TWVM" -d c snapshot load bad.snap --root "$root"
    head -c "$at" state.snap >bad.snap
    check "cut at $at" 1 '' "$TWVM" -d c snapshot load bad.snap --root "$root"
done
cat state.snap state.snap >bad.snap
check 'more behind it' 1 'chunk 1 of the snapshot' \
    "$TWVM" -d c snapshot load bad.snap --root "$root"
test -e c || test -e c.unfinished
same 'nothing is left of all that' 1 $?
check 'by the hash of the block' 0 'against the hash of the block that you gave' \
    "$TWVM" -d c snapshot load state.snap --block "$block" --simulated --insecure-keys
check 'by the root' 0 '"trusted":"root"' \
    "$TWVM" -d by_root snapshot load state.snap --root "$root" --json
check 'which says less' 0 'what the file says; --block checks' \
    "$TWVM" -d by_root_2 snapshot load state.snap --root "$root"
check 'not over a ledger' 1 'c is there already' \
    "$TWVM" -d c snapshot load state.snap --block "$block"
mkdir empty
check 'into a folder that is empty' 0 '' \
    "$TWVM" -d empty/ snapshot load state.snap --block "$block"
check 'it is whole' 0 'the ledger is whole' "$TWVM" -d c fsck
same 'the same root' "$root" "$(root_of c)"
check 'its contract has its name' 0 "^$view_then\$" "$TWVM" -d c view Counter all
check 'the same snapshot' 0 '' "$TWVM" -d c snapshot save again.snap
check 'the same bytes' 0 '' cmp state.snap again.snap

# ---- it goes on as the first one did ----
cp l/keys/alice.key c/keys/
for day in 06 07; do check "add on day $day" 0 'done' add c "$day"; done
same 'the same root' "$(root_of l)" "$(root_of c)"
same 'the same block' "$("$TWVM" -d l root)" "$("$TWVM" -d c root)"
check 'it is whole' 0 'the ledger is whole' "$TWVM" -d c fsck
for what in 'state Counter' balances "state Counter --at $((height + 1))" \
    "blocks $((height + 1))"; do
    # shellcheck disable=SC2086
    same "the same: $what" "$("$TWVM" -d l $what 2>&1)" "$("$TWVM" -d c $what 2>&1)"
done

# ---- what was before is missing, and named ----
before="snapshot of block $height"
check 'replay' 1 "needs every block from the first.*$before" "$TWVM" -d c replay
check 'report' 1 "$before" "$TWVM" -d c report
check 'a block' 1 "block 1 is not here.*$before" "$TWVM" -d c blocks 1
check 'its own block' 1 "block $height is not here.*$before" "$TWVM" -d c blocks "$height"
check 'a state' 1 "$before" "$TWVM" -d c state Counter --at 1
check 'a time' 1 "$before, at 2026-01-05" "$TWVM" -d c view Counter all --at 2026-01-03
check 'events say so' 0 "note: what was up to block $height is not here" "$TWVM" -d c events
same 'and go on from there' 2 "$(grep -c Added out.1)"
check 'history too' 0 "note: what was up to block $height" "$TWVM" -d c history Counter
check 'it cannot be proved' 1 "part of this history is not here.*$before" \
    "$TWVM" -d c history Counter --prove -o proof
check 'that of a later contract can' 0 '' deploy c 08 --name Later
check 'with an entry' 0 '' "$TWVM" -d c call Later add n=1 --as alice
check 'the whole of it' 0 '' "$TWVM" -d c history Later --prove -o proof
check 'and is checked' 0 '' "$TWVM" verify proof --root "$(root_of c)"
check 'the list of blocks begins behind it' 0 '' "$TWVM" -d c blocks
same 'with the next one' "$((height + 1))" "$(head -n 1 out.1 | awk '{ print $1 }')"
while "$TWVM" -d c rollback --yes >out 2>&1; do :; done
grep -q "block $height is the one of the snapshot" out
verdict $? 'it can be taken back to the snapshot, and no further'
same 'which is where it began' "$root" "$(root_of c)"
check 'whole' 0 'the ledger is whole' "$TWVM" -d c fsck

# ---- killed while it loads ----
mkfifo pipe
"$TWVM" -d k snapshot load pipe --block "$block" >/dev/null 2>&1 &
started=$!
exec 9>pipe
head -c 300 state.snap >&9
sleep 0.5
check 'two at once' 1 'another twvm is making this folder' \
    "$TWVM" -d k snapshot load state.snap --block "$block"
kill -9 "$started"
wait "$started" 2>/dev/null
started=
exec 9>&-
test -d k.unfinished && test ! -e k
verdict $? 'killed: there is no ledger'
check 'nor one for who looks inside' 1 '' "$TWVM" -d k.unfinished root
check 'again' 0 'made a ledger in k' "$TWVM" -d k snapshot load state.snap --block "$block"
test -e k.unfinished
same 'nothing is left over' 1 $?
check 'whole' 0 'the ledger is whole' "$TWVM" -d k fsck
mkdir m.unfinished && echo mine >m.unfinished/file
check 'what is not its own it leaves' 1 'twvm did not leave there' \
    "$TWVM" -d m snapshot load state.snap --block "$block"
check 'as it is' 0 'mine' cat m.unfinished/file
mkdir other n.unfinished && echo mine >other/file && ln -s "$PWD/other" n.unfinished/store
check 'where a link leads it takes nothing away' 1 'twvm did not leave there' \
    "$TWVM" -d n snapshot load state.snap --block "$block"
ln -s "$PWD/other" o.unfinished
check 'nor does it go there' 1 'o.unfinished: the folder cannot be opened' \
    "$TWVM" -d o snapshot load state.snap --block "$block"
check 'all is there' 0 'mine' cat other/file

# ---- backup ----
check 'a copy' 0 "as of block" "$TWVM" -d l backup b
same 'the same root' "$(root_of l)" "$(root_of b)"
check 'whole' 0 'the ledger is whole' "$TWVM" -d b fsck
check 'with its keys, its names, its clock' 0 'done' add b 09
check 'the first one is as it was' 0 'the ledger is whole' "$TWVM" -d l fsck
differs 'they go their own ways' "$(root_of l)" "$(root_of b)"
check 'replay of the copy' 0 'agrees' "$TWVM" -d b replay
check 'not over something' 1 'b is there already' "$TWVM" -d l backup b
check 'not into itself being there' 1 'l is there already' "$TWVM" -d l backup l
check 'where nothing can be made' 1 'none/b' "$TWVM" -d l backup none/b
check 'as JSON' 0 "\"root\":\"$(root_of l)\"" "$TWVM" -d l backup b2 --json
same 'keys stay private' '-rw-------' "$(ls -l b2/keys/alice.key | cut -c 1-10)"

# ---- a disk that is nearly full ----
then=$("$TWVM" -d l root)
check 'under the floor no block is made' 1 'MiB free, which is under the floor of .*--free-min' \
    "$TWVM" --free-min 99999999999 -d l call Counter add n=1 --as alice --time 2026-01-08
check 'nor a ledger from a snapshot' 1 'under the floor' \
    "$TWVM" -d f snapshot load state.snap --block "$block" --free-min 99999999999
check 'to look is fine' 0 'total' "$TWVM" -d l state Counter --free-min 99999999999
same 'nothing has changed' "$then" "$("$TWVM" -d l root)"
check 'no number' 2 'free-min' "$TWVM" -d l state Counter --free-min lots
check 'without a floor it goes on' 0 'done' \
    "$TWVM" -d l call Counter add n=1 --as alice --time 2026-01-08 --free-min 0

# ---- a disk that is full in the middle of a block ----
"$TWVM" init w --start 2026-01-01 --insecure-keys >out 2>&1
"$TWVM" -d w deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice \
    --role sensor=gauge >out 2>&1
{ echo time,depth && series 1767225600 1 600 1700; } >levels.csv
feed='feed TankGuard levels.csv --as gauge --time time --map level=depth:mm'
before=$("$TWVM" -d w root | sed -n 's/^height *//p')
# files of 512 bytes times 200 and no more; without the signal that says so
# shellcheck disable=SC2086
check 'the first write that fails ends it' 1 'could not be written.*free disk space' \
    sh -c "trap '' XFSZ; ulimit -f 200; exec \"\$@\"" - "$TWVM" -d w $feed --pack 1
after=$("$TWVM" -d w root | sed -n 's/^height *//p')
test "$after" -gt "$before" && test "$after" -lt $((before + 600))
verdict $? "some blocks are in, the rest is not ($before, $after)"
check 'what is in is whole' 0 'the ledger is whole' "$TWVM" -d w fsck
# shellcheck disable=SC2086
check 'and it goes on from there' 0 "rows that are in already: $((after - before))" \
    "$TWVM" -d w $feed --resume

# ---- a folder that is not whole ----
rm -rf d
cp -r b2 d
for file in d/store/*.sst; do : >"$file"; done
check 'a damaged folder does not begin' 1 'twvm fsck' "$TWVM" -d d root
check 'and the way out is named' 1 'twvm snapshot load' "$TWVM" -d d root
check 'fsck does not open it either' 1 'twvm snapshot load' "$TWVM" -d d fsck
check 'a new one from the snapshot' 0 '' "$TWVM" -d d2 snapshot load state.snap --block "$block"
check 'whole' 0 'the ledger is whole' "$TWVM" -d d2 fsck

# init leaves a ledger alone that does not begin: one whose log ends before what was acknowledged
"$TWVM" init h --start 2026-01-01 --insecure-keys >out 2>&1
for day in 02 03; do
    "$TWVM" -d h deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice \
        --role sensor=gauge --time "2026-01-$day" >out 2>&1
done
for file in h/store/*.log; do : >"$file"; done
check 'a log that ends early is told' 1 'block 3 was acknowledged' "$TWVM" -d h root
check 'init does not take the folder' 1 'h holds a ledger already.*block 3 was acknowledged' \
    "$TWVM" init h
rm h/store/LANDMARK
check 'without what came after it goes on' 0 'height 1$' "$TWVM" -d h root
check 'on the clock that it had' 0 'at 2026-01-03' "$TWVM" -d h deploy \
    "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice --role sensor=gauge \
    --time 2026-01-03
ls h/store >before
rm h/store/CURRENT
check 'nor one that has lost the file CURRENT' 1 'has lost its file CURRENT' "$TWVM" init h
ls h/store >after
check 'whose tables stay' 0 '^CURRENT$' sh -c 'diff before after | sed -n "s/^[<>] //p"'
finish
