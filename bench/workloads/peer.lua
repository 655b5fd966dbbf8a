-- peer -- the workloads in Lua, for LuaJIT: see peer.c, whose data and checksums these are.
--
-- Started by bench.c, with and without -joff. Reads lines "workload seed calls" and answers with
-- "nanoseconds checksum". Numbers are doubles, which are exact here (all are below 2^53) and are not
-- checked for overflow; only the products of (d) are 64-bit integers of the FFI.
local ffi = require("ffi")
local bit = require("bit")

local floor, sqrt = math.floor, math.sqrt
local sum

local function mix(value)
    sum = (sum * 31 + value % 1000003) % 1000000007
end

local state
local function draw()
    state = state * 16807 % 2147483647
    return state
end

---- (a) and (f)

local function arithmetic(seed, rounds)
    local x, total = seed, 0
    for _ = 1, rounds do
        if x > 1000000 then
            x = x - 999983
            total = total + x
        else
            x = x * 3 + 7
            total = total - x
        end
    end
    return total
end

local function arithmetic_calls(calls, rounds)
    for _ = 1, calls do mix(arithmetic(sum % 1000000, rounds)) end
end

---- (b)

local KEPT, VALUES, PACK, PERIOD, SPAN, AGE = 64, 4096, 256, 100, 6400, 3600000
local values, ring, times, sent, total, refused, up = {}, {}, {}, 0, 0, 0, false

local function window_prepare(seed)
    state, sent, total, refused, up = seed, 0, 0, 0, false
    for i = 0, VALUES - 1 do
        local place = i % 2048
        local swing = place < 1024 and place or 2047 - place
        values[i] = 4000 + 7 * swing + draw() % 2000
    end
end

local function divide_even(number, parts)
    local quotient = floor(number / parts)
    local rest = number - quotient * parts
    if 2 * rest > parts or (2 * rest == parts and quotient % 2 ~= 0) then
        quotient = quotient + 1
    end
    return quotient
end

local function square_root(value)
    local root = floor(sqrt(value))
    while root * root > value do root = root - 1 end
    while (root + 1) * (root + 1) <= value do root = root + 1 end
    return root
end

local function root_mean_square(squares, count)
    local root = square_root(floor(squares / count))
    local half = (2 * root + 1) * (2 * root + 1) * count
    local four = 4 * squares
    if half < four or (half == four and root % 2 == 1) then root = root + 1 end
    return root
end

local function window_measure()
    local from = times[(total - 1) % KEPT] - SPAN
    local first = total < KEPT and 0 or total - KEPT
    while times[first % KEPT] <= from do first = first + 1 end
    local added, squares = 0, 0
    for n = first, total - 1 do
        local value = ring[n % KEPT]
        added = added + value
        squares = squares + value * value
    end
    return divide_even(added, total - first), root_mean_square(squares, total - first)
end

local function window_reading(now, time, value)
    local last = total > 0 and times[(total - 1) % KEPT] or time - AGE
    if time < last or now - time > AGE or value < 0 or value > 100000 or time - last < PERIOD then
        refused = refused + 1
        return
    end
    ring[total % KEPT] = value
    times[total % KEPT] = time
    total = total + 1
    local mean, level = window_measure()
    local turns
    if up then turns = mean < 20000 and level < 6000 else turns = mean > 3000 and level > 7100 end
    if turns then
        up = not up
        mix(2 * sent + (up and 1 or 0))
    end
end

local function window_calls(calls)
    for _ = 1, calls do
        local now = (sent + PACK) * PERIOD
        for _ = 1, PACK do
            local value = values[sent % VALUES]
            sent = sent + 1
            window_reading(now, sent * PERIOD, value)
        end
    end
end

local function window_finish()
    local mean, level = window_measure()
    mix(mean)
    mix(level)
    mix(up and 1 or 0)
    mix(refused)
end

---- (c)

local WINDOWS, STEP, SAMPLES = 16, 8, 4096
local samples, copy = {}, {}

local function median_prepare(seed)
    state = seed
    for w = 0, WINDOWS - 1 do samples[w] = {} end
    for n = 0, SAMPLES - 1 do
        for w = 0, WINDOWS - 1 do samples[w][n] = draw() % 100000 end
    end
    for w = 0, WINDOWS - 1 do
        for n = 0, KEPT - 1 do samples[w][SAMPLES + n] = samples[w][n] end
    end
end

local function median(from, first)
    for n = 0, KEPT - 1 do copy[n] = from[first + n] end
    local wanted, low, high = 31, 0, KEPT - 1
    while low < high do
        local middle = low + floor((high - low) / 2)
        if copy[middle] < copy[low] then copy[middle], copy[low] = copy[low], copy[middle] end
        if copy[high] < copy[low] then copy[high], copy[low] = copy[low], copy[high] end
        if copy[high] < copy[middle] then copy[high], copy[middle] = copy[middle], copy[high] end
        local pivot, i, j = copy[middle], low, high
        while i <= j do
            while copy[i] < pivot do i = i + 1 end
            while copy[j] > pivot do j = j - 1 end
            if i <= j then
                copy[i], copy[j] = copy[j], copy[i]
                i, j = i + 1, j - 1
            end
        end
        if wanted <= j then
            high = j
        elseif wanted >= i then
            low = i
        else
            break
        end
    end
    return copy[wanted]
end

local function median_calls(calls)
    for i = 0, calls - 1 do
        local added = 0
        for w = 0, WINDOWS - 1 do added = added + median(samples[w], STEP * i % SAMPLES) end
        mix(added)
    end
end

---- (d)

local ONE = 1000000000LL
local UNSIGNED_ONE, LOW = 1000000000ULL, 0xFFFFFFFFULL
local band, rshift, lshift, bor = bit.band, bit.rshift, bit.lshift, bit.bor

-- |a| * |b| in halves of 32 bits, divided in two steps.
local function scaled_product(a, b)
    local negative = (a < 0) ~= (b < 0)
    local x = ffi.cast("uint64_t", a < 0 and -a or a)
    local y = ffi.cast("uint64_t", b < 0 and -b or b)
    local low = band(x, LOW) * band(y, LOW)
    local cross1 = rshift(x, 32) * band(y, LOW) + rshift(low, 32)
    local cross2 = band(x, LOW) * rshift(y, 32) + band(cross1, LOW)
    local high = rshift(x, 32) * rshift(y, 32) + rshift(cross1, 32) + rshift(cross2, 32)
    local upper = bor(lshift(high, 32), band(cross2, LOW))
    local lower = bor(lshift(upper % UNSIGNED_ONE, 32), band(low, LOW))
    local rest = lower % UNSIGNED_ONE
    local quotient = bor(lshift(upper / UNSIGNED_ONE, 32), lower / UNSIGNED_ONE)
    if 2 * rest > UNSIGNED_ONE or (2 * rest == UNSIGNED_ONE and band(quotient, 1ULL) == 1) then
        quotient = quotient + 1
    end
    local result = ffi.cast("int64_t", quotient)
    return negative and -result or result
end

local function polynomial(seed, rounds)
    local x, added = ffi.cast("int64_t", seed), 0LL
    for _ = 1, rounds do
        local square = scaled_product(x, x)
        local y = scaled_product(square * 16 - 20 * ONE, square) + 5 * ONE
        x = scaled_product(y, x)
        if x > ONE then x = ONE - (x - ONE) end
        if x < -ONE then x = -ONE - (x + ONE) end
        added = added + x
    end
    return added
end

local function polynomial_calls(calls)
    for _ = 1, calls do
        mix(tonumber(polynomial(sum % 1000000 * 1000 + 1, 1000)))
    end
end

---- (e): keys are strings, made for each access and interned by Lua

local ACCOUNTS, TRANSFERS, FUNDS = 256, 4096, 1000000000
local PREFIX = "\22" .. ("\9"):rep(32) .. ("\0"):rep(4)
local accounts, transfers, balances = {}, {}, {}
local log_keys, log_values, log_count, done = {}, {}, 0, 0

local function put(account, value)
    local key = PREFIX .. account
    log_count = log_count + 1
    log_keys[log_count], log_values[log_count] = key, balances[key]
    balances[key] = value
end

local function transfer(from, to, amount)
    local held = balances[PREFIX .. from]
    if amount > 0 and held and held >= amount then
        put(from, held - amount)
        local other = balances[PREFIX .. to]
        if other then
            put(to, other + amount)
            log_count = 0
            return true
        end
    end
    while log_count > 0 do
        balances[log_keys[log_count]] = log_values[log_count]
        log_count = log_count - 1
    end
    return false
end

local function transfer_prepare(seed)
    state, done, log_count = seed, 0, 0
    for i = 0, ACCOUNTS - 1 do
        local bytes = {}
        for k = 1, 32 do bytes[k] = string.char(draw() % 256) end
        accounts[i] = table.concat(bytes)
        balances[PREFIX .. accounts[i]] = FUNDS
    end
    for i = 0, TRANSFERS - 1 do
        local from, to = draw() % ACCOUNTS, draw() % ACCOUNTS
        transfers[i] = {from = accounts[from], to = accounts[to], amount = 1 + draw() % 1000}
    end
end

local function transfer_calls(calls)
    for _ = 1, calls do
        local t = transfers[done % TRANSFERS]
        done = done + 1
        assert(transfer(t.from, t.to, t.amount))
    end
end

local function transfer_finish()
    for i = 0, ACCOUNTS - 1 do mix(balances[PREFIX .. accounts[i]]) end
end

---- all

if ... == "module" then return arithmetic end

local module = string.dump(assert(loadfile(arg[0])), true)

-- (f): from bytecode to the first result
local function start_calls(calls)
    for _ = 1, calls do
        local run = loadstring(module)("module")
        mix(run(sum % 1000000, 10))
    end
end

local none = function() end
local prepares = {[0] = none, window_prepare, median_prepare, none, transfer_prepare, none}
local finishes = {[0] = none, window_finish, none, none, transfer_finish, none}
local runs = {
    [0] = function(calls) arithmetic_calls(calls, 10000) end,
    window_calls, median_calls, polynomial_calls, transfer_calls, start_calls,
}

ffi.cdef [[
typedef struct { long seconds, nanoseconds; } peer_time;
int clock_gettime(int clock, peer_time *result);
]]
local time = ffi.new("peer_time")
local function clock()
    ffi.C.clock_gettime(2, time) -- what the processor spent on this process
    return tonumber(time.seconds) * 1e9 + tonumber(time.nanoseconds)
end

io.stdout:write(("0 %d\n"):format(#module))
io.stdout:flush()
for line in io.stdin:lines() do
    local workload, seed, calls = line:match("^(%d+) (%d+) (%d+)$")
    workload, sum = tonumber(workload), tonumber(seed)
    prepares[workload](sum)
    local start = clock()
    runs[workload](tonumber(calls))
    local spent = clock() - start
    finishes[workload]()
    io.stdout:write(("%.0f %.0f\n"):format(spent, sum))
    io.stdout:flush()
end
