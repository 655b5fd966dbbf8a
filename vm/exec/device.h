/* device -- the one record that a device has in a contract, as bytes in the state.
 *
 *     tag 1 | grant 8 | sequence 8 | roles 8 | refused 8 x reasons
 *     | per reading: accepted 8, time of the last 8, role granted at 8 | per stamp: since 8, last 8
 *
 * Used by the intake, the statistics and the roles. It is edited in place, so a reading taken in
 * costs a few stores. `roles` has a bit for each sensor role that the account holds; without any
 * the record is removed.
 */
#ifndef TW_EXEC_DEVICE_H
#define TW_EXEC_DEVICE_H

#include "vm/exec/contract.h"

/* Why a reading of a good pack was refused by itself. */
typedef enum tw_refusal {
#define REFUSAL(number, name, text) TW_REFUSAL_##name = (number),
#include "vm/exec/refusals.def"
#undef REFUSAL
    TW_REFUSAL_COUNT
} tw_refusal;

/* A word for people: "out of range"; static memory. */
const char *tw_refusal_text(tw_refusal reason);

enum {
    TW_DEVICE_GRANT = 1,
    TW_DEVICE_SEQUENCE = 9,
    TW_DEVICE_ROLES = 17,
    TW_DEVICE_REFUSED = 25,
    TW_DEVICE_READINGS = TW_DEVICE_REFUSED + 8 * TW_REFUSAL_COUNT,
    TW_DEVICE_READING_SIZE = 24,
    TW_DEVICE_STAMP_SIZE = 16,
};

static inline size_t tw_device_reading(uint16_t reading)
{
    return TW_DEVICE_READINGS + TW_DEVICE_READING_SIZE * (size_t)reading;
}
static inline size_t tw_device_stamp(const tw_module *m, uint16_t stamp)
{
    return tw_device_reading(m->reading_count) + TW_DEVICE_STAMP_SIZE * (size_t)stamp;
}
static inline size_t tw_device_size(const tw_module *m)
{
    return tw_device_stamp(m, m->stamp_count);
}

tw_key tw_device_key(const tw_hash *contract, const tw_account *account);
tw_key tw_window_key(const tw_hash *contract, uint16_t reading, const tw_account *account,
                     uint32_t page);

/* From when on a reading is silent, if at all: its last time, or the grant of its role, or 0. */
int64_t tw_device_heard(const uint8_t *record, uint16_t reading);

/* The record, read only; *ret_found false when the account holds no sensor role. */
TW_MUST_USE tw_status tw_device_get(tw_contract *c, const tw_account *account,
                                    const uint8_t **ret_record, bool *ret_found);

/* Part of a grant of a sensor role: makes the record if there is none. */
TW_MUST_USE tw_status tw_device_grant(tw_contract *c, uint16_t role, const tw_account *account,
                                      int64_t now);

#endif
