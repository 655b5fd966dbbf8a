#!/bin/sh
# fees -- a ledger on which gas has a price: who pays, what timers run on, ticks, transfers.
. "${0%/*}/lib.sh"

t="$TWVM -d l"

cat >meter.twc <<'TWC'
contract Meter version 1 {
  currency EUR decimals 2
  role owner
  role sensor
  reading level : length from sensor field "level"
    range 0 mm .. 1 m rate 1 per 1 s keep 10 max_age 1 min
  phases Awake -> Asleep -> Awake
  alarm high raise when level above 100 mm clear when level below 60 mm
  purse pot : EUR falls to owner after 30 days
  var broken : bool = no
  event Beat(at: time)
  event Slow()
  event High()
  error Broken()
  every 5 min { emit Beat(at: now) }
  every 12 min { needs not broken else Broken() emit Slow() }
  on high raised in Asleep { emit High() }
  action put(amount: EUR) by owner receives amount into pot { }
  action take() by owner { pay rest of pot to caller }
  action sleep() by owner in Awake { go Asleep }
  action wake() by owner in Asleep { go Awake }
  action break_it(b: bool) by owner { broken = b }
  action swap(old: account, new: account) by owner {
    revoke sensor from old
    grant sensor to new
  }
}
TWC

amount_of() # amount_of WHO [OPTION...]: what `balances EUR` says
{
    who=$1
    shift
    $t balances EUR "$@" 2>err | sed -n "s/^  $who  *//p"
}

cents() # cents AMOUNT...: all of them together
{
    printf '%s\n' "$@" | tr -d '_. EUR' | awk '{ sum += $1 } END { print sum }'
}

fee_in() # what the newest output says of a fee
{
    sed -n 's/.*, fee \([0-9._]* EUR\).*/\1/p' out.1
}

id_in() # id_in HEIGHT: of the first transaction of the block
{
    $t blocks "$1" | sed -n 's/.*; id //p' | head -n 1
}

# ---- a ledger that takes fees ----
init() { "$TWVM" init l --insecure-keys --start 2026-01-01 "$@"; }
check 'a price is one in an asset of the chain' 2 'is not AMOUNT ASSET' init --gas-price '0.01 EUR'
check 'it has no more decimals than the asset' 1 'is finer than its smallest unit' \
    init --asset 'EUR 2 alice=1' --gas-price '0.001 EUR'
check 'nothing is no price' 1 'is no price' init --asset 'EUR 2 alice=1' --gas-price '0 EUR'
check 'who gets no fees needs no name' 2 'no fees without --gas-price' \
    init --asset 'EUR 2 alice=1' --fees-to alice
check 'a ledger that takes fees' 0 'made the key till' \
    init --asset 'EUR 2 alice=1_000.00,bob=10.00' --gas-price '0.01 EUR' --fees-to till
$t key new gauge >out
check 'a deploy costs something' 0 'gas [0-9,]*, fee 0.[0-9][1-9] EUR' \
    $t deploy meter.twc --as alice --role owner=alice --role sensor=gauge
same 'and that is what the till has' "$(fee_in)" "$(amount_of till)"
check 'its timers will need fuel' 0 'fuel      0.00 EUR' $t state Meter

# ---- who pays ----
before=$(amount_of alice)
check 'a call says its fee' 0 'put done .*, fee 0.[0-9][1-9] EUR' \
    $t call Meter put amount=5 --as alice --spend '5 EUR'
same 'its sender has paid it, and what he put' "$(cents "$before")" \
    "$(cents "$(amount_of alice)" "$(fee_in)" '5.00 EUR')"
before=$(amount_of alice)
check 'what fails is paid as well' 1 'the call may take nothing' \
    $t call Meter put amount=5 --as alice
differs 'by its sender' "$before" "$(amount_of alice)"
check 'who has nothing cannot send' 1 'gauge has 0.00 EUR and this may cost a fee of 0.0' \
    $t call Meter take --as gauge
check 'nor can a device' 1 'gauge has 0.00 EUR' sh -c "
    printf 'time,mm\n2026-01-01T00:00:10,50\n' >one.csv
    $t feed Meter one.csv --as gauge --time time --map level=mm:mm"
check 'but another carries its packs' 0 'fees of the packs: 0.[0-9][1-9] EUR' \
    $t feed Meter one.csv --as gauge --time time --map level=mm:mm --carrier bob
differs 'and pays' '10.00 EUR' "$(amount_of bob)"

# ---- transfers ----
check 'money of which kind?' 2 'of which money' $t transfer 3 gauge --as alice
check 'of one that is there' 1 'no asset USD; there are: EUR' $t transfer '3 USD' gauge --as alice
check 'to somebody' 1 'no key has this name' $t transfer '3 EUR' nobody --as alice
check 'and more than nothing' 1 'nothing would move' $t transfer '0 EUR' gauge --as alice
check 'no more than there is' 1 'NotEnough' $t transfer '1_000 EUR' gauge --as alice
check 'a transfer' 0 '^alice sent 3.00 EUR to gauge at .*, fee 0.0' \
    $t transfer '3 EUR' gauge --as alice
same 'has come' "$(amount_of gauge)" '3.00 EUR'
id=$($t state Meter | sed -n 's/^  id  *//p')
check 'a contract is no payee' 1 'BadPayee' $t transfer '3 EUR' "$id" --as alice
check 'as JSON' 0 '"fee":{"value":"5","text":"0.05 EUR"}' \
    $t transfer '0.01 EUR' gauge --as alice --json
check 'its help' 0 'send money of an account to another' "$TWVM" transfer --help

# ---- fuel ----
check 'a timer without fuel waits' 1 'TimerDue.*twvm fuel' \
    $t call Meter break_it yes --as alice --time 2026-01-01T00:05
check 'and says so' 0 'failed every 5 min *NoFuel' $t events Meter --failed
check 'in the state' 0 'every 5 min is due at 2026-01-01T00:05:00Z, waits for fuel' $t state Meter
check 'and there as JSON' 0 '"waits":true' $t state Meter --json
check 'fuel is money of the fees' 1 'is of another money' $t fuel Meter '1 USD' --as bob
check 'anyone fills it' 0 '^Meter has 2.00 EUR of fuel, 2.00 EUR more' \
    $t fuel Meter '2 EUR' --as bob
height=$(sed -n 's/.* in block \([0-9]*\),.*/\1/p' out.1)
check 'what has waited is told' 0 '1 that waited' cat out
check 'the next block runs it' 0 'fuel      1.96 EUR' sh -c "
    $t call Meter break_it yes --as alice --time 2026-01-01T00:05:01 >/dev/null && $t state Meter"
check 'and its beat is as before' 0 'every 5 min is due at 2026-01-01T00:10:00Z$' $t state Meter
check 'balances know it' 0 '^  Meter fuel  *1.96 EUR' $t balances
check 'also as JSON' 0 '"fuel":\[{"contract":"Meter","amount":{"value":"196"' \
    $t balances EUR --json
same 'as it was before' "$(amount_of 'Meter fuel' --at "$height")" '2.00 EUR'
check 'its help says what it is for' 0 'nobody takes it back' "$TWVM" fuel --help

# ---- edges of alarms ----
printf 'time,mm\n2026-01-01T00:06:10,150\n' >high.csv
$t feed Meter high.csv --as gauge --time time --map level=mm:mm >out
$t call Meter sleep --as alice >out
$t call Meter take --as alice >out
newest=$($t blocks | tail -n 1 | awk '{ print $1 }')
check 'an edge that no pack hands over runs on fuel' 0 \
    'handler  Meter high raised: done; .* fee 0.0' $t blocks "$newest"

# ---- ticks ----
root=$(root_of l)
check 'nothing is due' 1 'no timer of Meter is due before 2026-01-01T00:10:00Z' \
    $t tick Meter --as bob
same 'so nothing is sent' "$root" "$(root_of l)"
"$TWVM" init dry --insecure-keys --start 2026-01-01 --asset 'EUR 2 alice=50' \
    --gas-price '0.01 EUR' >out 2>&1
dry="$TWVM -d dry"
$dry key new gauge >out
$dry deploy meter.twc --as alice --role owner=alice --role sensor=gauge >out 2>&1
$dry call Meter break_it yes --as alice >out
check 'a tick runs the first timer without fuel' 0 '^every 5 min of Meter done at' \
    $dry tick Meter --as alice --time 2026-01-01T00:12
check 'and shows what it did' 0 'event Beat: at: 2026-01-01T00:12:00Z' cat out
check 'the next one may fail' 0 '^every 12 min of Meter has failed: Broken()' \
    $dry tick Meter --as alice
check 'it has been tried: actions go on' 0 'break_it done' $dry call Meter break_it no --as alice
check 'until it is due again' 0 '"timer":"every 12 min","outcome":"done"' \
    $dry tick Meter --as alice --time 2026-01-01T00:13 --json
check 'its help' 0 'at the sender' "$TWVM" tick --help
check 'who sends it must be said' 2 'say who sends' $dry tick Meter

# ---- receipts ----
check 'a receipt tells the fee' 0 'gas  *[0-9,]* of at most [0-9,]*, fee 0.[0-9][1-9] EUR' \
    $t receipt "$(id_in 2)"
check 'what was asked' 0 '^call Meter put$' cat out
check 'who sent it' 0 '  sender    alice, nonce 1' cat out
check 'and what moved' 0 '  money     received 5.00 EUR from alice to pot' cat out
check 'as JSON' 0 '"kind":"call","what":"Meter put",.*"fee":{"value":' \
    $t receipt "$(id_in 2)" --json
check 'of a failure' 0 '  outcome   NotEnough' $t receipt "$(id_in 3)"
check 'of no transaction' 1 'no block has a transaction' $t receipt "$id"
check 'a short id is none' 2 'the 64 hex digits of its id' $t receipt abcd
check 'a block tells each fee' 0 '^  transfer done; gas [0-9,]*, fee 0.0' \
    sh -c "for h in 5 6 7 8 9; do $t blocks \$h; done"

# ---- all of it ----
check 'nothing is lost' 0 'the ledger is whole' $t fsck
same 'to the cent' "$(cents "$(amount_of alice)" "$(amount_of bob)" "$(amount_of gauge)" \
    "$(amount_of till)" "$(amount_of 'Meter fuel')")" '101000'
check 'every block again' 0 'every root and receipt agrees' $t replay
check 'of the other ledger too' 0 'every root and receipt agrees' $dry replay
$t report Meter --out page.html >out 2>&1
check 'the page tells of the fuel' 0 \
    'EUR left, 0.[0-9][1-9] EUR spent; runs had to wait for it 1 times' cat page.html
check 'a ledger without a price' 0 '' sh -c "$TWVM init free --insecure-keys --start 2026-01-01 \
    --asset 'EUR 2 alice=5' && $TWVM -d free key new gauge && $TWVM -d free deploy meter.twc \
    --as alice --role owner=alice --role sensor=gauge"
check 'needs no fuel' 1 'the ledger takes no fees' "$TWVM" -d free fuel Meter 1 --as alice
check 'and tells no fee' 1 '' grep -q fee out.1
check 'though money moves there as well' 0 'alice sent 5.00 EUR to gauge at [^,]*, gas [0-9,]*$' \
    "$TWVM" -d free transfer '5 EUR' gauge --as alice
finish
