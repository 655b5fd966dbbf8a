#!/bin/sh
# asm -- a contract's machine code as text, changed by hand, and back; what the assembler refuses.
. "${0%/*}/lib.sh"

for command in asm disasm opcodes; do
    check "$command explains itself" 0 "usage: twvm .*$command" "$TWVM" "$command" --help
done
check 'the instruction set' 0 '^20 ADD  *DST_B_C .*traps Overflow' "$TWVM" opcodes
check 'and all tables' 0 '^| 20 | `ADD` | a b c |' "$TWVM" opcodes --markdown

check 'a contract is built' 0 '' "$TWC" build "$ROOT/contracts/pump_guard.twc" -o pump.twm
check 'and printed' 0 '^; module of' "$TWVM" disasm pump.twm
cp out pump.twa
check 'its text is assembled' 0 '' "$TWVM" asm pump.twa -o again.twm
check 'and printed again' 0 '^; module of' "$TWVM" disasm again.twm
same 'it is the same module' "$(head -n 1 out)" "$(head -n 1 pump.twa)"
check 'without -o it goes beside its text' 0 '' "$TWVM" asm pump.twa
same 'F.twa makes F.twm' "$(cksum <pump.twm)" "$(cksum <again.twm)"

# one instruction more: the escalation waits an hour longer
sed 's/^\( *[0-9]*  LDI      s0\) #259200000$/&\n ADDI s0 s0 #3600000/' pump.twa >later.twa
check 'a change makes another bound' 0 'note: it does not verify: .*worst case' \
    "$TWVM" asm later.twa
check 'which --bounds sets' 0 '' "$TWVM" asm later.twa --bounds
same 'without a note' "$(cat out)" ''
check 'the ledger takes it' 0 'simulated clock' "$TWVM" init l --insecure-keys --start 2026-01-01
check 'as it takes any module' 0 'deployed PumpGuard' "$TWVM" -d l deploy later.twm --as alice \
    --role owner=alice --role provider=bob --role sensor=pump1

sed 's/MOV      s11/MOVE     s11/' pump.twa >wrong.twa
check 'a mistake is told with its line' 1 \
    'wrong.twa: line [0-9]*: an instruction belongs here, not MOVE' "$TWVM" asm wrong.twa
check 'a folder is no text' 1 'cannot be read' "$TWVM" asm . -o x.twm
check 'what is not there' 1 'cannot be opened' "$TWVM" asm none.twa
check 'nor can everything be written' 1 'cannot be written' "$TWVM" asm pump.twa -o none/x.twm
cp pump.twm kept.twm
# a disk that takes nothing, not even the sentence
check 'what was there stays' 1 '' sh -c "trap '' XFSZ; ulimit -f 0; exec \"\$@\"" - \
    "$TWVM" asm later.twa --bounds -o kept.twm
check 'as it was' 0 '' cmp pump.twm kept.twm
test -z "$(find . -name '*.part')"
verdict $? 'and nothing else'
check 'a pipe is written to' 0 '' \
    sh -c '"$1" asm pump.twa -o /dev/stdout | cmp - pump.twm' - "$TWVM"
check 'a name that says nothing' 2 'say with -o where to write' "$TWVM" asm "$ROOT/README.md"
check 'a contract is no text' 1 "line 1: a module's text begins with" \
    "$TWVM" asm "$ROOT/contracts/pump_guard.twc" -o x.twm
finish
