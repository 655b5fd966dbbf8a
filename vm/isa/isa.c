/* isa -- the rows of opcodes.def, indexed by number. */
#include "vm/isa/isa.h"

/* Odd: a new run begins behind it. */
enum { RUN_ON = 0, RUN_END = 1, NATIVE_ON = 2, NATIVE = 3, METERED = 5 };

static const tw_op_row rows[256] = {
#define OP(number, name, shape, gas, run, effects, text)                                           \
    [number] = {                                                                                   \
        #name,           text, #shape, TW_SHAPE_##shape, gas, TW_EFFECT_##effects, (run) % 2 == 1, \
        (run) == METERED},
#include "vm/isa/opcodes.def"
#undef OP
};

const tw_shape_row *tw_shape_find(tw_shape shape)
{
    static const tw_shape_row shapes[] = {
#define SHAPE(name, a, b, c, x) {TW_USE_##a, TW_USE_##b, TW_USE_##c, TW_INDEX_##x},
#include "vm/isa/shapes.def"
    };
    return &shapes[shape];
}

const tw_op_row *tw_op_find(uint8_t number)
{
    return &rows[number];
}

const char *tw_stat_word(uint32_t stat)
{
    static const char *const words[] = {
#define STATISTIC(number, name, word, shape) [number] = (word),
#include "vm/isa/statistics.def"
#undef STATISTIC
    };
    return stat < TW_STAT_END ? words[stat] : NULL;
}
