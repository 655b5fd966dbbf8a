/* fuzz_check -- any bytes through the checker: the same messages each time, each at a place of the
 * source and with an explanation; a source without errors has none when it is laid out. What it
 * imports is the source itself. */
#include "compiler/twc.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/mutate.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    const uint8_t *data;
    size_t size;
} input;

/* Every file is the source itself, so imports go round, or on until there are too many. */
static bool read_itself(void *data, const char *name, tw_writer *w)
{
    const input *in = data;
    tw_write_raw(w, in->data, in->size);
    return strlen(name) % 8 != 0;
}

static twc_result *check_with_itself(input *in)
{
    const twc_files files = {read_itself, in};
    twc_result *result = twc_check_with("a/fuzz.twc", in->data, in->size, &files);
    check(result != NULL);
    return result;
}

static void explained(const twc_message *message)
{
    char code[16];
    const char *title = NULL;
    const char *text = NULL;
    snprintf(code, sizeof code, "%c%04u", message->is_warning ? 'W' : 'E', (unsigned)message->code);
    check(twc_explain(code, &title, &text) && title[0] != '\0' && text[0] != '\0');
    check(message->text[0] != '\0');
}

static void in_order(const twc_result *result)
{
    twc_message last = {.file = NULL};
    uint32_t errors = 0;
    for (uint32_t i = 0; i < twc_result_message_count(result); i++) {
        const twc_message m = twc_result_message(result, i);
        check(m.line > 0 && m.column > 0);
        check(m.file != last.file || m.line > last.line ||
              (m.line == last.line && m.column >= last.column));
        check(m.end_line > m.line || (m.end_line == m.line && m.end_column >= m.column));
        errors += !m.is_warning;
        explained(&m);
        last = m;
    }
    check((errors > 0) == (twc_result_error_count(result) > 0));
}

static void same_report(twc_result *a, input *in)
{
    twc_result *b = check_with_itself(in);
    const char *left = twc_result_report(a, false);
    const char *right = twc_result_report(b, false);
    check(left != NULL && right != NULL && strcmp(left, right) == 0);
    check(twc_result_json(a) != NULL);
    twc_result_free(b);
}

static void lays_out(twc_result *result)
{
    const char *text = twc_result_format(result);
    check(text != NULL);
    twc_result *again = twc_check("fuzz.twc", text, strlen(text));
    check(again != NULL && twc_result_error_count(again) == 0);
    check(twc_result_message_count(again) == twc_result_message_count(result));
    twc_result_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    twc_result *result = check_with_itself(&in);
    in_order(result);
    same_report(result, &in);
    if (twc_result_error_count(result) == 0) lays_out(result);
    twc_result_free(result);
    return 0;
}

bool mutant_is_good(const uint8_t *text, size_t size)
{
    return mutant_checks(text, size);
}
