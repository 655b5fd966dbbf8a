#!/bin/sh
# money -- a ledger with money of its own, a contract that holds some, and who has how much.
. "${0%/*}/lib.sh"

cat >club.twc <<'TWC'
contract Club version 1 {
  currency EUR decimals 2
  token POINT decimals 1 supply 1_000.0 POINT
  role owner
  role guest max 3
  record Visit { at: time, count: int }
  param fee : EUR = 10.00 EUR in 0.01 EUR .. 100.00 EUR
  purse dues : EUR falls to owner after 30 days
  purse share : EUR per guest
  map visits : account -> Visit max 10
  event Paid(amount: EUR)
  action join(who: account) by owner { grant guest to who }
  action leave(who: account) by owner { pay rest of share[who] to who revoke guest from who }
  action chase(who: account) by owner { revoke guest from who }
  action pay_fee() by guest receives fee into dues { emit Paid(amount: fee) }
  action put(amount: EUR) by guest receives amount into share[caller] { }
  action visit() by guest {
    visits[caller] = Visit(at: now, count: 1)
    mint 0.5 POINT to caller
  }
  action withdraw() by guest { pay rest of share[caller] to caller }
  view points(who: account) -> POINT { return balance(who, POINT) }
}
TWC
amount_of() # amount_of WHO: what `balances EUR` says
{
    "$TWVM" -d l balances EUR | sed -n "s/^  $1  *//p"
}

# ---- a ledger with money ----
check 'an asset needs its decimals' 2 'is not NAME DECIMALS' \
    "$TWVM" init l --insecure-keys --asset EUR
check 'and not too many of them' 2 'is not NAME DECIMALS' \
    "$TWVM" init l --insecure-keys --asset 'EUR 19'
check 'amounts have no more decimals than it' 1 'is finer than its smallest unit' \
    "$TWVM" init l --insecure-keys --asset 'EUR 2 alice=0.001'
check 'nobody begins with less than nothing' 1 'amounts above zero' \
    "$TWVM" init l --insecure-keys --asset 'EUR 2 alice=-1'
check 'nobody is named twice' 1 'each named once' \
    "$TWVM" init l --insecure-keys --asset 'EUR 2 alice=1,alice=2'
check 'an asset is there once' 1 'asset EUR is there twice' \
    "$TWVM" init l --insecure-keys --asset 'EUR 2' --asset 'EUR 2'
check 'a ledger with money' 0 '' "$TWVM" init l --insecure-keys --start 2026-01-01 \
    --asset 'EUR 2 alice=1_000.00,bob=25' --asset 'USD 2' --asset 'BIT 0 bob=7'
check 'who has how much' 0 '^EUR: there are 1_025.00 EUR' "$TWVM" -d l balances
check 'of one asset' 0 '^  bob  *7 BIT' "$TWVM" -d l balances BIT
check 'an asset that is not there' 1 'no asset XYZ; there are: ' "$TWVM" -d l balances XYZ

# ---- deploy ----
deploy() { "$TWVM" -d l deploy club.twc --as olga --role owner=olga --role guest=alice "$@"; }
check 'a currency has the decimals of its asset' 1 'EUR has 2 decimals, the asset BIT has 0' \
    deploy --currency EUR=BIT
check 'an asset that nobody knows' 1 'currency EUR: the ledger has no asset XYZ' \
    deploy --currency EUR=XYZ
check 'a currency that nobody knows' 1 'Club has no such currency' deploy --currency POINT=EUR
check 'a param of money has its range' 1 'fee is 0.00 EUR; it lies in 0.01 EUR .. 100.00 EUR' \
    deploy --param 'fee=0'
check 'a param of another money' 1 'is of another money; write 1.25 EUR' \
    deploy --param 'fee=5 USD'
check 'bound to the asset of its name' 0 'deployed Club' deploy
check 'or to another' 0 'deployed Dollars' deploy --name Dollars --currency EUR=USD

# ---- calls ----
check 'a call takes nothing unless it says so' 1 'the call may take nothing from its sender' \
    "$TWVM" -d l call Club pay_fee --as alice
check 'nor more than it says' 1 'NotEnough' \
    "$TWVM" -d l call Club pay_fee --as alice --spend '9.99 EUR'
check 'of which money?' 1 'Club knows this money: EUR, POINT' \
    "$TWVM" -d l call Club pay_fee --as alice --spend 10
check 'what moved is told' 0 '^  received 10.00 EUR from alice to dues' \
    "$TWVM" -d l call Club pay_fee --as alice --spend '10.00 EUR'
check 'a guest puts some aside' 0 'to share of alice' \
    "$TWVM" -d l call Club put amount=12.34 --as alice --spend '1_000 EUR'
check 'he is no guest of the other club' 1 'NotEnough' \
    "$TWVM" -d l call Dollars put amount=1 --as alice --spend '1 EUR'
check 'a visit is worth points' 0 '^  minted 0.5 POINT to alice' \
    "$TWVM" -d l call Club visit --as alice
check 'an amount as a result' 0 '^0.5 POINT$' "$TWVM" -d l view Club points alice
check 'and as JSON' 0 '{"value":"5","text":"0.5 POINT"}' \
    "$TWVM" -d l view Club points alice --json
check 'a guest with money is not chased away' 1 'NotMember' \
    "$TWVM" -d l call Club chase alice --as olga
same 'what is left' "$(amount_of alice)" '977.66 EUR'
same 'what the purse has' "$(amount_of 'Club dues')" '10.00 EUR'
same 'what a share has' "$(amount_of 'Club share of alice')" '12.34 EUR'

# ---- what the contract holds ----
check 'its purses' 0 'purse     dues = 10.00 EUR' "$TWVM" -d l state Club
check 'by guest' 0 'purse     share of alice = 12.34 EUR' "$TWVM" -d l state Club
check 'its maps' 0 'map       visits: 1 of at most 10' "$TWVM" -d l state Club
check 'with what is in them' 0 'alice = Visit(at: 2026-01-01T00:00:00Z, count: 1)' \
    "$TWVM" -d l state Club
check 'when the dues fall' 0 'is due at 2026-01-31T00:00:00Z' "$TWVM" -d l state Club
check 'as JSON' 0 '"purses":{"dues":{"value":"1000","text":"10.00 EUR"}' \
    "$TWVM" -d l state Club --json
check 'a token belongs to its contract' 0 '^Club.POINT: there are 0.5 POINT' \
    "$TWVM" -d l balances Club.POINT
check 'all of it as JSON' 0 '"purses":\[{"contract":"Club","purse":"dues"' \
    "$TWVM" -d l balances EUR --json

# ---- a table of calls ----
cat >calls.csv <<'CSV'
time,as,entry,amount,spend,expect
2026-01-02,alice,put,1.00,1.00 EUR,
2026-01-02,alice,put,1.00,,NotEnough
2026-01-02,alice,put,-1.00,5.00 EUR,NegativeAmount
2026-01-02,alice,withdraw,,,
CSV
check 'its help says so' 0 'spend, the most that a row may take' "$TWVM" run --help
check 'a column says what a row may take' 0 '4 calls: 2 done, 2 failed (2 as expected)' \
    "$TWVM" -d l run calls.csv --contract Club
same 'all is his again' "$(amount_of alice)" '990.00 EUR'

# ---- the clock, and everything again ----
check 'the dues fall to the owner' 0 '' "$TWVM" -d l call Club withdraw --as alice \
    --time 2026-01-31T00:00:01Z
same 'after 30 days' "$(amount_of olga)" '10.00 EUR'
check 'the story of the money' 0 'money .*paid 10.00 EUR from dues to olga' \
    "$TWVM" -d l events Club --money
check 'in one block' 0 'money received 10.00 EUR from alice to dues' "$TWVM" -d l blocks 5
check 'every block again' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
