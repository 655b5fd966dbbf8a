#!/bin/sh
# tour -- the tour of compiler/README.md, step by step: its files are written, its commands run, and
# each must print what the tour shows. `…` in a shown line stands for anything, alone on a line for
# any lines; numbers with thousands (gas, steps) need not agree.
. "${0%/*}/lib.sh"

mkdir programs steps shown tour
ln -s "$TWVM" programs/twvm
ln -s "$TWC" programs/twc
PATH=$work/programs:$PATH

# Fenced blocks to numbered steps: N.file NAME's text, N.run a command, shown/N what it prints.
awk -v steps="$work/steps/" -v shown="$work/shown/" '
    function begin() { number = sprintf("%03d", number + 1); name = steps number }
    /^## / { on = index($0, "## A tour") == 1 }
    !on { next }
    /^```(twc|csv) / && kind == "" { begin(); print $2 >(name ".file"); kind = "file"; next }
    /^```console$/ && kind == "" { kind = "console"; next }
    /^```sh$/ && kind == "" { kind = "read only"; next }
    /^```/ && kind == "" { print "a fence that is not known: " $0 >(steps "bad") }
    /^```/ { kind = ""; next }
    kind == "file" { print >(name ".file") }
    kind == "console" && /^\$ / {
        begin()
        print substr($0, 3) >(name ".run")
        printf "" >(shown number)
        next
    }
    kind == "console" { print >(shown number) }
' "$ROOT/compiler/README.md"

# shown LINES OUT ERR: do the lines agree with both streams, each in its order?
cat >compare.awk <<'AWK'
function plain(line) {
    gsub(/[0-9]+(,[0-9][0-9][0-9])+/, "#", line)
    gsub(/  +/, "  ", line)
    return line
}
function agrees(pattern, line,    parts, count, i, at) {
    count = split(plain(pattern), parts, "…")
    line = plain(line)
    if (count < 2) return plain(pattern) == line
    if (index(line, parts[1]) != 1 && parts[1] != "") return 0
    line = substr(line, length(parts[1]) + 1)
    for (i = 2; i <= count; i++) {
        if (parts[i] == "") continue
        at = index(line, parts[i])
        if (at == 0) return 0
        line = substr(line, at + length(parts[i]))
    }
    return parts[count] == "" || line == ""
}
function later_error(pattern,    i) {
    for (i = e; i <= err_count; i++) if (agrees(pattern, err[i])) return i
    return 0
}
FILENAME == ARGV[1] { shown[++shown_count] = $0; next }
FILENAME == ARGV[2] { out[++out_count] = $0; next }
{ err[++err_count] = $0 }
END {
    o = e = 1
    for (i = 1; i <= shown_count; i++) {
        if (shown[i] == "…") { any = 1; continue }
        for (at = o; any && at < out_count && !agrees(shown[i], out[at]);) at++
        if (e <= err_count && agrees(shown[i], err[e])) e++
        else if (at <= out_count && agrees(shown[i], out[at])) o = at + 1
        else if (any && (at = later_error(shown[i]))) e = at + 1
        else {
            print "# shown, but not printed: " shown[i]
            exit 1
        }
        any = 0
    }
    if (any || (o > out_count && e > err_count)) exit 0
    print "# printed, but not shown: " (o <= out_count ? out[o] : err[e])
    exit 1
}
AWK

cd tour || exit 1
for step in ../steps/*; do
    case $step in
    *.file)
        tail -n +2 "$step" >"$(head -n 1 "$step")"
        ;;
    *.run)
        sh "$step" >../out.1 2>../out.2 </dev/null
        code=$?
        awk -f ../compare.awk "../shown/$(basename "$step" .run)" ../out.1 ../out.2 >../differs
        agrees=$?
        # what ends with 1 says an error; 2 is a command that was not understood
        test "$code" -eq 0 || { test "$code" -eq 1 && grep -q 'error\|fail\|not formatted' \
            ../out.1 ../out.2; } || agrees=1
        verdict "$agrees" "$(head -c 60 "$step")"
        test "$agrees" -eq 0 || { cat ../differs && sed 's/^/# /' ../out.1 ../out.2; }
        ;;
    *) verdict 1 "$(cat "$step")" ;;
    esac
done
cd ..
test "$count" -ge 20
verdict $? 'the tour has its steps'
finish
