/* value -- values of a module's types: slots to canonical bytes and back.
 *
 * Called where a value crosses the frame's border: state, arguments, events, errors, results.
 * Encoding is the type check of the machine: whatever the code put into the slots, what is written
 * is a value of the declared type or the entry traps BadValue.
 *
 *     bool, enum   1 byte (enum: 2)      int    8 bytes, two's complement, big-endian
 *     text, bytes  u16 size, bytes       hash, account, twin_id   32 bytes
 *     optional     0, or 1 and the value list   u16 count, elements      record   its members
 *
 * A key is another encoding, whose bytes have the order of the values and of which none begins
 * another: numbers have their sign turned over; in text and bytes 0 is 00 FF, and 00 00 ends them;
 * a list is 1 before each element and 0 at the end.
 */
#ifndef TW_ISA_VALUE_H
#define TW_ISA_VALUE_H

#include "vm/isa/module.h"

/* Appends the value in `slots`. TW_TRAP_BAD_VALUE when it is none of the type. */
TW_MUST_USE tw_status tw_value_encode(const tw_module *m, uint16_t type, const int64_t *slots,
                                      tw_writer *w);

/* Reads one value into ret_slots (types[type].slots of them). TW_REFUSED_ENCODING otherwise. */
TW_MUST_USE tw_status tw_value_decode(const tw_module *m, uint16_t type, tw_reader *r,
                                      int64_t *ret_slots);

/* The same for a list of members, one after another. */
TW_MUST_USE tw_status tw_members_encode(const tw_module *m, const tw_members *members,
                                        const int64_t *slots, tw_writer *w);
TW_MUST_USE tw_status tw_members_decode(const tw_module *m, const tw_members *members, tw_reader *r,
                                        int64_t *ret_slots);

/* Appends the key form: its byte order is the order of the values. */
TW_MUST_USE tw_status tw_key_encode(const tw_module *m, uint16_t type, const int64_t *slots,
                                    tw_writer *w);

/* Reads a key back, the bytes that tw_key_encode makes and no others. TW_REFUSED_ENCODING
 * otherwise. */
TW_MUST_USE tw_status tw_key_decode(const tw_module *m, uint16_t type, tw_reader *r,
                                    int64_t *ret_slots);

/* Bytes of the longest key of the type. */
uint64_t tw_key_size_max(const tw_module *m, uint16_t type);

/* 32 bytes to and from 4 slots. */
void tw_slots_from_bytes32(const uint8_t bytes[32], int64_t ret_slots[4]);
void tw_slots_to_bytes32(const int64_t slots[4], uint8_t ret_bytes[32]);

/* Text into 1 + (its size + 7) / 8 zeroed slots. */
void tw_slots_from_text(tw_bytes text, int64_t *ret_slots);

#endif
