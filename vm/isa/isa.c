/* isa -- the rows of opcodes.def, indexed by number. */
#include "vm/isa/isa.h"

/* Odd: a new run begins behind it. */
enum { RUN_ON = 0, RUN_END = 1, NATIVE_ON = 2, NATIVE = 3, METERED = 5 };

#define FIXED(use) (TW_USE_##use <= TW_USE_S5 || TW_USE_##use == TW_USE_IMM)
enum {
#define SHAPE(name, a, b, c, x) FIXED_##name = FIXED(a) && FIXED(b) && FIXED(c),
#include "vm/isa/shapes.def"
};

/* clang-format off */
const tw_op_row tw_op_rows[256] = {
#define OP(number, name, shape, gas, run, effects, text)                                           \
    [number] = {#name, text, #shape, TW_SHAPE_##shape, gas, TW_EFFECT_##effects,                   \
                (run) % 2 == 1, (run) == METERED, (run) < NATIVE && FIXED_##shape},
#include "vm/isa/opcodes.def"
#undef OP
};
/* clang-format on */

const tw_shape_row tw_shape_rows[] = {
#define SHAPE(name, a, b, c, x) TW_SHAPE_ROW(a, b, c, x),
#include "vm/isa/shapes.def"
};

const char *tw_stat_word(uint32_t stat)
{
    static const char *const words[] = {
#define STATISTIC(number, name, word, shape, gas) [number] = (word),
#include "vm/isa/statistics.def"
#undef STATISTIC
    };
    return stat < TW_STAT_END ? words[stat] : NULL;
}
