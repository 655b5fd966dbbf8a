#!/bin/sh
# search -- fuzz tests: what they find is printed as a test that fails when it is pasted.
. "${0%/*}/lib.sh"

cat >account.twc <<'END'
contract Account version 1 {
  currency EUR decimals 2
  role owner
  role worker max 3
  role sensor
  reading level : length from sensor field "level"
    range 0 m .. 10 m rate 1 per 1 s keep 60 max_age 1 min
  enum Kind { Small, Large }
  record Job { what: text(8), kind: Kind, due: time?, parts: list of int max 5 }
  var total : int = 0
  var opened : time?
  var jobs : int = 0
  var kept : Job?
  var high : bool = no
  phases Idle -> Busy -> Idle
  alarm full raise when level above 9 m for 10 s clear when level below 1 m
  on full raised { high = yes }
  on level silent for 1 h { high = no }
  action add(n: int) by worker in Idle
    needs n in 1 .. 100
  { total += n }
  action begin() signed by 2 of worker in Idle { opened = now go Busy }
  action end(job: Job, secret: hash, w: worker) by owner in Busy {
    jobs += count(job.parts)
    kept = job
    go Idle
  }
  view long() -> bool { match opened { none { return no } some t { return now - t > 3 h } } }
  test fuzz "the total stays below 150" runs 300 steps 20 { expect total < 150 }
  test fuzz "nothing takes long" runs 300 steps 20 { expect phase == Busy implies not long() }
  test fuzz "never high" runs 300 steps 20 {
    as worker 1 call add(1)
    expect total > 0
    expect not high
  }
  test fuzz "few parts" runs 300 steps 20 { expect jobs < 3 }
  // PASTE
}
END

check 'what breaks is found' 1 '4 failed' "$TWVM" test account.twc
cp out found
grep -q 'broken by run' found
verdict $? 'which run, and how much is left of it'
"$TWVM" test account.twc 2>/dev/null >again
same 'a search is the same each time' "$(cat again)" "$(grep -v '^twvm:' found)"

# the blocks: from `  test "` to the brace in its column
sed -n '/^  test "/,/^  }/p' found >blocks
same 'a block for each' "$(grep -c '^  test "' blocks)" 4
awk '/^  test fuzz/ { skip = 1 } !skip { print } skip && /}$/ { skip = 0 }' <account.twc |
    sed '/PASTE/r blocks' >pasted.twc
check 'pasted, they compile' 0 '' "$TWC" check pasted.twc
check 'and all of them fail, nothing else does' 1 '^0 passed, 4 failed' "$TWVM" test pasted.twc
grep -q 'expect total < 150$' out && grep -q 'expect not high$' out &&
    grep -q 'expect jobs < 3$' out
verdict $? 'by the same expectations'
same 'a long job is a call and a pause of three hours and no more' \
    "$(sed -n '/takes long/,/^  }/p' blocks | grep -c 'advance 3 h + 1 ms')" 1
same 'no step that fails is left' "$(grep -c 'expect fail' blocks)" 0

check 'as JSON' 1 '"failed_run":"' "$TWVM" test --json account.twc
check 'with the block' 1 '"block":"test ..few parts, run' "$TWVM" test --json account.twc
check 'and what was done' 1 '"action":"add","calls":"[0-9]*","done":"' \
    "$TWVM" test --json account.twc

cat >good.twc <<'END'
contract Good version 1 {
  role owner
  var n : int = 0
  error Never()
  action up() by owner { n += 1 }
  action never() by owner needs n < 0 else Never() { n = 0 }
  every 1 h { n = n / (n / 10) }
  test fuzz "never below" runs 10 steps 5 { expect n >= 0 }
}
END
check 'a search that finds nothing' 0 '10 runs, 50 steps; calls done: up [0-9]* of [0-9]*, never' \
    "$TWVM" test good.twc
check 'says which timers failed' 0 'note: every 1 h failed [0-9]* times, first by DivideByZero' \
    "$TWVM" test good.twc
check 'says what it did not reach' 0 'note: never was never done' "$TWVM" test good.twc
check '--runs' 0 '77 runs, 385 steps' "$TWVM" test --runs 77 good.twc
"$TWVM" test good.twc >seed.0
"$TWVM" test --seed 1 good.twc >seed.1
"$TWVM" test --seed 1 good.twc >seed.1.again
differs '--seed searches elsewhere' "$(cat seed.0)" "$(cat seed.1)"
same 'and the same with the same seed' "$(cat seed.1)" "$(cat seed.1.again)"
check '--seed is a number' 2 'seed' "$TWVM" test --seed elsewhere good.twc
check '--runs is one above 0' 2 'runs' "$TWVM" test --runs 0 good.twc

# more formulas than a module has room for
awk 'BEGIN {
    print "contract Many version 1 {\n  role owner\n  var n : int = 0"
    print "  action up(k: int) by owner { n += k }\n  test \"many\" {"
    for (i = 1; i <= 700; i++) printf "    as owner call up(n - n + 1)\n    expect n == %d\n", i
    print "    expect n == 1\n  }\n}" }' >many.twc
check 'a test of 1,401 formulas' 1 'it is 700 against 1$' "$TWVM" test many.twc
finish
