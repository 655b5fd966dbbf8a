/* fuzz_source -- any bytes as a source file through the whole compiler: it always gives a result;
 * without errors each contract and each of its tests has a module that verifies, and compiling
 * again gives the same bytes. Most inputs compile, see mutate.h. */
#include "compiler/twc.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/mutate.h"
#include "vm/base/arena.h"
#include "vm/exec/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verifies(tw_bytes module)
{
    tw_code *code = NULL;
    tw_err err;
    check(tw_code_new(module, NULL, &code, &err) == TW_OK);
    tw_code_free(code);
}

static void same(const twc_result *a, const twc_result *b)
{
    check(twc_result_unit_count(a) == twc_result_unit_count(b));
    for (uint32_t i = 0; i < twc_result_unit_count(a); i++) {
        const twc_unit *u = twc_result_unit(a, i);
        const twc_unit *v = twc_result_unit(b, i);
        check(tw_bytes_equal(u->module, v->module) && tw_bytes_equal(u->debug, v->debug));
        check(u->test_count == v->test_count);
        verifies(u->module);
        for (uint32_t k = 0; k < u->test_count; k++) {
            check(u->tests[k].module_count == v->tests[k].module_count);
            for (uint32_t n = 0; n < u->tests[k].module_count; n++) {
                check(tw_bytes_equal(u->tests[k].modules[n], v->tests[k].modules[n]));
                verifies(u->tests[k].modules[n]);
            }
        }
    }
}

/* What is told about a contract that compiles is never too long to be told. */
static void tells(twc_result *result)
{
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        check(twc_result_bounds(result, i, false) != NULL);
        check(twc_result_bounds(result, i, true) != NULL);
        check(twc_result_abi(result, i) != NULL);
        check(twc_result_explain(result, i, TWC_EXPLAIN_TEXT) != NULL);
        check(twc_result_explain(result, i, TWC_EXPLAIN_SVG) != NULL);
        check(twc_result_explain(result, i, TWC_EXPLAIN_DOT) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    twc_result *a = twc_compile("fuzz.twc", data, size);
    if (a == NULL) return 0;
    check(twc_result_report(a, false) != NULL && twc_result_json(a) != NULL);
    if (twc_result_error_count(a) == 0) {
        twc_result *b = twc_compile("another/name.twc", data, size);
        check(b != NULL);
        same(a, b);
        tells(a);
        twc_result_free(b);
    } else {
        check(twc_result_message_count(a) > 0);
    }
    twc_result_free(a);
    return 0;
}

bool mutant_is_good(const uint8_t *text, size_t size)
{
    return mutant_checks(text, size);
}
