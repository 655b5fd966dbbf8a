#!/bin/sh
# run -- `twvm run`: a table of calls, each at its time; what a row must end with; rows that are
# not understood.
. "${0%/*}/lib.sh"

cat >counter.twc <<'TWC'
contract Counter version 1 {
  role owner
  role clerk max 3
  var total : int = 0
  var note : text(20)?
  event Counted(by: int)
  error TooMuch(most: int)
  action add(n: int, note_text: text(20)?) by clerk
    needs n <= 100 else TooMuch(100)
  { total += n note = note_text emit Counted(by: n) }
  action approve() by owner with clerk { total = 0 }
  view counted() -> int { return total }
  view last_note() -> text(20)? { return note }
}
TWC
"$TWVM" init l --insecure-keys --start 2026-01-01 >/dev/null
"$TWVM" -d l deploy counter.twc --as o --role owner=o --role clerk=a,b >/dev/null 2>&1

cat >calls.csv <<'CSV'
time,as,entry,n,note_text,expect
2026-01-01T00:00:01Z,a,add,5,first,
2026-01-01T00:00:02Z,b,add,101,,TooMuch
2026-01-01T00:01:00Z,o,add,1,,NotCaller
2026-01-01T00:02:00Z,b,add,7,,
CSV
check 'a table of calls' 0 '4 calls: 2 done, 2 failed (2 as expected)' \
    "$TWVM" -d l run calls.csv --contract Counter --out how.csv
check 'they are in' 0 '^12$' "$TWVM" -d l view Counter counted
check 'an empty cell of an optional argument is none' 0 '^none$' "$TWVM" -d l view Counter last_note
same 'each row has its outcome' "$(tail -n +2 how.csv | cut -d, -f3 | tr '\n' ' ')" \
    'done TooMuch NotCaller done '
sed 's/T00:0/T01:0/' calls.csv >later.csv
check 'as JSON' 0 '"errors":{"TooMuch":"1","NotCaller":"1"}' \
    "$TWVM" -d l run later.csv --contract Counter --json

printf 'time,as,entry\n2026-01-01T02:00:00Z,o+b,approve\n' >both.csv
check 'two sign' 0 '1 done, 0 failed' "$TWVM" -d l run both.csv --contract Counter
check 'that worked' 0 '^0$' "$TWVM" -d l view Counter counted

printf 'as,entry,n\na,add,1\na,add,200\na,add,2\n' >stop.csv
check 'an error that no row expects stops the run' 1 \
    'stop.csv:3: add: TooMuch(most: 100)' "$TWVM" -d l run stop.csv --contract Counter
check 'what stood before it is in' 0 '^1$' "$TWVM" -d l view Counter counted
check 'or the run goes on' 1 '1 of 3 calls did not end as they should' \
    "$TWVM" -d l run stop.csv --contract Counter --keep-going
check 'with the rest' 0 '^4$' "$TWVM" -d l view Counter counted

printf 'as,entry,n,expect\na,add,1,TooMuch\n' >wrong.csv
check 'a call that should have failed' 1 'wrong.csv:2: add: done, but the row expects an error' \
    "$TWVM" -d l run wrong.csv --contract Counter
printf 'as,entry\na,add\n' >lacks.csv
check 'a column that is not there' 1 'lacks.csv:2: add needs n: the column is not there' \
    "$TWVM" -d l run lacks.csv --contract Counter
printf 'as,entry,n\nz,add,1\n' >who.csv
check 'a key that is not there' 1 'who.csv:2: no key is named z' \
    "$TWVM" -d l run who.csv --contract Counter
printf 'as,entry,n\na,sub,1\n' >what.csv
check 'an action that is not there' 1 'what.csv:2: Counter has no action "sub"' \
    "$TWVM" -d l run what.csv --contract Counter
printf 'time,as,entry,n\nsoon,a,add,1\n' >when.csv
check 'a time that is none' 1 'when.csv:2: the time "soon"' \
    "$TWVM" -d l run when.csv --contract Counter
printf 'time,as,entry,n\n2025-01-01,a,add,1\n' >back.csv
check 'a time that goes back' 1 'back.csv:2: ' "$TWVM" -d l run back.csv --contract Counter
check 'no column says whose' 1 'no column `contract`; say --contract' "$TWVM" -d l run stop.csv
check 'replay agrees' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
