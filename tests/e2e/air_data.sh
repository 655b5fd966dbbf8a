#!/bin/sh
# air_data -- three air sensors of the US EPA beside a regulatory station, 1 to 14 August 2019,
# through contracts/air_data_reward.twc: who is right how often is worked out here from the files
# alone, and must be what the contract counted and paid.
#
# TWVM_TEST_DATA names a folder with epa_colocated/*.csv; without it this is skipped.
. "${0%/*}/lib.sh"

data=${TWVM_TEST_DATA:-}/epa_colocated
test -f "$data/airnowtech_example_reference_data.csv" || skip_all 'no epa_colocated is there'
days=14
case $TWVM in *san*) days=2 ;; esac

# one table, in the order of time: minutes since 1 August 0:00 local, device, o3, rh
for n in 1 2 3; do
    tr -d '\r' <"$data/toco_toucan_RT0${n}_raw.first14days.csv" |
        awk -F, -v device="RT0$n" -v days="$days" 'FNR > 7 {
            split($1, t, " "); split(t[1], d, "/"); split(t[2], h, ":")
            if (d[2] <= days) printf "%d,%s,%s,%s,,\n",
                (d[2] - 1) * 1440 + h[1] * 60 + h[2], device, $3, $6 }'
done >minutes.csv
tr -d '\r' <"$data/airnowtech_example_reference_data.csv" | awk -F, -v days="$days" '
    $4 == "O3" || $4 == "RHUM" {
        split($11, d, "/"); split($12, h, ":")
        if (d[1] == 8 && d[2] <= days) {
            at = (d[2] - 1) * 1440 + h[1] * 60
            if ($4 == "O3") o3[at] = $14; else rh[at] = $14
            seen[at] } }
    END { for (at in seen) printf "%d,station,,,%s,%s\n", at, o3[at], rh[at] }' >hours.csv
sort -t, -k1,1n -k2,2 hours.csv minutes.csv | awk -F, '
    BEGIN { print "minute,device,o3,rh,o3_ref,rh_ref" } { print }' >table.csv

# from the files alone: per device and hour the mean, and whether it lies within the band
tail -n +2 table.csv | awk -F, '
    { hour = int($1 / 60) }
    $2 == "station" { if ($5 != "") ro[hour] = $5; if ($6 != "") rr[hour] = $6; next }
    { devices[$2]; if (hour > last) last = hour }
    $3 != "" && $3 >= -20 && $3 <= 500 { so[$2, hour] += $3; no[$2, hour]++ }
    $4 != "" && $4 >= 0 && $4 <= 100 { sr[$2, hour] += $4; nr[$2, hour]++ }
    function off(x) { return x < 0 ? -x : x }
    END { for (d in devices) {
        a = b = e = f = 0
        for (h = 0; h <= last; h++) {
            if ((h in ro) && no[d, h]) if (off(so[d, h] / no[d, h] - ro[h]) <= 10) a++; else b++
            if ((h in rr) && nr[d, h]) if (off(sr[d, h] / nr[d, h] - rr[h]) <= 8) e++; else f++
        }
        printf "%s %d %d %d %d\n", d, a, b, e, f } }' | sort >truth

"$TWVM" init l --insecure-keys --start 2019-08-01T05:00:00Z >/dev/null
for key in RT01 RT02 RT03; do "$TWVM" -d l key new "$key" >/dev/null; done
"$TWVM" -d l deploy "$ROOT/contracts/air_data_reward.twc" --as city --role city=city \
    --role station=station >/dev/null 2>&1
"$TWVM" -d l call AirDataReward issue amount='100_000 AIR' to=city --as city >/dev/null
"$TWVM" -d l call AirDataReward fill amount='100_000 AIR' --as city \
    --spend '100_000 AIR' >/dev/null
for key in RT01 RT02 RT03; do
    "$TWVM" -d l call AirDataReward issue amount='100 AIR' to="$key" --as city >/dev/null
    "$TWVM" -d l call AirDataReward join --as "$key" --spend '100 AIR' >/dev/null
done
check "readings of $days days" 0 'refused' "$TWVM" -d l feed AirDataReward table.csv --by device \
    --as '{}' --time 'minute*1min' --start 2019-08-01T05:00:00Z --round \
    --map ozone=o3:ppb --map humid=rh:%RH --map ozone_ref=o3_ref:ppb --map humid_ref=rh_ref:%RH
head -n 30 out | sed 's/^/# /'
# the last hour is judged when it is over
"$TWVM" -d l call AirDataReward issue amount='1 AIR' to=city --as city \
    --time "2019-08-$((days + 1))T05:00:00Z" >/dev/null
for key in RT01 RT02 RT03; do
    # Score(joined: ..., ozone_good: 3, ..., earned: 0.3 AIR, lost: 0 AIR)
    "$TWVM" -d l view AirDataReward score who="$key" | tr -d '()' | awk -v key="$key" '
        { n = split($0, part, ", ")
          for (i = 2; i <= n; i++) { split(part[i], word, " "); key = key " " word[2] }
          print key }'
done >scores
cut -d' ' -f1-5 scores >counted
sed 's/^/# /' scores
cmp -s counted truth
verdict $? 'hours right and wrong, by sensor and quantity, are those of the files'
diff truth counted | sed 's/^/# /'
least=$(sort -k5,5n scores | sort -t' ' -k6,6n | head -n 1 | cut -d' ' -f1)
same 'RT01 has the least right hours of humidity, and RT03 of ozone' \
    "$(sort -k4,4n counted | head -n 1 | cut -d' ' -f1) \
$(sort -k2,2n counted | head -n 1 | cut -d' ' -f1)" 'RT01 RT03'
printf '# earns least: %s\n' "$least"
paid=$(awk '{ sum += 0.1 * ($2 + $4) } END { printf "%.6f", sum }' counted)
earned=$(awk '{ gsub("_", "", $6); sum += $6 } END { printf "%.6f", sum }' scores)
same 'each right hour earned its reward' "$earned" "$paid"
check 'replay agrees' 0 'every root and receipt agrees' "$TWVM" -d l replay
finish
