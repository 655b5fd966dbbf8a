#!/bin/sh
# epcis -- EPCIS 2.0 documents through `twvm epcis` and `twvm run` into the passport of vehicles.
#
# The documents here are small and made for the test. With TWVM_TEST_DATA the openepcis test
# resources go the same way: every valid one, and each invalid one is refused.
. "${0%/*}/lib.sh"

document() # document EVENT...: a whole document with these events
{
    printf '{"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],'
    printf '"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-01-01T00:00:00Z",'
    printf '"epcisBody":{"eventList":[%s]}}\n' "$*"
}

event() # event TIME ACTION STEP CHILDREN [MORE]
{
    printf '{"type":"AssociationEvent","eventTime":"%s","eventTimeZoneOffset":"+01:00",' "$1"
    printf '"parentID":"urn:epc:id:grai:1.2.3","action":"%s","bizStep":"%s",' "$2" "$3"
    printf '"childEPCs":[%s]%s}' "$4" "${5:-}"
}

a='"urn:epc:id:giai:1.a"' b='"urn:epc:id:giai:1.b"'
document "$(event 2026-01-01T12:00:00+01:00 ADD installing "$a,$b")",\
"$(event 2026-01-02T12:00:00+01:00 DELETE removing "$a")",\
"$(event 2026-01-03T12:00:00+01:00 OBSERVE inspecting "$b")",\
"$(event 2026-01-04T12:00:00+01:00 DELETE removing "" )" >good.json
check 'a document gives calls' 0 '4 events, 4 calls' "$TWVM" epcis good.json
cp out.1 calls.csv
same 'two parts in, one out, then all' \
    "$(cut -d, -f3 calls.csv | tail -n +2 | tr '\n' ' ')" 'install install remove remove_all '

"$TWVM" init l --insecure-keys --start 2025-12-31 >/dev/null
"$TWVM" -d l deploy "$ROOT/contracts/vehicle_passport.twc" --as m --role manufacturer=m \
    --role workshop=workshop >/dev/null 2>&1
cat >make.csv <<'CSV'
as,entry,machine,part,model,for_
m,build,urn:epc:id:grai:1.2.3,,crate,m
m,make,,urn:epc:id:giai:1.a,lid,m
m,make,,urn:epc:id:giai:1.b,lid,m
CSV
check 'vehicle and parts are made' 0 '3 calls: 3 done' \
    "$TWVM" -d l run make.csv --contract VehiclePassport
check 'the calls of the document' 0 '4 calls: 4 done' \
    "$TWVM" -d l run calls.csv --contract VehiclePassport
check 'nothing is fitted in the end' 0 '^0$' \
    "$TWVM" -d l view VehiclePassport parts_in machine=urn:epc:id:grai:1.2.3
hash=$(sed -n '2s/.*,//p' calls.csv)
check 'the history names the event' 0 "$hash" "$TWVM" -d l history VehiclePassport \
    --of vehicles:urn:epc:id:grai:1.2.3
sed -n '1p;s/^2026-01-02/2026-02-02/p' calls.csv >again.csv
check 'a second time the part is not there' 1 'remove: NoKey' \
    "$TWVM" -d l run again.csv --contract VehiclePassport

refused() # refused TITLE PATTERN EVENT
{
    document "$3" >bad.json
    check "$1" 1 "$2" "$TWVM" epcis bad.json
    same "$1: no calls" "$(tail -n +2 out.1)" ''
}
refused 'a time that is none' 'eventTime: "yesterday" is no time' \
    "$(event yesterday ADD installing "$a")"
refused 'a step of no vocabulary' 'bizStep: "glueing" is no word' \
    "$(event 2026-01-01T12:00:00Z ADD glueing "$a")"
refused 'an action that is none' 'action: "CREATE" is no action' \
    "$(event 2026-01-01T12:00:00Z CREATE installing "$a")"
refused 'a field of no event' 'weight: is no field' \
    "$(event 2026-01-01T12:00:00Z ADD installing "$a" ',"weight":5')"
document "$(event 2026-01-01T12:00:00Z ADD installing "$a" \
    ',"errorDeclaration":{"declarationTime":"2026-01-02T12:00:00Z"}')" >taken_back.json
check 'an event that was declared an error' 0 'declared to be in error and left out' \
    "$TWVM" epcis taken_back.json
printf '{"type":' >cut.json
check 'a file that is cut' 1 'cut.json:1:' "$TWVM" epcis cut.json

data=${TWVM_TEST_DATA:-}/epcis/Capture
test -d "$data/Documents" || finish
valid=0 accepted=0
for file in "$data"/Documents/*.json "$data"/Events/*.json; do
    valid=$((valid + 1))
    "$TWVM" epcis "$file" >"calls.$valid" 2>/dev/null && accepted=$((accepted + 1))
done
same "valid documents that are taken, of $valid" "$accepted" "$valid"
bad=0 turned=0
for file in "$data"/Invalid/*.json; do
    bad=$((bad + 1))
    "$TWVM" epcis "$file" >/dev/null 2>"why.$bad" || turned=$((turned + 1))
    sed -n '1s/^/# /p' "why.$bad" | sed "s,$data/,,"
done
same "invalid documents that are refused, of $bad" "$turned" "$bad"

# each document on a ledger of its own, with the parts that it names
works=0 documents=0 calls=0
for file in calls.*; do
    case $file in calls.csv) continue ;; esac
    test "$(wc -l <"$file")" -gt 1 || continue
    documents=$((documents + 1))
    tail -n +2 "$file" | awk -F, -v quote='"' '
        BEGIN { print "as,entry,machine,part,model,for_,document"
                for (i = 0; i < 64; i++) none = none "0" }
        { gsub(quote, "") }
        !($4 in seen) { seen[$4]; print "m,build," $4 ",,crate,m," }
        $5 != "" && !($5 in part) { part[$5]; print "m,make,," $5 ",part,m," }
        $3 == "remove" && !($5 in fitted) {
            fitted[$5]; print "workshop,install," $4 "," $5 ",,," none }
        $3 == "install" { fitted[$5] }' >make.csv
    # a part that is in already, here or elsewhere, is refused
    awk -F, 'NR == 1 { print $0 ",expect"; next }
        { twice = $3 == "install" && ($5 in fitted)
          print $0 "," (twice ? "Attached" : "") }
        $3 == "install" { fitted[$5] }
        $3 == "remove" { delete fitted[$5] }' "$file" >checked.csv
    rm -rf own
    "$TWVM" init own --insecure-keys --start 2010-01-01 >/dev/null
    "$TWVM" -d own deploy "$ROOT/contracts/vehicle_passport.twc" --as m --role manufacturer=m \
        --role workshop=workshop >/dev/null 2>&1
    "$TWVM" -d own run make.csv --contract VehiclePassport >/dev/null 2>&1 &&
        "$TWVM" -d own run checked.csv --contract VehiclePassport >done.txt 2>&1 &&
        works=$((works + 1)) || head -n 3 done.txt | sed "s/^/# /"
    calls=$((calls + $(tail -n +2 "$file" | wc -l)))
done
same "documents whose $calls calls end as they must, of $documents" \
    "$works" "$documents"
finish
