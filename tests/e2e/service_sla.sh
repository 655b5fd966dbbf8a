#!/bin/sh
# service_sla -- the City of Boston's repair requests of 2015 through contracts/service_sla.twc: who
# is paid in full is who was on time, by the city's own books, and every cent is accounted for.
#
# TWVM_TEST_DATA names a folder with boston311/*.csv; without it this is skipped.
. "${0%/*}/lib.sh"

data=${TWVM_TEST_DATA:-}/boston311
test -f "$data/traffic_signal_repair.csv" || skip_all 'TWVM_TEST_DATA has no boston311'

# Times are local, without a zone; as the contract only compares them they stay as they are.
# The rows of the books as: kind, id, opened, target, closed, status
cat "$data/traffic_signal_repair.csv" "$data/equipment_repair.csv" | tr -d '\r' | awk -F, '
function iso(text,   d, t) {
    if (text == "") return ""
    split(text, t, " "); split(t[1], d, "/"); split(t[2], h, ":")
    hour = h[1] % 12 + (t[3] == "PM" ? 12 : 0)
    return sprintf("%s-%s-%sT%02d:%s:%sZ", d[3], d[1], d[2], hour, h[2], h[3])
}
$1 ~ /^[0-9]+$/ { print $1 "," iso($2) "," iso($3) "," iso($4) "," $5 }' >books.csv
same 'all rows of the books' "$(wc -l <books.csv)" 3824
# with sanitizers in it the program is slow: then every eighth row will do
every=1
case $TWVM in *san*) every=8 ;; esac
awk -v every="$every" 'NR % every == 0' books.csv >some.csv && mv some.csv books.csv
rows=$(wc -l <books.csv)

# opens before closes at one time; what was closed before it was opened is told
awk -F, '{
    print $2 ",1,client,open," $1 "," $3
    if ($4 != "") print $4 ",2,contractor,close," $1 ","
}' books.csv | sort -t, -k1,1 -k2,2n | awk -F, '
    BEGIN { print "time,as,entry,id,target,spend" }
    { print $1 "," $3 "," $4 "," $5 "," $6 "," ($4 == "open" ? "250.00 USD" : "") }' >calls.csv
closed=$(awk -F, '$4 != ""' books.csv | wc -l)
judged=$(awk -F, '$4 != "" && $3 != ""' books.csv | wc -l)
test "$every" -gt 1 || same 'closed ones with a target' "$judged" 3513

"$TWVM" init l --insecure-keys --start 2014-12-31 --asset 'USD 2 client=10000000.00' >/dev/null
"$TWVM" -d l deploy "$ROOT/contracts/service_sla.twc" --as client --role client=client \
    --role contractor=contractor --currency USD=USD >/dev/null 2>&1
check "$((rows + closed)) calls" 0 '"failed":"0"' \
    "$TWVM" -d l run calls.csv --contract ServiceSla --json
same 'each of them done' "$(sed 's/.*"done":"\([0-9]*\)".*/\1/' out.1)" "$((rows + closed))"

"$TWVM" -d l events ServiceSla --kind Closed --csv | tail -n +2 |
    sed 's/.*id: \([^,]*\), on_time: \([a-z]*\),.*paid: \([0-9_.]*\) USD.*/\1,\2,\3/' | tr -d '_"' |
    sort >paid.csv
awk -F, '$4 != "" && $3 != "" { print $1 "," ($5 == "ONTIME" ? "yes" : "no") }' books.csv |
    sort >known.csv
cut -d, -f1,2 paid.csv | sort | comm -12 - known.csv >agree.csv
same 'paid in full is on time, for every closed one with a target' "$(wc -l <agree.csv)" "$judged"
full=$(awk -F, '$2 == "yes" && $3 != "250.00"' paid.csv | wc -l)
same 'on time is 250.00' "$full" 0
cut_below=$(awk -F, '$2 == "no" && ($3 > 250 || $3 < 150)' paid.csv | wc -l)
same 'late is 150.00 to 250.00' "$cut_below" 0

# the rest is given up, and then nothing is left
awk -F, '$4 == "" { print "2019-01-01T00:00:00Z,client,give_up," $1 }' books.csv |
    { echo time,as,entry,id && cat; } >rest.csv
check 'what was never closed is given up' 0 ' 0 failed' \
    "$TWVM" -d l run rest.csv --contract ServiceSla
check 'no order is open' 0 '^0$' "$TWVM" -d l view ServiceSla open_orders
"$TWVM" -d l balances --json >balances.json
check 'nothing is left in the purse' 0 '' sh -c '! grep -q escrow balances.json ||
    grep -q "escrow.*\"0" balances.json'
paid=$(awk -F, '{ gsub(/\./, "", $3); sum += $3 } END { printf "%d", sum }' paid.csv)
have=$("$TWVM" -d l balances | awk '$1 == "contractor" { gsub(/[_.]/, "", $2); print $2; exit }')
left=$("$TWVM" -d l balances | awk '$1 == "client" { gsub(/[_.]/, "", $2); print $2; exit }')
same 'the contractor has what he was paid, to the cent' "$have" "$paid"
same 'and the client the rest' "$((have + left))" 1000000000
check 'replay agrees' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
