#!/bin/sh
# keys -- the keyring as a person meets it: passphrases typed and from files, keys that sign, are
# carried to another ledger, damaged, read by others; and what is written where nobody looks.
. "${0%/*}/lib.sh"
python3 -c 'import os; os.openpty()' 2>/dev/null || {
    echo '1..0 # SKIP no terminal can be made here: /dev/pts is not mounted'
    exit 0
}

t="$TWVM -d l"
typed="$ROOT/tests/e2e/typed.py"
unset TWVM_PASSPHRASE_FILE
echo 'correct horse battery' >right
echo 'correct horse' >wrong
printf 'staple staple\r\nsecond line\n' >other

mode_of() # mode_of PATH
{
    ls -ld "$1" | cut -c 1-10
}

key_of() # key_of LEDGER NAME: its account
{
    "$TWVM" -d "$1" key list | awk -v name="$2" '$1 == name { print $2 }'
}

check 'a ledger, whose keys will be sealed' 0 'simulated clock' "$TWVM" init l --start 2026-01-01
check 'a new key without a terminal or a file' 1 \
    'no terminal to ask for it; --passphrase-file FILE or TWVM_PASSPHRASE_FILE names' \
    setsid $t key new alice
check 'a file that is not there' 1 'file of the passphrase, none: No such file' \
    $t key new alice --passphrase-file none
echo short >short
check 'a passphrase that is too short' 1 'too short for a new key: 8 bytes at least' \
    $t key new alice --passphrase-file short
check 'nothing was made' 0 '' $t key list
same 'no key' "$(ls l/keys)" ''

# ---- typed ----

check 'typed twice, a key is made' 0 '^alice ' python3 "$typed" \
    'correct horse battery' 'correct horse battery' -- $t key new alice
check 'nothing of it is shown' 0 '0' sh -c 'grep -c horse out; true'
check 'a slip is asked for again' 0 'the two differ; new passphrase, for the key bob' \
    python3 "$typed" 'correct horse battery' 'correct hose' \
    'correct horse batteryyy^H^H' 'correct horse battery' -- $t key new bob
check 'a person may give up' 1 'no passphrase was typed; nothing is done' \
    python3 "$typed" 'corr^C' -- $t key new carol
check 'what is too short' 1 'no passphrase: it is too short: 8 bytes at least' \
    python3 "$typed" 1 2 '' -- $t key new carol
check 'deploy asks once, also for the keys that it makes' 0 'deployed PumpGuard at' \
    python3 "$typed" 'correct horse battery' -- \
    $t deploy "$ROOT/contracts/pump_guard.twc" --as alice --role owner=alice \
    --role provider=bob --role sensor=pump1
check 'a wrong one is asked for again' 0 'it does not fit; passphrase of alice' python3 "$typed" \
    wrong 'correct horse battery' -- $t call PumpGuard replace_sensor old=pump1 new=bob --as alice
check 'three times' 1 'alice.key: the passphrase does not fit' \
    python3 "$typed" one two three -- \
    $t call PumpGuard replace_sensor old=bob new=pump1 --as alice

# ---- files ----

check 'a key is read by its owner alone' 0 '' test "$(mode_of l/keys/alice.key)" = '-rw-------'
check 'so is the folder' 0 '' test "$(mode_of l/keys)" = 'drwx------'
check 'the same passphrase from a file' 0 'replace_sensor done' $t \
    call PumpGuard replace_sensor old=bob new=pump1 --as alice --passphrase-file right
height=$($t root | sed -n 's/^height *//p')
check 'or where the variable says' 0 'replace_sensor done' \
    env TWVM_PASSPHRASE_FILE=right $t call PumpGuard replace_sensor old=pump1 new=bob --as alice
check 'the option goes before the variable' 1 'alice.key: the passphrase does not fit' \
    env TWVM_PASSPHRASE_FILE=right $t call PumpGuard replace_sensor old=bob new=pump1 --as alice \
    --passphrase-file wrong
check 'several files are tried' 0 'replace_sensor done' $t call PumpGuard replace_sensor \
    old=bob new=pump1 --as alice --passphrase-file wrong --passphrase-file right
same 'what was refused left no block' "$($t root | sed -n 's/^height *//p')" $((height + 2))
check 'a pipe is a file' 0 '^carol ' \
    sh -c "cat right | $t key new carol --passphrase-file /dev/stdin"
{ echo time,heat,vibration && series 1767225600 10 6 '40.0,2.0'; } >cool.csv
check 'a device signs' 0 '12 readings signed by pump1: 12 taken in' $t feed PumpGuard cool.csv \
    --as pump1 --time time --map heat=heat:°C --map vib=vibration:mm/s --passphrase-file right
check 'but not without' 1 'pump1.key: the passphrase does not fit' $t feed PumpGuard cool.csv \
    --as pump1 --time time --map heat=heat:°C --map vib=vibration:mm/s --passphrase-file wrong
printf 'as,contract,entry,old,new\nalice,PumpGuard,replace_sensor,pump1,carol\n' >calls.csv
check 'a table of calls: the row is named' 1 'calls.csv:2: .*alice.key: the passphrase does not' \
    $t run calls.csv --passphrase-file wrong
check 'and runs' 0 '1 done' $t run calls.csv --passphrase-file right
check 'looking needs none' 0 'phase *Healthy' setsid $t state PumpGuard
check 'nor does listing' 0 '^bob ' setsid $t key list
check 'JSON says that they are encrypted' 0 '"name":"bob".*"encrypted":true' $t key list --json

# ---- out, in, changed, removed ----

$t key export alice >alice.text
check 'what is exported is sealed' 0 '^aes-256-gcm ' cat alice.text
check 'plain only when it is said' 0 'whoever reads this can sign' \
    $t key export alice --insecure --passphrase-file right
sed -n '/^twvm-key/,/^check/p' out >plain.text
check 'then it is' 0 '^plain ' cat plain.text
"$TWVM" init m --start 2026-01-01 >/dev/null
check 'in another ledger the passphrase is asked for' 1 'alice.text: the passphrase does not fit' \
    "$TWVM" -d m key import olga alice.text --passphrase-file wrong
check 'it comes in under any name' 0 '^olga ' \
    "$TWVM" -d m key import olga alice.text --passphrase-file right
same 'the account is the same' "$(key_of m olga)" "$(key_of l alice)"
check 'once' 1 'this key is there already, as olga' \
    "$TWVM" -d m key import alice plain.text --passphrase-file right
check 'from standard input too' 0 '^bob ' \
    sh -c "$t key export bob | $TWVM -d m key import bob - --passphrase-file right"
check 'it signs there' 0 'deployed PumpGuard at' "$TWVM" -d m deploy \
    "$ROOT/contracts/pump_guard.twc" --as olga --role owner=olga --role provider=bob \
    --role sensor=bob --passphrase-file right
check 'another passphrase' 0 'olga has a new passphrase' "$TWVM" -d m key passwd olga \
    --passphrase-file right --new-passphrase-file other
check 'the old one is none any more' 1 'olga.key: the passphrase does not fit' \
    "$TWVM" -d m key export olga --insecure --passphrase-file right
check 'the new one is, its first line' 0 '^plain ' \
    "$TWVM" -d m key export olga --insecure --passphrase-file other
check 'typed: the old one, and the new one twice' 0 'olga has a new passphrase' python3 "$typed" \
    'staple staple' 'correct horse battery' 'correct horse battery' -- "$TWVM" -d m key passwd olga
check 'removing is meant' 2 'nobody can sign as bob again; --yes says that it is meant' \
    "$TWVM" -d m key remove bob
check 'or not done' 0 'removed the key bob' "$TWVM" -d m key remove bob --yes
check 'it is gone' 1 'no key is named bob (there are: olga)' "$TWVM" -d m key export bob

# ---- what is not as it should be ----

cp l/keys/alice.key alice.kept
sed 's/^scrypt 15 /scrypt 16 /' alice.kept >l/keys/alice.key
check 'a damaged file is named, also where nobody signs' 1 'l/keys/alice.key: is damaged' \
    $t key list
cp alice.kept l/keys/alice.key
chmod 644 l/keys/alice.key
check 'nor does a key sign that others can read' 1 'others may read or write it; chmod 600 l/keys' \
    $t key export alice --insecure --passphrase-file right
chmod 600 l/keys/alice.key
check 'set right' 0 '^plain ' $t key export alice --insecure --passphrase-file right
cp plain.text l/keys/alice.key
check 'a plain key is listed as one' 0 '^alice .*not encrypted' $t key list
check 'and does not sign' 1 'alice.key: is not encrypted; twvm -d DIR key passwd alice gives it' \
    $t call PumpGuard replace_sensor old=carol new=pump1 --as alice --passphrase-file right
check 'until it has a passphrase' 0 'a new passphrase' $t key passwd alice \
    --new-passphrase-file right
check 'as keys of the first version get one' 0 'replace_sensor done' $t \
    call PumpGuard replace_sensor old=carol new=pump1 --as alice --passphrase-file right
check 'a command of keys that there is not' 2 'it is: twvm -d DIR key new NAME | list' $t key make x

# ---- insecure ----

check 'an insecure ledger says so' 0 'whoever reads this folder can sign' \
    "$TWVM" init i --start 2026-01-01 --insecure-keys
check 'and asks nothing' 0 '^alice .*not encrypted' setsid "$TWVM" -d i key new alice
check 'the list says it' 0 'makes keys without a passphrase' "$TWVM" -d i key list
check 'a sealed key stays sealed there' 0 '^bob ' \
    sh -c "$t key export bob | $TWVM -d i key import bob - --passphrase-file right"
check 'a plain one is sealed on its way out' 0 '^aes-256-gcm ' \
    "$TWVM" -d i key export alice --passphrase-file right
check 'what is sealed does not become insecure' 1 'l holds a ledger already' \
    "$TWVM" init l --insecure-keys
check 'nor is it marked so' 1 '' test -e l/keys/insecure
rm -rf i/store
check 'a folder of insecure keys is not taken for another' 1 'delete this file, or make the' \
    "$TWVM" init i --start 2026-01-01

# no file of these ledgers holds a secret that was exported, in hex or in bytes
secret=$(sed -n 's/^plain //p' plain.text)
same 'there is a secret to look for' "${#secret}" 64
check 'it stands in no file of a ledger' 1 '' grep -r -q "$secret" l m
python3 -c "import sys; sys.stdout.buffer.write(bytes.fromhex('$secret'))" >secret.bytes
check 'also not in bytes' 0 '^none' python3 -c "
import os
secret = open('secret.bytes', 'rb').read()
found = [f for d in 'lm' for at, _, names in os.walk(d) for f in names
         if secret in open(os.path.join(at, f), 'rb').read()]
print(found or 'none')"
finish
