/* cmd_story -- the commands that tell what happened: events and history. */
#include "vm/runner/command.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_MEMORY_MAX = 1024 * 1024 * 1024, LINE_MAX = 256 * 1024, KEY_TEXT_MAX = 1024 };

typedef struct telling {
    tw_app *app;
    bool csv;
    int64_t from, to;
    bool has_contract;
    tw_hash contract;
    uint32_t kinds;
    uint64_t wanted;  /* the newest so many */
    uint64_t skipped; /* of those before them, still to be passed over */
    uint64_t count;
    bool counting;  /* the first of two passes, with a limit */
    uint64_t lives; /* of the thing asked for with --of: entries of number 0 in all blocks, */
    uint64_t born;  /* and in those of this pass */
    bool looking;   /* the pass that counts them */
    json_t *list;
    tw_writer line;
} telling;

static bool kind_wanted(const telling *t, const char *name)
{
    for (uint32_t i = 0;; i++) {
        const char *wanted = tw_args_each(&t->app->args, "kind", i);
        if (wanted == NULL) return i == 0;
        if (strcmp(wanted, name) == 0) return true;
    }
}

static void print_csv_cell(const char *text, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') putchar('"');
        putchar(text[i]);
    }
    putchar('"');
}

static tw_status print_line(telling *t, const tw_story_item *item)
{
    tw_session *s = t->app->session;
    char label[TW_CONTRACT_NAME_MAX], time[TW_TIME_TEXT_MAX];
    tw_writer_clear(&t->line);
    TW_TRY(tw_story_details(s, item, &t->line));
    if (t->line.bad) return TW_ERR_MEMORY;
    tw_session_label(s, item->contract, label);
    tw_time_print(item->time, time);
    const char *details = t->line.size > 0 ? (const char *)t->line.data : "";
    if (t->csv) {
        printf("%s,%s,%llu,%s,%s,", time, label, (unsigned long long)item->height,
               tw_story_word(item->kind), item->name);
        print_csv_cell(details, t->line.size);
        putchar('\n');
        return TW_OK;
    }
    const bool bold = t->app->color && item->kind == TW_STORY_EVENT;
    const bool red = t->app->color && item->kind == TW_STORY_FAILED;
    printf("%-24s  ", time);
    if (!t->has_contract) printf("%s  ", label);
    if (item->kind == TW_STORY_EDGE || item->kind == TW_STORY_FAILED ||
        item->kind == TW_STORY_MONEY) {
        printf("%s ", tw_story_word(item->kind));
    }
    printf("%s%s%s  %.*s\n", bold ? "\033[1m" : (red ? "\033[31m" : ""), item->name,
           bold || red ? "\033[0m" : "", (int)t->line.size, details);
    return TW_OK;
}

/* The text of a key in `REGISTRY[KEY]` or REGISTRY:KEY, from `at`. */
static tw_bytes key_of(const char *at)
{
    size_t size = strlen(at + 1);
    if (at[0] != '[') return tw_bytes_of(at + 1, size);
    if (size > 0 && at[size] == ']') size--;
    const bool quoted = size >= 2 && at[1] == '"' && at[size] == '"';
    return quoted ? tw_bytes_of(at + 2, size - 2) : tw_bytes_of(at + 1, size);
}

/* --of machines[M-1]: the item stands in the history of this thing. A key that is none of the
 * registry's in the item's version is nobody's. */
static tw_status of_wanted(const telling *t, const tw_story_item *item, bool *ret_wanted)
{
    const char *of = tw_args_get(&t->app->args, "of", NULL);
    *ret_wanted = of == NULL;
    if (of == NULL) return TW_OK;
    const size_t size = strcspn(of, ":[");
    const tw_field *f = tw_story_registry(item);
    if (f == NULL || strlen(f->name) != size || strncmp(f->name, of, size) != 0) return TW_OK;
    tw_err ignored;
    char key[KEY_TEXT_MAX];
    const tw_bytes text = key_of(of + size);
    snprintf(key, sizeof key, "%.*s", (int)text.size, (const char *)text.data);
    tw_writer w = tw_writer_new(LINE_MAX);
    const tw_status status =
        tw_show_parse(item->module, f->key_type, key, &t->app->session->names, &w, &ignored);
    *ret_wanted = status == TW_OK && tw_bytes_equal(tw_writer_bytes(&w), item->entry.key);
    tw_writer_free(&w);
    return tw_status_is_host_failure(status) ? status : TW_OK;
}

/* Of a thing that had a namesake, in a registry that an upgrade dropped and a later one brought
 * back empty, the history begins with its own first entry: the last of number 0. */
static bool is_of_this_life(telling *t, const tw_story_item *item)
{
    if (!tw_args_has(&t->app->args, "of")) return true;
    t->born += item->entry.number == 0;
    return !t->looking && t->born == t->lives;
}

static tw_status tell(void *context, const tw_story_item *item)
{
    telling *t = context;
    bool wanted = false;
    TW_TRY(of_wanted(t, item, &wanted));
    if (!wanted || !is_of_this_life(t, item)) return TW_OK;
    if (item->time < t->from || item->time >= t->to || !kind_wanted(t, item->name)) return TW_OK;
    if (t->counting) {
        t->count++;
        return TW_OK;
    }
    if (t->skipped > 0) {
        t->skipped--;
        return TW_OK;
    }
    if (t->list == NULL) return print_line(t, item);
    json_t *value = tw_story_json(t->app->session, item);
    return value != NULL && json_array_append_new(t->list, value) == 0 ? TW_OK : TW_ERR_MEMORY;
}

static tw_status walk_blocks(telling *t)
{
    t->born = 0;
    tw_session *s = t->app->session;
    const uint64_t newest = tw_ledger_head(s->ledger)->height;
    tw_arena *arena = tw_arena_new(BLOCK_MEMORY_MAX);
    tw_status status = arena != NULL ? TW_OK : TW_ERR_MEMORY;
    const uint64_t base = tw_ledger_base(s->ledger);
    for (uint64_t i = base > 0 ? base + 1 : 0; i <= newest && status == TW_OK; i++) {
        tw_block block;
        tw_arena_clear(arena);
        status = tw_ledger_block(s->ledger, i, arena, &block, &t->app->err);
        if (status == TW_OK) {
            status =
                tw_story_walk(s, &block, t->has_contract ? &t->contract : NULL, t->kinds, tell, t);
        }
    }
    tw_arena_free(arena);
    return status;
}

static tw_status time_option(tw_app *app, const char *name, int64_t *ret_time)
{
    const char *text = tw_args_get(&app->args, name, NULL);
    const char *why = NULL;
    if (text == NULL ||
        tw_time_parse(tw_bytes_of(text, strlen(text)), TW_TIME_AUTO, 0, ret_time, &why)) {
        return TW_OK;
    }
    return tw_app_usage(app, "--%s: \"%.60s\" %s", name, text, why);
}

static tw_status tell_all(telling *t)
{
    tw_app *app = t->app;
    if (tw_args_has(&app->args, "of")) {
        t->looking = true;
        TW_TRY(walk_blocks(t));
        t->looking = false;
        t->lives = t->born;
    }
    if (t->wanted > 0) {
        t->counting = true;
        TW_TRY(walk_blocks(t));
        t->counting = false;
        t->skipped = t->count > t->wanted ? t->count - t->wanted : 0;
    }
    if (app->json) {
        t->list = json_array();
        TW_TRY(walk_blocks(t));
        return tw_app_answer(app, t->list);
    }
    if (t->csv) puts("time,contract,block,kind,name,details");
    t->line = tw_writer_new(LINE_MAX);
    const tw_status status = walk_blocks(t);
    tw_writer_free(&t->line);
    return status;
}

static tw_status tell_story(tw_app *app, uint32_t kinds)
{
    telling t = {.app = app, .to = TW_TIME_END, .kinds = kinds};
    t.csv = tw_args_has(&app->args, "csv");
    TW_TRY(time_option(app, "from", &t.from));
    TW_TRY(time_option(app, "to", &t.to));
    const char *of = tw_args_get(&app->args, "of", NULL);
    if (of != NULL && strpbrk(of, ":[") == NULL) {
        return tw_app_usage(app, "--of %.60s: write 'REGISTRY[KEY]', as in 'machines[M-1]'", of);
    }
    if (!tw_args_number(&app->args, "limit", 1, UINT64_MAX, &t.wanted, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    TW_TRY(tw_app_open_at(app));
    if (tw_ledger_base(app->session->ledger) > 0) {
        fprintf(stderr,
                "note: what was up to block %" PRIu64
                " is not here: the ledger was made from a snapshot of that block\n",
                tw_ledger_base(app->session->ledger));
    }
    t.has_contract = app->args.word_count == 1;
    if (t.has_contract) {
        TW_TRY(tw_session_find(app->session, app->args.words[0], &t.contract, &app->err));
    }
    return tell_all(&t);
}

tw_status tw_command_events(tw_app *app)
{
    uint32_t kinds = TW_STORY_EVENT;
    if (tw_args_has(&app->args, "alarms")) kinds |= TW_STORY_EDGE;
    if (tw_args_has(&app->args, "failed")) kinds |= TW_STORY_FAILED;
    if (tw_args_has(&app->args, "money")) kinds |= TW_STORY_MONEY;
    return tell_story(app, kinds);
}

static tw_status prove_history(tw_app *app)
{
    static const char *const filters[] = {"from", "to", "kind", "limit", "csv"};
    tw_hash contract;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (!tw_args_has(&app->args, filters[i])) continue;
        return tw_app_usage(app, "--prove is of the whole history; leave --%s to verify",
                            filters[i]);
    }
    if (app->args.word_count != 1 || !tw_args_has(&app->args, "out")) {
        return tw_app_usage(app, "history CONTRACT [--of 'REGISTRY[KEY]'] --prove -o FILE");
    }
    TW_TRY(tw_app_open_at(app));
    TW_TRY(tw_session_find(app->session, app->args.words[0], &contract, &app->err));
    return tw_app_prove_history(app, &contract);
}

tw_status tw_command_history(tw_app *app)
{
    if (tw_args_has(&app->args, "prove")) return prove_history(app);
    if (tw_args_has(&app->args, "out")) return tw_app_usage(app, "-o goes with --prove");
    return tell_story(app, TW_STORY_HISTORY);
}
