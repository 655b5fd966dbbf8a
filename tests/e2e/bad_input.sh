#!/bin/sh
# bad_input -- what a person can get wrong: each is refused with its own reason, and where nothing
# was understood nothing is changed.
. "${0%/*}/lib.sh"

t="$TWVM -d l"
feed="$t feed TankGuard"
options='--as gauge --time time --map level=depth:mm'
start=1767225600

"$TWVM" init l --insecure-keys --start 2026-01-01 >/dev/null
$t deploy "$ROOT/contracts/tank_guard.twc" --as alice --role owner=alice --role sensor=gauge \
    >/dev/null 2>&1
before=$(root_of l)

# --- tables that are not understood ---

printf 'time,level\n%d,5\n' $((start + 1)) >columns.csv
check 'a missing column is named, with those there are' 1 \
    'there is no column "depth"; there are: "time", "level"' $feed columns.csv $options
printf 'time,depth\n%d,5\n%d,wet\n' $((start + 1)) $((start + 2)) >word.csv
check 'what is no number, with its line' 1 'word.csv:3: column depth: "wet" is no number' \
    $feed word.csv $options
: >empty.csv
check 'an empty file' 1 'empty.csv: the file is empty' $feed empty.csv $options
printf 'time,depth\n' >header.csv
check 'a header alone' 1 'no row is wanted; nothing was sent' $feed header.csv $options
{ printf 'time,depth\n%d,' $((start + 1)) && head -c 1000000 /dev/zero | tr '\0' 7; } >long.csv
check 'a line of a million digits' 1 'long.csv:2: .* has more than 25 digits' \
    $feed long.csv $options
{ printf 'time,depth\n%d,' $((start + 1)) && head -c 3000000 /dev/zero | tr '\0' 7; } >longer.csv
check 'a line of three million' 1 'longer.csv:2: the row is longer than 1 MiB' \
    $feed longer.csv $options
printf 'time,depth\n%d,5\0\n' $((start + 1)) >nul.csv
check 'a NUL byte' 1 'nul.csv:2: a NUL byte' $feed nul.csv $options
printf '\377\376t\0' >utf16.csv
check 'UTF-16' 1 'save it as UTF-8' $feed utf16.csv $options
printf 'time,depth\nnoon,5\n' >noon.csv
check 'a time that is none' 1 'noon.csv:2: column time: "noon" is no time' $feed noon.csv $options
printf 'time,depth\n2026-02-30,5\n' >day.csv
check 'a day that is none' 1 '"2026-02-30" has no such day' $feed day.csv $options
printf 'time,depth\n%d\n' $((start + 1)) >short.csv
check 'a row that ends early' 1 'short.csv:2: column depth: the row ends before it' \
    $feed short.csv $options
printf 'time,depth\n%d,0.0001\n' $((start + 1)) >fine.csv
check 'finer than the resolution' 1 'finer than the resolution of length.*--round' \
    $feed fine.csv $options
printf 'time,depth\n%d,"5\n' $((start + 1)) >quote.csv
check 'a quote that is never closed' 1 'quote.csv:2: a quote is opened and never closed' \
    $feed quote.csv $options
printf 'time;depth\n%d;5,5\n' $((start + 1)) >comma.csv
check 'a decimal comma that nobody spoke of' 1 '"5,5" is no number' $feed comma.csv $options
check 'a file that is not there' 1 'none.csv: cannot be opened: No such file' \
    $feed none.csv $options
check 'a folder' 1 'Is a directory' $feed . $options
same 'after all these the ledger is as it was' "$(root_of l)" "$before"

# --- command lines that are not understood ---

check 'an unknown command' 2 'did you mean feed' "$TWVM" fed
check 'an unknown option' 2 'did you mean --map' $feed word.csv --mop a=b
check 'an option without its value' 2 'needs a value' $feed word.csv --as
check 'no ledger' 2 'say which ledger' "$TWVM" root
check 'too few words' 2 'something is missing' $t feed
check 'too many words' 2 'is too much' $t root now
check 'no key' 2 'say whose readings' $feed word.csv --time time --map level=depth:mm
check 'no map' 2 'say which column is which reading' $feed word.csv --as gauge --time time
check 'no time' 2 'say when readings were taken' $feed word.csv --as gauge --map level=depth:mm
check 'an unknown reading' 2 'the readings of TankGuard are: level' \
    $feed word.csv --as gauge --time time --map volume=depth:L
check 'a unit of something else' 2 'level is a length.*°C is a unit of temperature' \
    $feed word.csv --as gauge --time time --map level=depth:°C
check 'a unit that is refused' 2 'units of the foot' \
    $feed word.csv --as gauge --time time --map level=depth:ft
check 'no unit' 1 '"5" has no unit; a length is written in one of: um, mm' \
    $feed word.csv --as gauge --time time --map level=depth
check 'a pack of none' 2 'from 1 to 4096' $feed word.csv $options --pack 0
check 'a pack too large' 2 'from 1 to 4096' $feed word.csv $options --pack 4097
check 'a limit that is no number' 2 'takes a whole number' $feed word.csv $options --limit many
check 'a map twice' 2 'has two columns' $feed word.csv $options --map level=time:mm
check 'an option twice' 2 'is given twice' $feed word.csv $options --as gauge

# --- things that are not there ---

check 'a ledger that is not there' 1 'none holds no ledger; twvm init none makes one' \
    "$TWVM" -d none root
check 'an unknown contract' 1 'no contract is named Tank; there are: TankGuard' $t state Tank
check 'an unknown key' 1 'no key is named gauge2 (there are: alice, gauge)' \
    $feed word.csv --as gauge2 --time time --map level=depth:mm
check 'a key that is in no sensor role' 1 'alice is in no role of TankGuard' \
    $feed word.csv --as alice --time time --map level=depth:mm
check 'an unknown action' 1 'has no action drain; there are: replace_sensor' \
    $t call TankGuard drain --as alice
check 'an unknown view' 1 'has no view depth' $t view TankGuard depth
check 'a block that is not there' 1 'there is no block 99' $t blocks 99
check 'arguments that are missing' 1 'replace_sensor takes: old=<account>, new=<account>' \
    $t call TankGuard replace_sensor old=gauge --as alice
check 'an argument that is no account' 1 'neither the name of a key nor 64 hex digits' \
    $t call TankGuard replace_sensor old=gauge new=moon --as alice
check 'a ledger that is there already' 1 'holds a ledger already' "$TWVM" init l
check 'a name for a key that leads elsewhere' 1 'is no name for a key' $t key new ../x
check 'a key that is there already' 1 'is there already' $t key new gauge

# --- contracts that cannot be deployed ---

deploy="$t deploy $ROOT/contracts/tank_guard.twc --as alice"
check 'a role without an account' 1 'role owner needs an account' $deploy --role sensor=gauge
check 'a role that is none' 1 'has no such role' $deploy --role boss=alice
check 'too many for a role' 1 'has room for 1, not for 2' $deploy --role owner=alice,gauge
check 'a parameter outside its range' 1 'param full is 9000 mm; it lies in 500 mm .. 5000 mm' \
    $deploy --role owner=alice --role sensor=gauge --param 'full=9 m'
check 'a parameter without its unit' 1 'param full: "9" has no unit' \
    $deploy --role owner=alice --role sensor=gauge --param full=9
check 'a parameter that is none' 1 'has no such param' \
    $deploy --role owner=alice --role sensor=gauge --param empty=9
printf 'contract A version 1 {\n  role x\n  var n : velocity = 5 °C\n}\n' >wrong.twc
check 'a contract that does not compile' 1 'wrong.twc:3:' $t deploy wrong.twc --as alice
printf 'TWMF' >cut.twm
check 'a compiled file cut short' 1 'is no compiled contract' $t deploy cut.twm --as alice
check 'a test of a contract that does not compile' 1 'wrong.twc:3:' "$TWVM" test wrong.twc
same 'after all these the ledger is as it was' "$(root_of l)" "$before"

# --- tables that are odd but understood ---

printf '\357\273\277time,depth\r\n%d,500\r\n' $((start + 1)) >bom.csv
check 'a byte order mark, and CRLF' 0 '1 readings.* 1 taken in' $feed bom.csv $options
check 'a decimal comma, said so' 0 '1 readings' $feed comma.csv $options --decimal-comma
printf 'time,depth\n%d,500.0001\n' $((start + 2)) >fine.csv
check 'rounding, said so' 0 '1 taken in' $feed fine.csv $options --round
printf 'When;x;Level of it (mm)\n%d;"a ""b""";500\n\n%d; ;501\n' $((start + 3)) $((start + 4)) \
    >odd.csv
check 'other separators, quotes, blanks' 0 '2 taken in' \
    $feed odd.csv --as gauge --time when --map 'level=Level of it (mm):mm'
printf 'time,depth\n%d,500\n%d,wet\n%d,\n%d,501\n' $((start + 5)) $((start + 6)) $((start + 7)) \
    $((start + 8)) >some.csv
check 'rows left out, said so' 0 '4 rows\|left out *rows not understood: 1' \
    $feed some.csv $options --skip-bad
check 'empty cells are no readings' 0 '2 readings signed by gauge: 2 taken in' cat out

# --- readings that the contract refuses, each for its reason ---

printf 'time,depth\n%d,11000\n' $((start + 20)) >range.csv
check 'out of range' 0 'out of range: 1' $feed range.csv $options
printf 'time,depth\n%d,500\n%d,500\n%d,500\n' $((start + 30)) $((start + 30)) \
    $((start + 25)) >back.csv
check 'more than rate' 0 'more than rate: 1' $feed back.csv $options
check 'time goes back' 0 'time goes back: 1' cat out
printf 'time,depth\n%d,500\n%d,500\n' $((start + 500)) $((start + 400)) >old.csv
$feed old.csv $options >/dev/null 2>&1
printf 'time,depth\n%d,500\n' $((start + 501)) >next.csv
$t call TankGuard replace_sensor old=gauge new=alice --as alice >/dev/null
$t call TankGuard replace_sensor old=alice new=gauge --as alice >/dev/null
check 'older than max_age' 0 'older than max_age: 1' $feed bom.csv $options
check 'and that one is told why' 0 'the ledger stands at .*for recorded data' cat out
check 'it goes on after a new grant' 0 '1 taken in' $feed next.csv $options
check 'a reading sent twice' 0 'more than rate: 1' $feed next.csv $options
check 'or left out, as it is in' 0 'rows that are in already: 1' $feed next.csv $options --resume

# --- one at a time, and what cannot be written ---

mkfifo pipe
$t feed TankGuard - $options <pipe >/dev/null 2>&1 &
feeder=$!
started=$feeder
exec 9>pipe
printf 'time,depth\n%d,500\n' $((start + 600)) >&9
sleep 1
check 'a ledger that another process has open' 1 "locked: another process, $feeder, has" $t root
exec 9>&-
wait "$feeder"
check 'which then did its work' 0 'gauge' $t state TankGuard
if test -w /dev/full; then
    check 'a full disk under the output' 1 'cannot be written' sh -c "$t root >/dev/full"
fi
check 'a report where nothing can be written' 1 'cannot be written' $t report --out none/page.html
check 'replay agrees with all that' 0 'every root and receipt agrees' $t replay
finish
