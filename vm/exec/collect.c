/* collect -- instructions over maps, registries' keys and lists, and statistics across devices. */
#include "vm/exec/machine.h"

tw_status tw_native_EXISTS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_REMOVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_SIZE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_NEXT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_TOP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_ITEM(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_PUT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_PUSH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_DROP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_FIND(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_ACROSS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}
