/* cmd_epcis -- `twvm epcis FILE.json`: EPCIS 2.0 documents to a table of calls for `twvm run`.
 *
 * Every event of a document is checked against epcis.def; a document with a fault gives no rows and
 * a sentence for each fault. What becomes calls is what changes where a part is: association events
 * that add (installing, assembling) or delete (removing, disassembling) children of a parent. An
 * event that its maker has declared to be in error is left out, and said so.
 *
 *     time, as, entry install | remove | remove_all, machine, part, document
 *
 * `document` is the SHA-256 of the event, its members sorted, without white space: whoever holds
 * the event can show that it is the one meant.
 */
#include "vm/base/arena.h"
#include "vm/base/hash.h"
#include "vm/runner/command.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { FILE_SIZE_MAX = 16 * 1024 * 1024, PATH_TEXT_MAX = 160, FAULTS_MAX = 20 };

typedef enum kind {
    ANY,
    TEXT,
    URI,
    TIME,
    ZONE,
    LIST,
    OBJECT,
    PLACE,
    EPCS,
    QUANTITIES,
    PARTIES,
    ILMD,
    PERSISTENT,
    CERTIFICATION,
    ACTION,
    BIZ_STEP,
    DISPOSITION,
    PARTY,
} kind;

static const struct field {
    const char *name, *needed, *allowed;
    kind kind;
} fields[] = {
#define FIELD(name, needed, allowed, kind) {name, needed, allowed, kind},
#include "vm/runner/epcis.def"
};

static const struct word {
    kind list;
    const char *word;
} words[] = {
#define WORD(list, word) {list, word},
#include "vm/runner/epcis.def"
};

static const struct event_type {
    const char *name;
    char letter;
} event_types[] = {{"ObjectEvent", 'O'},
                   {"AggregationEvent", 'A'},
                   {"AssociationEvent", 'S'},
                   {"TransactionEvent", 'T'},
                   {"TransformationEvent", 'F'}};

typedef struct work {
    tw_app *app;
    const char *path;
    const char *as;
    char where[PATH_TEXT_MAX]; /* the event: "eventList[0]" */
    uint32_t faults;
    uint32_t events, rows, declared;
} work;

static void fault(work *w, const char *field, const char *format, const char *text)
{
    w->faults++;
    if (w->faults > FAULTS_MAX) return;
    fprintf(stderr, "%s: %s%s%s: ", w->path, w->where, w->where[0] != '\0' ? "." : "", field);
    fprintf(stderr, format, text);
    fputc('\n', stderr);
}

/* ---- single values ---- */

static const char *text_of(work *w, const char *field, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0') fault(w, field, "must be a text that is not empty%s", "");
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void check_word(work *w, const char *field, kind list, const json_t *value)
{
    const char *text = text_of(w, field, value);
    if (text == NULL || (list != ACTION && strchr(text, ':') != NULL)) return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].list == list && strcmp(words[i].word, text) == 0) return;
    }
    fault(w, field,
          list == ACTION ? "\"%.80s\" is no action; write ADD, OBSERVE or DELETE"
                         : "\"%.80s\" is no word of the Core Business Vocabulary; a word of your "
                           "own is a URI",
          text);
}

static void check_uri(work *w, const char *field, const json_t *value)
{
    const char *text = text_of(w, field, value);
    if (text != NULL && strchr(text, ':') == NULL) fault(w, field, "\"%.80s\" is no URI", text);
}

/* A date, a time and a zone. */
static void check_time(work *w, const char *field, const json_t *value)
{
    const char *text = text_of(w, field, value);
    const char *why = NULL;
    int64_t time = 0;
    if (text == NULL) return;
    const size_t size = strlen(text);
    const bool zoned =
        size > 19 && (text[size - 1] == 'Z' || text[size - 6] == '+' || text[size - 6] == '-');
    if (zoned && text[10] == 'T' &&
        tw_time_parse(tw_bytes_of(text, size), TW_TIME_ISO, 0, &time, &why)) {
        return;
    }
    fault(w, field, "\"%.80s\" is no time with its zone, as 2026-01-31T12:00:00+01:00", text);
}

static void check_zone(work *w, const char *field, const json_t *value)
{
    const char *text = text_of(w, field, value);
    int64_t zone = 0;
    if (text == NULL || (strlen(text) == 6 && tw_zone_parse(tw_bytes_of(text, 6), &zone))) return;
    fault(w, field, "\"%.80s\" is no offset as +01:00", text);
}

/* ---- lists and objects ---- */

static void check_epcs(work *w, const char *field, const json_t *value)
{
    size_t i = 0;
    const json_t *item = NULL;
    if (!json_is_array(value)) fault(w, field, "must be a list%s", "");
    json_array_foreach(value, i, item)
    {
        check_uri(w, field, item);
    }
}

static void check_quantities(work *w, const char *field, const json_t *value)
{
    size_t i = 0;
    json_t *item = NULL;
    if (!json_is_array(value)) fault(w, field, "must be a list%s", "");
    json_array_foreach(value, i, item)
    {
        const char *name = NULL;
        json_t *part = NULL;
        check_uri(w, "epcClass", json_object_get(item, "epcClass"));
        json_object_foreach(item, name, part)
        {
            const bool known = strcmp(name, "epcClass") == 0 || strcmp(name, "quantity") == 0 ||
                               strcmp(name, "uom") == 0 || strchr(name, ':') != NULL;
            if (!known) fault(w, field, "has no member %.80s", name);
        }
        part = json_object_get(item, "quantity");
        if (part != NULL && !json_is_number(part))
            fault(w, field, "quantity must be a number%s", "");
    }
}

static void check_parties(work *w, const char *field, const json_t *value)
{
    size_t i = 0;
    const json_t *item = NULL;
    if (!json_is_array(value)) fault(w, field, "must be a list%s", "");
    json_array_foreach(value, i, item)
    {
        const char *what = strcmp(field, "sourceList") == 0 ? "source" : "destination";
        const json_t *type = json_object_get(item, "type");
        if (type != NULL) check_word(w, field, PARTY, type);
        check_uri(w, what, json_object_get(item, what));
    }
}

/* Members of master data belong to somebody's vocabulary, so they have its prefix. */
static void check_ilmd(work *w, const char *field, json_t *value)
{
    const char *name = NULL;
    json_t *part = NULL;
    if (!json_is_object(value)) fault(w, field, "must be an object%s", "");
    json_object_foreach(value, name, part)
    {
        if (strchr(name, ':') == NULL) {
            fault(w, field, "%.80s has no prefix of its vocabulary, as cbvmda:", name);
        }
    }
}

static void check_persistent(work *w, const char *field, const json_t *value)
{
    const char *const lists[] = {"set", "unset"};
    if (!json_is_object(value)) fault(w, field, "must be an object%s", "");
    for (size_t k = 0; k < 2; k++) {
        size_t i = 0;
        const json_t *item = NULL;
        json_array_foreach(json_object_get(value, lists[k]), i, item)
        {
            check_word(w, field, DISPOSITION, item);
        }
    }
}

static bool ends_in_date(const char *name)
{
    const size_t size = strlen(name);
    return size >= 4 && strcmp(name + size - 4, "Date") == 0;
}

/* A URI of a certificate, or its details, in which dates are dates. `depth` keeps it short. */
static void check_certificate(work *w, const char *field, json_t *value, int depth)
{
    size_t i = 0;
    const char *name = NULL;
    json_t *part = NULL;
    if (json_is_string(value)) check_uri(w, field, value);
    if (!json_is_string(value) && !json_is_array(value) && !json_is_object(value)) {
        fault(w, field, "must be a URI or the details of a certificate%s", "");
    }
    if (depth > 8) return;
    json_array_foreach(value, i, part)
    {
        check_certificate(w, field, part, depth + 1);
    }
    json_object_foreach(value, name, part)
    {
        const char *text = json_string_value(part);
        const char *why = NULL;
        int64_t time = 0;
        if (json_is_object(part)) check_certificate(w, field, part, depth + 1);
        if (!ends_in_date(name) || text == NULL) continue;
        if (!tw_time_parse(tw_bytes_of(text, strlen(text)), TW_TIME_ISO, 0, &time, &why)) {
            fault(w, name, "\"%.80s\" is no date", text);
        }
    }
}

static void check_field(work *w, const struct field *f, json_t *value)
{
    switch (f->kind) {
    case ANY: break;
    case TEXT: (void)text_of(w, f->name, value); break;
    case URI: check_uri(w, f->name, value); break;
    case TIME: check_time(w, f->name, value); break;
    case ZONE: check_zone(w, f->name, value); break;
    case LIST:
        if (!json_is_array(value)) fault(w, f->name, "must be a list%s", "");
        break;
    case OBJECT:
        if (!json_is_object(value)) fault(w, f->name, "must be an object%s", "");
        break;
    case PLACE: check_uri(w, f->name, json_object_get(value, "id")); break;
    case EPCS: check_epcs(w, f->name, value); break;
    case QUANTITIES: check_quantities(w, f->name, value); break;
    case PARTIES: check_parties(w, f->name, value); break;
    case ILMD: check_ilmd(w, f->name, value); break;
    case PERSISTENT: check_persistent(w, f->name, value); break;
    case CERTIFICATION: check_certificate(w, f->name, value, 0); break;
    case ACTION:
    case BIZ_STEP:
    case DISPOSITION:
    case PARTY: check_word(w, f->name, f->kind, value); break;
    }
}

/* ---- events ---- */

static const struct field *field_named(const char *name)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

static char letter_of(const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    for (size_t i = 0; type != NULL && i < sizeof event_types / sizeof event_types[0]; i++) {
        if (strcmp(event_types[i].name, type) == 0) return event_types[i].letter;
    }
    return '\0';
}

static bool has(const json_t *event, const char *name)
{
    return json_object_get(event, name) != NULL;
}

static void check_event(work *w, json_t *event)
{
    const char letter = letter_of(event);
    const char *name = NULL;
    json_t *value = NULL;
    w->events++;
    if (letter == '\0') {
        fault(w, "type", "is no type of event of EPCIS 2.0%s", "");
        return;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const bool needed = strchr(fields[i].needed, letter) != NULL;
        if (needed && !has(event, fields[i].name)) fault(w, fields[i].name, "is missing%s", "");
    }
    json_object_foreach(event, name, value)
    {
        const struct field *f = field_named(name);
        if (strchr(name, ':') != NULL) continue; /* somebody's own */
        if (f == NULL || strchr(f->allowed, letter) == NULL) {
            fault(w, name, "is no field of this type of event%s", "");
        } else {
            check_field(w, f, value);
        }
    }
    const bool named =
        has(event, "epcList") || has(event, "quantityList") || has(event, "sensorElementList");
    if (letter == 'O' && !named)
        fault(w, "epcList", "is missing: the event is about nothing%s", "");
}

/* ---- rows ---- */

static void print_cell(const char *text)
{
    fputc('"', stdout);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', stdout);
        fputc(*text, stdout);
    }
    fputc('"', stdout);
}

static void print_row(work *w, const json_t *event, const char *entry, const char *part,
                      const char *document)
{
    fputs(json_string_value(json_object_get(event, "eventTime")), stdout);
    printf(",%s,%s,", w->as, entry);
    print_cell(json_string_value(json_object_get(event, "parentID")));
    fputc(',', stdout);
    print_cell(part);
    printf(",%s\n", document);
    w->rows++;
}

static tw_status hash_event(const json_t *event, char ret_hex[2 * TW_HASH_SIZE + 1])
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    const size_t size = json_dumpb(event, NULL, 0, flags);
    char *bytes = size > 0 ? tw_mem_new(size) : NULL;
    if (bytes == NULL) return TW_ERR_MEMORY;
    (void)json_dumpb(event, bytes, size, flags);
    const tw_hash hash = tw_sha256(bytes, size);
    tw_mem_free(bytes);
    tw_hex_encode(hash.bytes, TW_HASH_SIZE, ret_hex);
    return TW_OK;
}

static tw_status print_event(work *w, const json_t *event)
{
    const char *action = json_string_value(json_object_get(event, "action"));
    const json_t *children = json_object_get(event, "childEPCs");
    const bool adds = action != NULL && strcmp(action, "ADD") == 0;
    const bool deletes = action != NULL && strcmp(action, "DELETE") == 0;
    if (letter_of(event) != 'S' || (!adds && !deletes)) return TW_OK;
    if (has(event, "errorDeclaration")) {
        w->declared++;
        fprintf(stderr, "%s: %s is declared to be in error and left out\n", w->path, w->where);
        return TW_OK;
    }
    char document[2 * TW_HASH_SIZE + 1];
    TW_TRY(hash_event(event, document));
    size_t i = 0;
    const json_t *child = NULL;
    json_array_foreach(children, i, child)
    {
        print_row(w, event, adds ? "install" : "remove", json_string_value(child), document);
    }
    if (deletes && json_array_size(children) == 0) {
        print_row(w, event, "remove_all", "", document);
    }
    return TW_OK;
}

/* ---- documents ---- */

typedef tw_status (*event_use)(work *w, json_t *event);

static tw_status check_one(work *w, json_t *event)
{
    check_event(w, event);
    return TW_OK;
}

static tw_status print_one(work *w, json_t *event)
{
    return print_event(w, event);
}

static tw_status each_event(work *w, json_t *document, event_use use)
{
    json_t *list = json_object_get(json_object_get(document, "epcisBody"), "eventList");
    w->where[0] = '\0';
    if (list == NULL) return use(w, document); /* a bare event */
    size_t i = 0;
    json_t *event = NULL;
    json_array_foreach(list, i, event)
    {
        snprintf(w->where, sizeof w->where, "eventList[%zu]", i);
        TW_TRY(use(w, event));
    }
    w->where[0] = '\0';
    return TW_OK;
}

static void check_document(work *w, json_t *document)
{
    const char *type = json_string_value(json_object_get(document, "type"));
    if (!has(document, "@context")) fault(w, "@context", "is missing%s", "");
    if (type == NULL || strcmp(type, "EPCISDocument") != 0) return;
    const char *version = json_string_value(json_object_get(document, "schemaVersion"));
    if (version == NULL || strncmp(version, "2.", 2) != 0) {
        fault(w, "schemaVersion", "must be 2.0%s", "");
    }
    check_time(w, "creationDate", json_object_get(document, "creationDate"));
    if (!json_is_array(json_object_get(json_object_get(document, "epcisBody"), "eventList"))) {
        fault(w, "epcisBody", "has no eventList%s", "");
    }
}

static tw_status load(work *w, json_t **ret_document)
{
    json_error_t error;
    FILE *file = fopen(w->path, "rb");
    if (file == NULL) return tw_app_fail(w->app, "%s cannot be read", w->path);
    const bool seen = fseek(file, 0, SEEK_END) == 0;
    const long size = seen ? ftell(file) : -1;
    rewind(file);
    *ret_document = NULL;
    if (size >= 0 && size <= FILE_SIZE_MAX) {
        *ret_document = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    } else {
        snprintf(error.text, sizeof error.text, "is no file of at most %d bytes", FILE_SIZE_MAX);
        error.line = 1;
    }
    fclose(file);
    if (*ret_document != NULL) return TW_OK;
    return tw_app_fail(w->app, "%s:%d: %s", w->path, error.line, error.text);
}

static tw_status one_file(work *w)
{
    w->faults = 0;
    w->where[0] = '\0';
    json_t *document = NULL;
    TW_TRY(load(w, &document));
    tw_status status = TW_OK;
    if (!json_is_object(document)) {
        fault(w, "document", "must be an object%s", "");
    } else {
        check_document(w, document);
    }
    if (json_is_object(document)) status = each_event(w, document, check_one);
    if (w->faults == 0 && status == TW_OK) status = each_event(w, document, print_one);
    json_decref(document);
    if (w->faults == 0 || status != TW_OK) return status;
    return tw_app_fail(w->app, "%s: refused, with %u fault%s", w->path, w->faults,
                       w->faults == 1 ? "" : "s");
}

tw_status tw_command_epcis(tw_app *app)
{
    work w = {.app = app, .as = tw_args_get(&app->args, "as", "workshop")};
    uint32_t refused = 0;
    tw_status status = TW_OK;
    if (!tw_key_name_is_good(w.as)) return tw_app_usage(app, "--as takes the name of a key");
    puts("time,as,entry,machine,part,document");
    for (uint32_t i = 0; i < app->args.word_count && status != TW_ERR_MEMORY; i++) {
        w.path = app->args.words[i];
        status = one_file(&w);
        refused += status != TW_OK;
        if (status != TW_OK && app->args.word_count > 1) fprintf(stderr, "%s\n", app->err.text);
    }
    fprintf(stderr, "%u events, %u calls\n", w.events, w.rows);
    if (status == TW_ERR_MEMORY || refused == 0) return status;
    if (app->args.word_count == 1) return status;
    return tw_app_fail(app, "%u of %u files are refused", refused, app->args.word_count);
}
