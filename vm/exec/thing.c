/* thing -- instructions that act on things: create, give, attach, detach, retire, their history. */
#include "vm/exec/machine.h"

tw_status tw_native_CREATE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_GIVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_ATTACH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_DETACH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_RETIRE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_OWNER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_MAKER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_HELD(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_LOG(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_LOGGED(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}
