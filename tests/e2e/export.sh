#!/bin/sh
# export -- descriptions in DTDL and SenML, held against those kept in tests/golden.
# BLESS=1 writes them anew: read the difference before it is committed.
. "${0%/*}/lib.sh"
golden=$ROOT/tests/golden
source=$ROOT/tests/lang/ok/exports.twc

mkdir folder
check 'each description gets a file' 0 'folder/Catalogue.Sheet.dtdl.json' \
    "$TWC" export "$source" -o folder
check 'the machine of the passport' 0 'folder/AssetPassport.Machine.dtdl.json' \
    "$TWC" export "$ROOT/contracts/asset_passport.twc" -o folder
same 'and nothing else is written' "$(ls folder | wc -l)" 8
for name in AssetPassport.Machine.dtdl Catalogue.Cart.dtdl Catalogue.Cart.senml \
    Catalogue.Sheet.dtdl Catalogue.Sheet.senml Catalogue.Wheel.dtdl Catalogue.device.dtdl \
    Catalogue.shake.senml; do
    if test -n "${BLESS:-}"; then cp "folder/$name.json" "$golden/$name.json"; fi
    cmp "folder/$name.json" "$golden/$name.json" >difference 2>&1
    verdict $? "$name is as it was"
done
check 'what is written is what DTDL version 3 and SenML allow' 0 '^8 descriptions' \
    python3 "$ROOT/tests/e2e/standards.py" folder/*.json
"$TWC" export "$source" >all.json
check 'to the terminal: one array' 0 '^7$' \
    python3 -c 'import json; print(len(json.load(open("all.json"))))'
check 'no folder' 1 'no/such' "$TWC" export "$source" -o no/such
check 'nothing to export' 2 'nothing in' "$TWC" export "$ROOT/contracts/tank_guard.twc"
check 'a source with an error' 1 'E0321' \
    "$TWC" export "$ROOT/tests/lang/errors/export_dtmi_zero.twc"
check 'no file' 2 'which file' "$TWC" export
finish
