/* test_recall -- what is remembered is what was put last, or nothing: random calls beside a plain
 * array of all values, over memories of several sizes, so that rows are pushed out at any moment.
 */
#include "vm/state/recall.h"

#include "tests/unit/state_fixture.h"

#include <criterion/criterion.h>

enum { KEYS = 600, VALUE_MAX = 900, CALLS = 60000 };

/* A key is its number and as many more bytes; its value is a byte over and over. */
typedef struct row {
    bool there; /* in the model; may be forgotten */
    uint8_t byte;
    size_t size;
} row;

static tw_bytes key_of(uint32_t number, uint8_t memory[64])
{
    memset(memory, 7, 64);
    tw_store_u32(memory, number);
    return tw_bytes_of(memory, 4 + number % 60);
}

/* Whether it was remembered. */
static bool check(tw_recall *recall, tw_bytes key, const row *expected)
{
    tw_bytes value = {NULL, 0};
    if (!tw_recall_get(recall, key, &value)) return false;
    cr_assert(expected->there);
    cr_assert_eq(value.size, expected->size);
    for (size_t i = 0; i < value.size; i++) cr_assert_eq(value.data[i], expected->byte);
    return true;
}

static void run(size_t size, uint64_t seed)
{
    static row rows[KEYS];
    uint8_t memory[64];
    size_t hits = 0;
    memset(rows, 0, sizeof rows);
    tw_recall *recall = tw_recall_new(size);
    cr_assert_not_null(recall);
    for (int i = 0; i < CALLS; i++) {
        /* half of the calls go to a tenth of the keys */
        const uint64_t random = random_next(&seed);
        const uint32_t number = (uint32_t)(random >> 8) % (random % 2 == 0 ? KEYS : KEYS / 10);
        const tw_bytes key = key_of(number, memory);
        row *r = &rows[number];
        const unsigned what = (unsigned)(random >> 40) % 16;
        if (what == 0) {
            tw_recall_drop(recall, key);
            *r = (row){0};
        } else if (what < 6) {
            /* mostly as long as before, which stays where it is */
            const bool same = r->there && what != 1;
            *r = (row){true, (uint8_t)(random >> 48),
                       same ? r->size : (size_t)(random >> 20) % VALUE_MAX};
            uint8_t *to = tw_recall_put(recall, key, r->size);
            if (to != NULL) memset(to, r->byte, r->size);
        }
        hits += check(recall, key, r);
    }
    size_t kept = 0;
    for (uint32_t number = 0; number < KEYS; number++) {
        kept += check(recall, key_of(number, memory), &rows[number]);
    }
    cr_log_info("%zu bytes: %zu hits, %zu rows at the end", size, hits, kept);
    cr_assert_gt(hits, CALLS / 100);
    cr_assert_gt(kept, 0);
    if (size >= 4 * (size_t)KEYS * VALUE_MAX) {
        for (uint32_t number = 0; number < KEYS; number++) {
            cr_assert_eq(check(recall, key_of(number, memory), &rows[number]), rows[number].there);
        }
    }
    tw_recall_free(recall);
}

Test(recall, beside_an_array)
{
    const uint64_t seed = 11;
    run(4096, seed);
    run(20000, seed + 1);
    run(100000, seed + 2);
    run(300000, seed + 3);
    run((size_t)16 << 20, seed + 4);
}

Test(recall, too_little)
{
    cr_assert_null(tw_recall_new(0));
    cr_assert_null(tw_recall_new(100));
    tw_recall *recall = tw_recall_new(4096);
    const tw_bytes key = tw_bytes_of("k", 1);
    tw_bytes value = {NULL, 0};
    cr_assert_not_null(tw_recall_put(recall, key, 10));
    cr_assert(tw_recall_get(recall, key, &value));
    cr_assert_null(tw_recall_put(recall, key, 5000)); /* and the shorter one is gone */
    cr_assert_not(tw_recall_get(recall, key, &value));
    tw_recall_free(recall);
    tw_recall_free(NULL);
}

Test(recall, what_is_asked_for_stays)
{
    enum { ROWS = 2000 };
    uint8_t memory[64];
    tw_bytes value = {NULL, 0};
    size_t kept = 0;
    tw_recall *recall = tw_recall_new(64 * 1024);
    const tw_bytes hot = tw_bytes_of("hot", 3);
    cr_assert_not_null(tw_recall_put(recall, hot, 100));
    for (uint32_t i = 0; i < ROWS; i++) {
        cr_assert(tw_recall_get(recall, hot, &value));
        (void)tw_recall_put(recall, key_of(i, memory), 100);
    }
    for (uint32_t i = 0; i < ROWS; i++) kept += tw_recall_get(recall, key_of(i, memory), &value);
    cr_assert_gt(kept, 100);
    cr_assert_lt(kept, ROWS / 2);
    tw_recall_free(recall);
}
