# lib.sh -- for the scripts beside it: a folder of their own, and checks that print TAP.
#
# The environment names the programs: TWVM, TWC; ROOT is the repo. A script sources this file, calls
# check, same and differs, and ends with finish. Times of ledgers are simulated, so runs are alike.
set -u
: "${TWVM:?the path of twvm}" "${TWC:?the path of twc}" "${ROOT:?the folder of the repo}"
work=$(mktemp -d)
# processes that a script started are its own to end
started=
trap 'for process in $started; do kill -9 "$process" 2>/dev/null; done; rm -rf "$work"' EXIT
cd "$work" || exit 1
# for keys of ledgers that are not made with --insecure-keys: nothing is asked of a terminal
echo 'a passphrase of the tests' >passphrase
export TWVM_PASSPHRASE_FILE="$work/passphrase"
count=0
failures=0

verdict() # verdict PASSED TITLE
{
    count=$((count + 1))
    if test "$1" -eq 0; then
        printf 'ok %d - %s\n' "$count" "$2"
    else
        printf 'not ok %d - %s\n' "$count" "$2"
        failures=$((failures + 1))
    fi
}

# check TITLE EXIT PATTERN COMMAND...: runs it; the exit code must be EXIT, and what it printed
# (both streams, kept in `out`) must match the basic regular expression; '' matches anything.
check()
{
    title=$1 wanted=$2 pattern=$3
    shift 3
    "$@" >out.1 2>out.2 </dev/null
    code=$?
    cat out.1 out.2 >out
    if test "$code" -eq "$wanted" && { test -z "$pattern" || grep -q -e "$pattern" out; }; then
        verdict 0 "$title"
    else
        verdict 1 "$title"
        printf '# exit %d, wanted %d and "%s"\n' "$code" "$wanted" "$pattern"
        head -n 20 out | cut -c 1-300 | sed 's/^/# /'
    fi
}

same() # same TITLE A B
{
    test "$2" = "$3"
    verdict $? "$1"
    test "$2" = "$3" || printf '# %s\n# %s\n' "$2" "$3"
}

differs() # differs TITLE A B
{
    test "$2" != "$3"
    verdict $? "$1"
}

root_of() # root_of LEDGER: its state root
{
    "$TWVM" -d "$1" root | sed -n 's/^root *//p'
}

skip_all() # skip_all REASON
{
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

finish()
{
    printf '1..%d\n' "$count"
    test "$failures" -eq 0
    exit $?
}

# series START PERIOD COUNT VALUE...: rows of a table, COUNT of them, PERIOD seconds apart
series()
{
    awk -v start="$1" -v period="$2" -v count="$3" -v values="$4" 'BEGIN {
        for (i = 1; i <= count; i++) printf "%d,%s\n", start + i * period, values }'
}
