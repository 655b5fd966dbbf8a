/* peer -- see peer.h. The same work as the contracts beside it: the same data, the same checks, the
 * same roundings. Written as one would write it in C: no operation is there for its own sake.
 *
 * PEER(name) puts the prefix before a name; CHECKED is 1 or 0. WebAssembly has no 128-bit division
 * without a library, so there (PORTABLE) it is done by parts. SMALL leaves out (e): a module of the
 * size that (f) wants.
 */
#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#if PORTABLE
/* A product of 128 bits is a call there, and these factors are small. */
static bool multiply(int64_t a, int64_t b, int64_t *ret_product)
{
    if (a != (int32_t)a || b != (int32_t)b) return __builtin_mul_overflow(a, b, ret_product);
    *ret_product = a * b;
    return false;
}
#endif

#if CHECKED
#define ADD(a, b, result) __builtin_add_overflow(a, b, result)
#define SUB(a, b, result) __builtin_sub_overflow(a, b, result)
#if PORTABLE
#define MUL multiply
#else
#define MUL(a, b, result) __builtin_mul_overflow(a, b, result)
#endif
#else
#define ADD(a, b, result) (*(result) = (a) + (b), false)
#define SUB(a, b, result) (*(result) = (a) - (b), false)
#define MUL(a, b, result) (*(result) = (a) * (b), false)
#endif

enum { ARITHMETIC, WINDOW, MEDIAN, POLYNOMIAL, TRANSFER, START };

static uint64_t sum; /* of the present run: always below 1,000,000,007 */

static void mix(int64_t value)
{
    const int64_t small = value % 1000003;
    sum = (sum * 31 + (uint64_t)(small < 0 ? small + 1000003 : small)) % 1000000007;
}

static uint32_t draw(uint32_t *state) /* 1 .. 2^31 - 2 */
{
    *state = (uint32_t)((uint64_t)*state * 16807 % 2147483647);
    return *state;
}

/* ---- (a) and (f) ---- */

static bool arithmetic(int64_t seed, uint32_t rounds, int64_t *ret_sum)
{
    int64_t x = seed;
    int64_t total = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        if (x > 1000000) {
            if (SUB(x, 999983, &x) || ADD(total, x, &total)) return false;
        } else {
            int64_t tripled = 0;
            if (MUL(x, 3, &tripled) || ADD(tripled, 7, &x)) return false;
            if (SUB(total, x, &total)) return false;
        }
    }
    *ret_sum = total;
    return true;
}

static bool arithmetic_calls(uint32_t calls, uint32_t rounds)
{
    for (uint32_t i = 0; i < calls; i++) {
        int64_t total = 0;
        if (!arithmetic((int64_t)(sum % 1000000), rounds, &total)) return false;
        mix(total);
    }
    return true;
}

/* ---- (b) ---- */

enum { KEPT = 64, VALUES = 4096, PACK = 256, PERIOD_MS = 100, SPAN_MS = 6400, AGE_MS = 3600000 };

static struct {
    int64_t values[VALUES]; /* what the sensor says, again and again */
    uint64_t sent;
    int64_t ring[KEPT], times[KEPT];
    uint64_t total, refused;
    bool up;
} window;

static void window_prepare(uint32_t seed)
{
    memset(&window, 0, sizeof window);
    for (int i = 0; i < VALUES; i++) {
        const int place = i % 2048;
        const int swing = place < 1024 ? place : 2047 - place;
        window.values[i] = 4000 + 7 * swing + (int64_t)(draw(&seed) % 2000);
    }
}

/* number / parts, rounded half to even; parts is above 0 */
static int64_t divide_even(int64_t number, int64_t parts)
{
    int64_t quotient = number / parts;
    const int64_t rest = number % parts;
    const int64_t size = rest < 0 ? -rest : rest;
    if (2 * size > parts || (2 * size == parts && quotient % 2 != 0)) quotient += rest < 0 ? -1 : 1;
    return quotient;
}

static uint64_t square_root(uint64_t value) /* floor, by Newton's method from above */
{
    if (value < 2) return value;
    uint64_t root = (uint64_t)1 << ((65 - __builtin_clzll(value)) / 2);
    for (;;) {
        const uint64_t next = (root + value / root) / 2;
        if (next >= root) return root;
        root = next;
    }
}

static int64_t root_mean_square(int64_t squares, int64_t count)
{
    uint64_t root = square_root((uint64_t)(squares / count));
    const uint64_t half = (2 * root + 1) * (2 * root + 1) * (uint64_t)count;
    const uint64_t four = 4 * (uint64_t)squares;
    if (half < four || (half == four && root % 2 == 1)) root++;
    return (int64_t)root;
}

/* Of the readings of the last 6.4 s before and with the newest. */
static bool window_measure(int64_t *ret_mean, int64_t *ret_level)
{
    const int64_t from = window.times[(window.total - 1) % KEPT] - SPAN_MS;
    uint64_t first = window.total < KEPT ? 0 : window.total - KEPT;
    while (window.times[first % KEPT] <= from) first++;
    int64_t total = 0;
    int64_t squares = 0;
    for (uint64_t n = first; n < window.total; n++) {
        const int64_t value = window.ring[n % KEPT];
        int64_t square = 0;
        if (ADD(total, value, &total) || MUL(value, value, &square)) return false;
        if (ADD(squares, square, &squares)) return false;
    }
    const int64_t count = (int64_t)(window.total - first);
    *ret_mean = divide_even(total, count);
    *ret_level = root_mean_square(squares, count);
    return true;
}

static bool window_reading(int64_t now, int64_t time, int64_t value)
{
    const int64_t last = window.total > 0 ? window.times[(window.total - 1) % KEPT] : time - AGE_MS;
    if (time < last || now - time > AGE_MS || value < 0 || value > 100000 ||
        time - last < PERIOD_MS) {
        window.refused++;
        return true;
    }
    window.ring[window.total % KEPT] = value;
    window.times[window.total % KEPT] = time;
    window.total++;
    int64_t mean = 0;
    int64_t level = 0;
    if (!window_measure(&mean, &level)) return false;
    const bool turns = window.up ? mean < 20000 && level < 6000 : mean > 3000 && level > 7100;
    if (!turns) return true;
    window.up = !window.up;
    mix((int64_t)(2 * window.sent + window.up));
    return true;
}

static bool window_calls(uint32_t calls)
{
    for (uint32_t i = 0; i < calls; i++) {
        const int64_t now = (int64_t)(window.sent + PACK) * PERIOD_MS;
        for (int k = 0; k < PACK; k++) {
            const int64_t value = window.values[window.sent % VALUES];
            window.sent++;
            if (!window_reading(now, (int64_t)window.sent * PERIOD_MS, value)) return false;
        }
    }
    return true;
}

static void window_finish(void)
{
    int64_t mean = 0;
    int64_t level = 0;
    if (!window_measure(&mean, &level)) return;
    mix(mean);
    mix(level);
    mix(window.up);
    mix((int64_t)window.refused);
}

/* ---- (c) ---- */

/* Between two calls each window goes on by some samples: branches that were learned by heart would
 * flatter a selection. */
enum { WINDOWS = 16, STEP = 8, SAMPLES = 4096 };

static int64_t samples[WINDOWS][SAMPLES + KEPT]; /* the last ones are the first again */

static void median_prepare(uint32_t seed)
{
    for (int n = 0; n < SAMPLES; n++) {
        for (int w = 0; w < WINDOWS; w++) samples[w][n] = draw(&seed) % 100000;
    }
    for (int w = 0; w < WINDOWS; w++) {
        memcpy(&samples[w][SAMPLES], samples[w], KEPT * sizeof **samples);
    }
}

static void swap(int64_t *a, int64_t *b)
{
    const int64_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Quickselect on a copy; the pivot is the middle of three. */
static int64_t median(const int64_t *values)
{
    int64_t copy[KEPT];
    memcpy(copy, values, sizeof copy);
    const int wanted = (KEPT - 1) / 2;
    int low = 0;
    int high = KEPT - 1;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (copy[middle] < copy[low]) swap(&copy[middle], &copy[low]);
        if (copy[high] < copy[low]) swap(&copy[high], &copy[low]);
        if (copy[high] < copy[middle]) swap(&copy[high], &copy[middle]);
        const int64_t pivot = copy[middle];
        int i = low;
        int j = high;
        while (i <= j) {
            while (copy[i] < pivot) i++;
            while (copy[j] > pivot) j--;
            if (i <= j) swap(&copy[i++], &copy[j--]);
        }
        if (wanted <= j) {
            high = j;
        } else if (wanted >= i) {
            low = i;
        } else {
            break;
        }
    }
    return copy[wanted];
}

static bool median_calls(uint32_t calls)
{
    for (uint64_t i = 0; i < calls; i++) {
        int64_t total = 0;
        for (int w = 0; w < WINDOWS; w++) {
            if (ADD(total, median(&samples[w][STEP * i % SAMPLES]), &total)) return false;
        }
        mix(total);
    }
    return true;
}

/* ---- (d) ---- */

static const int64_t one = 1000000000;

#if PORTABLE
/* |a| * |b| in two halves, divided by 10^9 in steps of 32 bits. */
static bool scaled_product(int64_t a, int64_t b, int64_t *ret_result)
{
    const bool negative = (a < 0) != (b < 0);
    const uint64_t x = a < 0 ? -(uint64_t)a : (uint64_t)a;
    const uint64_t y = b < 0 ? -(uint64_t)b : (uint64_t)b;
    const uint64_t low = (x & UINT32_MAX) * (y & UINT32_MAX);
    const uint64_t cross1 = (x >> 32) * (y & UINT32_MAX) + (low >> 32);
    const uint64_t cross2 = (x & UINT32_MAX) * (y >> 32) + (cross1 & UINT32_MAX);
    const uint64_t high = (x >> 32) * (y >> 32) + (cross1 >> 32) + (cross2 >> 32);
    if (high >= (uint64_t)one) return false;
    const uint64_t upper = high << 32 | (cross2 & UINT32_MAX);
    const uint64_t lower = (upper % (uint64_t)one) << 32 | (low & UINT32_MAX);
    const uint64_t rest = lower % (uint64_t)one;
    if (upper / (uint64_t)one > INT32_MAX) return false;
    uint64_t quotient = (upper / (uint64_t)one) << 32 | lower / (uint64_t)one;
    if (2 * rest > (uint64_t)one || (2 * rest == (uint64_t)one && quotient % 2 == 1)) quotient++;
    if (quotient > INT64_MAX) return false;
    *ret_result = negative ? -(int64_t)quotient : (int64_t)quotient;
    return true;
}
#else
__extension__ typedef __int128 wide;

static bool scaled_product(int64_t a, int64_t b, int64_t *ret_result)
{
    const wide product = (wide)a * b;
    wide quotient = product / one;
    const int64_t rest = (int64_t)(product - quotient * one);
    const int64_t size = rest < 0 ? -rest : rest;
    if (2 * size > one || (2 * size == one && quotient % 2 != 0)) quotient += rest < 0 ? -1 : 1;
    *ret_result = (int64_t)quotient;
    return !CHECKED || *ret_result == quotient;
}
#endif

static bool polynomial(int64_t seed, uint32_t rounds, int64_t *ret_sum)
{
    int64_t x = seed;
    int64_t total = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        int64_t square = 0;
        int64_t y = 0;
        if (!scaled_product(x, x, &square)) return false;
        if (MUL(square, 16, &y) || SUB(y, 20 * one, &y) || !scaled_product(y, square, &y)) {
            return false;
        }
        if (ADD(y, 5 * one, &y) || !scaled_product(y, x, &x)) return false;
        if (x > one && (SUB(x, one, &x) || SUB(one, x, &x))) return false;
        if (x < -one && (ADD(x, one, &x) || SUB(-one, x, &x))) return false;
        if (ADD(total, x, &total)) return false;
    }
    *ret_sum = total;
    return true;
}

static bool polynomial_calls(uint32_t calls)
{
    for (uint32_t i = 0; i < calls; i++) {
        int64_t total = 0;
        if (!polynomial((int64_t)(sum % 1000000) * 1000 + 1, 1000, &total)) return false;
        mix(total);
    }
    return true;
}

/* ---- (e) ---- */

#if SMALL
static void transfer_prepare(uint32_t seed)
{
    (void)seed;
}

static bool transfer_calls(uint32_t calls)
{
    return calls == 0;
}

static void transfer_finish(void)
{
}
#else

enum { ACCOUNTS = 256, TRANSFERS = 4096, PLACES = 1024, KEY_SIZE = 69, FUNDS = 1000000000 };

typedef struct place {
    bool used;
    uint8_t key[KEY_SIZE];
    int64_t value;
} place;

typedef struct undo {
    place *place;
    int64_t before;
} undo;

static struct {
    uint8_t contract[32];
    uint8_t accounts[ACCOUNTS][32];
    place places[PLACES];
    undo log[16];
    int log_count;
    struct {
        uint16_t from, to;
        int64_t amount;
    } transfers[TRANSFERS];
    uint64_t done;
} bank;

static void bank_key(const uint8_t account[32], uint8_t ret_key[KEY_SIZE])
{
    memset(ret_key, 0, KEY_SIZE);
    ret_key[0] = 0x16;
    memcpy(ret_key + 1, bank.contract, 32);
    memcpy(ret_key + 37, account, 32);
}

/* The place of a key, or the free one where it belongs. */
static place *bank_find(const uint8_t key[KEY_SIZE])
{
    for (size_t at = (size_t)XXH3_64bits(key, KEY_SIZE) % PLACES;; at = (at + 1) % PLACES) {
        place *p = &bank.places[at];
        if (!p->used || memcmp(p->key, key, KEY_SIZE) == 0) return p;
    }
}

static bool bank_get(const uint8_t account[32], int64_t *ret_value)
{
    uint8_t key[KEY_SIZE];
    bank_key(account, key);
    const place *p = bank_find(key);
    *ret_value = p->value;
    return p->used;
}

static void bank_put(const uint8_t account[32], int64_t value)
{
    uint8_t key[KEY_SIZE];
    bank_key(account, key);
    place *p = bank_find(key);
    bank.log[bank.log_count++] = (undo){p, p->value};
    if (!p->used) memcpy(p->key, key, KEY_SIZE);
    p->used = true;
    p->value = value;
}

/* False: refused, and nothing has happened. */
static bool transfer(const uint8_t from[32], const uint8_t to[32], int64_t amount)
{
    int64_t held = 0;
    if (amount > 0 && bank_get(from, &held) && held >= amount) {
        if (!SUB(held, amount, &held)) {
            bank_put(from, held);
            if (bank_get(to, &held) && !ADD(held, amount, &held)) {
                bank_put(to, held);
                bank.log_count = 0;
                return true;
            }
        }
    }
    while (bank.log_count > 0) {
        const undo *last = &bank.log[--bank.log_count];
        last->place->value = last->before;
    }
    return false;
}

static void transfer_prepare(uint32_t seed)
{
    memset(&bank, 0, sizeof bank);
    memset(bank.contract, 9, sizeof bank.contract);
    for (int i = 0; i < ACCOUNTS; i++) {
        for (int k = 0; k < 32; k++) bank.accounts[i][k] = (uint8_t)(draw(&seed) % 256);
        bank_put(bank.accounts[i], FUNDS);
        bank.log_count = 0;
    }
    for (int i = 0; i < TRANSFERS; i++) {
        bank.transfers[i].from = (uint16_t)(draw(&seed) % ACCOUNTS);
        bank.transfers[i].to = (uint16_t)(draw(&seed) % ACCOUNTS);
        bank.transfers[i].amount = 1 + draw(&seed) % 1000;
    }
}

static bool transfer_calls(uint32_t calls)
{
    for (uint32_t i = 0; i < calls; i++) {
        const uint64_t n = bank.done++ % TRANSFERS;
        const uint8_t *from = bank.accounts[bank.transfers[n].from];
        if (!transfer(from, bank.accounts[bank.transfers[n].to], bank.transfers[n].amount)) {
            return false;
        }
    }
    return true;
}

static void transfer_finish(void)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        int64_t value = 0;
        if (bank_get(bank.accounts[i], &value)) mix(value);
    }
}

#endif

/* ---- all ---- */

void PEER(prepare)(int workload, uint32_t seed)
{
    sum = seed;
    if (workload == WINDOW) window_prepare(seed);
    if (workload == MEDIAN) median_prepare(seed);
    if (workload == TRANSFER) transfer_prepare(seed);
}

int PEER(run)(int workload, uint32_t calls)
{
    switch (workload) {
    case ARITHMETIC: return arithmetic_calls(calls, 10000);
    case WINDOW: return window_calls(calls);
    case MEDIAN: return median_calls(calls);
    case POLYNOMIAL: return polynomial_calls(calls);
    case TRANSFER: return transfer_calls(calls);
    case START: return arithmetic_calls(calls, 10);
    default: return 0;
    }
}

uint32_t PEER(finish)(int workload)
{
    if (workload == WINDOW) window_finish();
    if (workload == TRANSFER) transfer_finish();
    return (uint32_t)sum;
}
