/* purse -- instructions that move money between balances and purses. */
#include "vm/exec/machine.h"

tw_status tw_native_PURSE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_TOTAL(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_RECEIVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_PAY(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_SHIFT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_MINT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_MINTIN(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_BURN(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_BALANCE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_SUPPLY(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}
