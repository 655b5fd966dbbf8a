#!/bin/sh
# fmt -- `twc fmt`: every source of the repo keeps its meaning and its comments, and formatting
# again changes nothing; what does not compile is left alone.
. "${0%/*}/lib.sh"

cat >messy.twc <<'TWC'
/// Says what it is.
contract   Messy version 1{
role owner // who
  role sensor     // what
      param  a:velocity=7.1   mm/s in 1 mm/s..30 mm/s
  param longer : duration = 10 min in 1 min .. 15 min


  reading heat:temperature from sensor field "t"
  range -40 °C..200 °C rate 1 per 1 s keep 900 max_age 2 min
var n:int=0
  enum Mood{Good,Bad}
  event E(x:int,y:int)
  action go(x:int)by owner
  needs x>-1 and
  x<10
  {

      // inside
    n=n+x*(2-1)
   if n>5{emit E(x:n,y:-1)}else{
   n-=1
    }

  }
  action swap(old:account,new:account) by owner{revoke sensor from old
  grant sensor to new}
  action mood() by owner { let m=Good match m{Good{n=1}Bad{n=2}}
  if a>0 mm/s and longer>0 s{stop} }
  view v()->int{return n}
  test "t"{ feed heat -10 °C every 1 s
    for 3 s
  as owner call go( 3 ) expect v()==3 }
}
TWC
cp messy.twc first.twc
check 'a messy source' 0 '' "$TWC" fmt first.twc
cat >wanted.twc <<'TWC'
/// Says what it is.
contract Messy version 1 {
  role owner   // who
  role sensor  // what
  param a      : velocity = 7.1 mm/s in 1 mm/s .. 30 mm/s
  param longer : duration = 10 min   in 1 min .. 15 min

  reading heat : temperature from sensor field "t"
    range -40 °C .. 200 °C rate 1 per 1 s keep 900 max_age 2 min
  var n : int = 0
  enum Mood { Good, Bad }
  event E(x: int, y: int)
  action go(x: int) by owner
    needs x > -1 and
    x < 10
  {
    // inside
    n = n + x * (2 - 1)
    if n > 5 { emit E(x: n, y: -1) } else {
      n -= 1
    }
  }
  action swap(old: account, new: account) by owner { revoke sensor from old
    grant sensor to new }
  action mood() by owner { let m = Good match m { Good { n = 1 } Bad { n = 2 } }
    if a > 0 mm/s and longer > 0 s { stop } }
  view v() -> int { return n }
  test "t" { feed heat -10 °C every 1 s
      for 3 s
    as owner call go(3) expect v() == 3 }
}
TWC
cmp -s first.twc wanted.twc
verdict $? 'is laid out'
diff wanted.twc first.twc | sed 's/^/# /'
check 'and then is as it should be' 0 '' "$TWC" fmt --check first.twc
check 'a file that is not is named' 1 'messy.twc is not formatted' "$TWC" fmt --check messy.twc
printf 'contract X version 1 { role r action a() by q {} }\n' >broken.twc
cp broken.twc before.twc
check 'a source with an error is left alone' 1 'there is no role `q`' "$TWC" fmt broken.twc
cmp -s broken.twc before.twc
verdict $? 'byte for byte'
check 'a file that is not there' 1 "can't read nowhere.twc" "$TWC" fmt nowhere.twc
check 'no file' 2 'which file' "$TWC" fmt

# hashes of all modules; the last line says that none is the one asked for
modules() # modules FILE
{
    "$TWC" verify "$1" "$(printf '%064d' 0)" 2>/dev/null
}

comments() # comments FILE: in their order
{
    grep -o '//.*' "$1" | sed 's/[[:space:]]*$//'
}

bad=0 files=0
for file in "$ROOT"/contracts/*.twc "$ROOT"/stdlib/*.twc "$ROOT"/tests/lang/ok/*.twc \
    "$ROOT"/tests/lang/behaves/*.twc; do
    test -f "$file" || continue
    cp "$file" one.twc
    "$TWC" fmt one.twc 2>/dev/null || continue # what imports a neighbour is not moved
    files=$((files + 1))
    cp one.twc two.twc
    "$TWC" fmt two.twc
    cmp -s one.twc two.twc || { bad=$((bad + 1)); echo "# not the same again: $file"; }
    test "$(modules "$file")" = "$(modules one.twc)" || {
        bad=$((bad + 1)); echo "# another module: $file"; }
    test "$(comments "$file")" = "$(comments one.twc)" || {
        bad=$((bad + 1)); echo "# other comments: $file"; }
done
test "$bad" -eq 0 && test "$files" -gt 10
verdict $? "$files sources keep module and comments, and stay as they are"
check 'the contracts are formatted' 0 '' "$TWC" fmt --check "$ROOT"/contracts/*.twc

# a module says from which source it was made
cp "$ROOT/contracts/tank_guard.twc" here.twc
hash=$("$TWC" verify here.twc "$(printf '%064d' 0)" 2>/dev/null | sed 's/.*: //')
check 'the same source gives the same module' 0 ', the same' "$TWC" verify here.twc "$hash"
check 'under another name, place and language' 0 ', the same' \
    env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Asia/Tokyo "$TWC" verify ./here.twc "$hash"
check 'another does not' 1 'another source, or another version' \
    "$TWC" verify "$ROOT/contracts/pump_guard.twc" "$hash"
check 'a version' 0 'twc [0-9.]* (module format' "$TWC" --version
finish
