#!/bin/sh
# upgrade_reward -- a contract gets its second version on a ledger that is in use: members, stakes
# and their money stay, `migrate` makes the new state of the old, and only those named can do it.
. "${0%/*}/lib.sh"

t="$TWVM -d l"

# As the version that contracts/data_reward.twc comes from, with a way to become a member.
cat >one.twc <<'TWC'
contract DataReward version 1 {
  token DATA decimals 6 supply 1_000_000_000 DATA
  role operator
  role meter max 64
  record Member { joined: time, good: int, bad: int, missed: int }
  map members : account -> Member max 64
  purse stakes : DATA per meter
  purse pool : DATA falls to operator after 365 days
  action issue(amount: DATA) by operator { mint amount to caller }
  action give(to: account, amount: DATA) by operator { mint amount to to }
  action join() by anyone receives 100 DATA into stakes[caller] {
    grant meter to caller
    members[caller] = Member(joined: now, good: 3, bad: 1, missed: 7)
  }
  action leave() by meter {
    pay rest of stakes[caller] to caller
    remove members[caller]
    revoke meter from caller
  }
  upgrade signed by 1 of operator
}
TWC
sed 's/, missed: int }/ }/; s/, missed: 7)/)/' one.twc >other.twc

check 'a ledger' 0 '' "$TWVM" init l --insecure-keys --start 2026-01-01
check 'version 1' 0 'deployed DataReward' $t deploy one.twc --as op --role operator=op
for who in ann ben; do
    $t key new $who >/dev/null 2>&1
    check "tokens for $who" 0 'give done' $t call DataReward give to=$who 'amount=100 DATA' --as op
    check "$who joins" 0 'join done' $t call DataReward join --as $who --spend '100 DATA'
done
check 'a meter that joined has a stake' 0 'stakes of ann = 100.000000 DATA' \
    $t state DataReward

file="$ROOT/contracts/data_reward.twc"
check 'a stranger can not upgrade' 1 'signed by 1 of operator' \
    $t upgrade DataReward "$file" --as ann
check 'the operator can' 0 'from version 1 to 2' $t upgrade DataReward "$file" --as op
check 'the members came over' 0 'good: 3, bad: 1, missed: 0, banned: no' $t state DataReward
check 'and their stakes' 0 'stakes of ben = 100.000000 DATA' $t state DataReward
check 'the new view works on them' 0 'good: 3' $t view DataReward rank
check 'what version 2 asks for holds: a meter leaves after a week' 1 'StillLocked' \
    $t call DataReward leave --as ann
check 'a week later' 0 'leave done' $t call DataReward leave --as ann --time 2026-01-09
check 'version 1 does not come back' 1 'version' $t upgrade DataReward one.twc --as op
check 'the ledger can be replayed from its blocks' 0 '' $t replay

check 'a contract whose state is another' 0 'deployed' $t deploy other.twc --as op \
    --role operator=op
check 'is not what migrate comes from' 1 'old contract must declare what the stored one does' \
    $t upgrade DataReward#2 "$file" --as op
finish
