/* parse_member -- what a contract is made of. */
#include "compiler/parse.h"

#include <string.h>

twc_decl *twc_parse_decl(twc_parser *p, twc_decl_kind kind, uint32_t start)
{
    twc_decl *decl = TWC_NODE(p, twc_decl);
    decl->kind = kind;
    decl->contract = p->contract;
    decl->span = (twc_span){start, start};
    return decl;
}

const char *twc_parse_doc(twc_parser *p, twc_span doc)
{
    if (doc.end <= doc.start) return NULL;
    const uint8_t *data = p->lexer.source->text.data;
    char *text = tw_arena_get(p->arena, doc.end - doc.start + 1);
    if (text == NULL) return NULL;
    size_t size = 0;
    for (uint32_t at = doc.start; at < doc.end;) {
        uint32_t end = at;
        while (end < doc.end && data[end] != '\n') end++;
        while (at < end && (data[at] == ' ' || data[at] == '\t')) at++;
        if (end - at >= 3 && memcmp(data + at, "///", 3) == 0) {
            at += 3;
            if (at < end && data[at] == ' ') at++;
            if (size > 0) text[size++] = '\n';
            for (; at < end; at++) {
                if (data[at] != '\r') text[size++] = (char)data[at];
            }
        }
        at = end + 1;
    }
    return text;
}

/* field { "," field } with field = NAME ":" type, up to the closing token */
static uint32_t parse_fields(twc_parser *p, twc_token_kind close, const char *close_text,
                             twc_decl **ret_fields)
{
    twc_decl **at = ret_fields;
    uint32_t count = 0;
    do {
        twc_decl *field = twc_parse_decl(p, TWC_D_FIELD, p->token.span.start);
        field->doc = twc_parse_doc(p, p->token.doc);
        field->word = twc_parse_name(p, "a name", &field->name_span);
        twc_parse_expect(p, TWC_TOK_COLON, "`:` and a type");
        field->type_name = twc_parse_type(p);
        field->span = twc_parse_span(p, field->span.start);
        field->index = count++;
        *at = field;
        at = &field->next;
        if (count > TW_MEMBERS_MAX && !p->panic) {
            twc_diag_add(p->diags, TWC_DIAG_OVER_LIMIT, field->name_span,
                         "there are more than %d fields", TW_MEMBERS_MAX);
            p->panic = true;
        }
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    twc_parse_expect(p, close, close_text);
    return count;
}

/* params = "(" [ field { "," field } ] ")" */
static uint32_t parse_params(twc_parser *p, twc_decl **ret_fields)
{
    if (!twc_parse_expect(p, TWC_TOK_PAREN_OPEN, "`(`")) return 0;
    if (twc_parse_accept(p, TWC_TOK_PAREN_CLOSE)) return 0;
    return parse_fields(p, TWC_TOK_PAREN_CLOSE, "`,` or `)`", ret_fields);
}

/* names = NAME { "," NAME } */
static twc_phase_name *parse_phases(twc_parser *p)
{
    twc_phase_name *first = NULL;
    twc_phase_name **at = &first;
    do {
        twc_phase_name *name = TWC_NODE(p, twc_phase_name);
        name->word = twc_parse_name(p, "a phase", &name->span);
        *at = name;
        at = &name->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    return first;
}

/* who { "," who } with who = post */
static twc_who *parse_whos(twc_parser *p)
{
    twc_who *first = NULL;
    twc_who **at = &first;
    do {
        twc_who *who = TWC_NODE(p, twc_who);
        who->expr = twc_parse_post(p);
        *at = who;
        at = &who->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    return first;
}

/* "signed" "by" INT "of" NAME */
static uint32_t parse_signed(twc_parser *p, twc_word **ret_role, twc_span *ret_span)
{
    twc_parse_expect_word(p, TWC_W_signed);
    twc_parse_expect_word(p, TWC_W_by);
    const uint32_t count = twc_parse_count(p, "the number of signers", 1, TW_ROLE_MEMBERS_MAX);
    twc_parse_expect_word(p, TWC_W_of);
    *ret_role = twc_parse_name(p, "a role", ret_span);
    return count;
}

/* money = "currency" NAME "decimals" INT | "token" NAME "decimals" INT "supply" QTY */
static void parse_money(twc_parser *p, twc_decl *decl)
{
    const bool is_token = decl->kind == TWC_D_TOKEN;
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect_word(p, TWC_W_decimals);
    decl->u.money.decimals = twc_parse_count(p, "the decimals", 0, 18);
    if (is_token) {
        twc_parse_expect_word(p, TWC_W_supply);
        decl->u.money.supply = twc_parse_quantity(p, "an amount, as `1_000_000 DATA`");
    }
}

/* role = "role" NAME [ "max" INT ] */
static void parse_role(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    decl->u.role.max = 1;
    if (twc_parse_accept_word(p, TWC_W_max)) {
        decl->u.role.max = twc_parse_count(p, "the max of a role", 1, TW_ROLE_MEMBERS_MAX);
    }
}

/* param = "param" NAME ":" type "=" sum [ "in" sum ".." sum ]
 * var = "var" NAME ":" type [ "=" expr ] */
static void parse_value(twc_parser *p, twc_decl *decl)
{
    const bool is_param = decl->kind == TWC_D_PARAM;
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect(p, TWC_TOK_COLON, "`:` and a type");
    decl->type_name = twc_parse_type(p);
    if (!is_param) {
        decl->mutable = true;
        if (twc_parse_accept(p, TWC_TOK_ASSIGN)) decl->u.value.value = twc_parse_expr(p);
        return;
    }
    twc_parse_expect(p, TWC_TOK_ASSIGN, "`=` and the value it has by default");
    decl->u.value.value = twc_parse_sum(p);
    if (twc_parse_accept_word(p, TWC_W_in)) {
        decl->u.value.low = twc_parse_sum(p);
        twc_parse_expect(p, TWC_TOK_DOTS, "`..`");
        decl->u.value.high = twc_parse_sum(p);
    }
}

/* reading = "reading" NAME ":" type "from" NAME "field" STRING [ "per" "device" ]
 *           "range" sum ".." sum "rate" INT "per" QTY "keep" INT "max_age" QTY [ "gap" QTY ] */
static void parse_reading(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect(p, TWC_TOK_COLON, "`:` and a type");
    decl->type_name = twc_parse_type(p);
    twc_parse_expect_word(p, TWC_W_from);
    decl->u.reading.role_word = twc_parse_name(p, "a role", &decl->u.reading.role_span);
    twc_parse_expect_word(p, TWC_W_field);
    decl->u.reading.field = twc_parse_string(p, "the field's name in quotes");
    if (twc_parse_accept_word(p, TWC_W_per)) {
        twc_parse_expect_word(p, TWC_W_device);
        decl->u.reading.per_device = true;
    }
    twc_parse_expect_word(p, TWC_W_range);
    decl->u.reading.low = twc_parse_sum(p);
    twc_parse_expect(p, TWC_TOK_DOTS, "`..`");
    decl->u.reading.high = twc_parse_sum(p);
    twc_parse_expect_word(p, TWC_W_rate);
    decl->u.reading.rate_count = twc_parse_count(p, "the rate", 1, UINT16_MAX);
    twc_parse_expect_word(p, TWC_W_per);
    decl->u.reading.rate_period = twc_parse_quantity(p, "a duration");
    twc_parse_expect_word(p, TWC_W_keep);
    decl->u.reading.keep = twc_parse_count(p, "how many readings are kept", 1, TW_KEEP_MAX);
    twc_parse_expect_word(p, TWC_W_max_age);
    decl->u.reading.max_age = twc_parse_quantity(p, "a duration");
    if (twc_parse_accept_word(p, TWC_W_gap)) {
        decl->u.reading.gap = twc_parse_quantity(p, "a duration");
    }
}

/* alarm = "alarm" NAME "raise" "when" expr "clear" "when" expr */
static void parse_alarm(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect_word(p, TWC_W_raise);
    twc_parse_expect_word(p, TWC_W_when);
    decl->u.alarm.raise = twc_parse_expr(p);
    twc_parse_expect_word(p, TWC_W_clear);
    twc_parse_expect_word(p, TWC_W_when);
    decl->u.alarm.clear = twc_parse_expr(p);
}

/* record = "record" NAME fields; asset = "asset" NAME fields; fields = "{" field { "," field } "}"
 * event = "event" NAME params; error = "error" NAME params */
static void parse_record(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    if (decl->kind == TWC_D_EVENT || decl->kind == TWC_D_ERROR) {
        decl->u.fields.count = parse_params(p, &decl->u.fields.fields);
        return;
    }
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`");
    decl->u.fields.count =
        parse_fields(p, TWC_TOK_BRACE_CLOSE, "`,` or `}`", &decl->u.fields.fields);
}

/* enum = "enum" NAME "{" NAME { "," NAME } "}" */
static void parse_enum(twc_parser *p, twc_decl *decl)
{
    twc_decl **at = &decl->u.fields.fields;
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`");
    do {
        twc_decl *value = twc_parse_decl(p, TWC_D_ENUM_VALUE, p->token.span.start);
        value->word = twc_parse_name(p, "a value's name", &value->name_span);
        value->span = value->name_span;
        value->index = decl->u.fields.count++;
        *at = value;
        at = &value->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    twc_parse_expect(p, TWC_TOK_BRACE_CLOSE, "`,` or `}`");
    if (decl->u.fields.count > TW_NAMES_MAX) {
        twc_diag_add(p->diags, TWC_DIAG_OVER_LIMIT, decl->name_span,
                     "an enum has at most %d values", TW_NAMES_MAX);
    }
}

/* map = "map" NAME ":" type "->" type "max" INT
 * registry = "registry" NAME ":" NAME "by" NAME "max" INT */
static void parse_store(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect(p, TWC_TOK_COLON, "`:`");
    if (decl->kind == TWC_D_MAP) {
        decl->u.store.key_name = twc_parse_type(p);
        twc_parse_expect(p, TWC_TOK_ARROW, "`->` and the type of the values");
        decl->type_name = twc_parse_type(p);
    } else {
        decl->u.store.asset = twc_parse_name(p, "an asset", NULL);
        twc_parse_expect_word(p, TWC_W_by);
        decl->u.store.by = twc_parse_name(p, "the key field", NULL);
    }
    twc_parse_expect_word(p, TWC_W_max);
    decl->u.store.max = twc_parse_count(p, "the max", 1, TW_MAP_MAX);
}

/* purse = "purse" NAME ":" NAME [ "per" NAME ] [ "falls" "to" post "after" sum ] */
static void parse_purse(twc_parser *p, twc_decl *decl)
{
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    twc_parse_expect(p, TWC_TOK_COLON, "`:`");
    decl->u.purse.money = twc_parse_name(p, "a currency or token", NULL);
    if (twc_parse_accept_word(p, TWC_W_per)) decl->u.purse.per = twc_parse_name(p, "a role", NULL);
    if (!twc_parse_accept_word(p, TWC_W_falls)) return;
    twc_parse_expect_word(p, TWC_W_to);
    decl->u.purse.falls_to = twc_parse_post(p);
    twc_parse_expect_word(p, TWC_W_after);
    decl->u.purse.falls_after = twc_parse_sum(p);
}

/* phases = "phases" chain { "," chain }; chain = NAME "->" NAME { "->" NAME } */
static void parse_chains(twc_parser *p, uint32_t start)
{
    twc_chain **at = &p->contract->phase_chains;
    if (*at != NULL) {
        twc_diag *diag =
            twc_diag_add(p->diags, TWC_DIAG_DUPLICATE, p->before, "the phases are declared twice");
        twc_diag_second(diag, p->contract->phases_span, "first declared here");
        while (*at != NULL) at = &(*at)->next;
    }
    do {
        twc_chain *chain = TWC_NODE(p, twc_chain);
        twc_phase_name **name = &chain->names;
        uint32_t count = 0;
        do {
            *name = TWC_NODE(p, twc_phase_name);
            (*name)->word = twc_parse_name(p, "a name for a phase", &(*name)->span);
            name = &(*name)->next;
            count++;
        } while (twc_parse_accept(p, TWC_TOK_ARROW));
        if (count < 2) twc_parse_expected(p, "`->` and the next phase");
        *at = chain;
        at = &chain->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    p->contract->phases_span = twc_parse_span(p, start);
}

/* on = "on" NAME ( "raised" | "cleared" | "silent" "for" sum ) [ "in" names ] block */
static void parse_on(twc_parser *p, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    entry->subject_word = twc_parse_name(p, "an alarm or a reading", &entry->subject_span);
    if (twc_parse_accept_word(p, TWC_W_raised)) {
        decl->kind = TWC_D_RAISED;
    } else if (twc_parse_accept_word(p, TWC_W_cleared)) {
        decl->kind = TWC_D_CLEARED;
    } else if (twc_parse_accept_word(p, TWC_W_silent)) {
        decl->kind = TWC_D_SILENT;
        twc_parse_expect_word(p, TWC_W_for);
        entry->delay = twc_parse_sum(p);
    } else {
        twc_parse_expected(p, "`raised`, `cleared` or `silent for`");
    }
    if (twc_parse_accept_word(p, TWC_W_in)) entry->in = parse_phases(p);
    entry->body = twc_parse_block(p);
}

/* action = "action" NAME params [ "by" who { "," who } ] [ "with" who { "," who } ]
 *          [ "signed" "by" INT "of" NAME ] [ "in" names ] { needs } [ "receives" sum "into" post ]
 *          block */
static void parse_action(twc_parser *p, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    entry->param_count = parse_params(p, &entry->params);
    if (twc_parse_accept_word(p, TWC_W_by)) entry->by = parse_whos(p);
    if (twc_parse_accept_word(p, TWC_W_with)) entry->with = parse_whos(p);
    if (twc_parse_at_word(p, TWC_W_signed)) {
        entry->signed_count = parse_signed(p, &entry->signed_word, &entry->signed_span);
    }
    if (twc_parse_accept_word(p, TWC_W_in)) entry->in = parse_phases(p);
    twc_stmt **at = &entry->needs;
    while (twc_parse_at_word(p, TWC_W_needs)) {
        *at = twc_parse_stmt(p);
        at = &(*at)->next;
    }
    if (twc_parse_accept_word(p, TWC_W_receives)) {
        entry->receives = twc_parse_sum(p);
        twc_parse_expect_word(p, TWC_W_into);
        entry->into = twc_parse_post(p);
    }
    if (!twc_parse_at(p, TWC_TOK_BRACE_OPEN)) {
        twc_parse_expect(p, TWC_TOK_BRACE_OPEN,
                         "`{`, or in this order: by, with, signed by, in, needs, receives");
    }
    entry->body = twc_parse_block(p);
}

/* view = "view" NAME params "->" type block; fn = "fn" NAME params "->" type block */
static void parse_view(twc_parser *p, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    entry->param_count = parse_params(p, &entry->params);
    twc_parse_expect(p, TWC_TOK_ARROW, "`->` and the type of the result");
    entry->result_name = twc_parse_type(p);
    entry->body = twc_parse_block(p);
}

/* every = "every" sum block; after = "after" sum "in" names block; migrate = "migrate" "from" INT
 * block */
static void parse_timer(twc_parser *p, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    if (decl->kind == TWC_D_MIGRATE) {
        twc_parse_expect_word(p, TWC_W_from);
        decl->index = twc_parse_count(p, "the version", 1, INT32_MAX);
    } else {
        entry->delay = twc_parse_sum(p);
    }
    if (decl->kind == TWC_D_AFTER) {
        twc_parse_expect_word(p, TWC_W_in);
        entry->in = parse_phases(p);
    }
    entry->body = twc_parse_block(p);
}

/* upgrade = "upgrade" [ "after" sum ] "signed" "by" INT "of" NAME
 * export = "export" ( "dtdl" | "senml" ) STRING "from" NAME */
static void parse_rest(twc_parser *p, twc_decl *decl)
{
    if (decl->kind == TWC_D_UPGRADE) {
        twc_span span;
        if (twc_parse_accept_word(p, TWC_W_after)) decl->u.upgrade.after = twc_parse_sum(p);
        decl->u.upgrade.count = parse_signed(p, &decl->u.upgrade.role, &span);
        return;
    }
    if (!twc_parse_accept_word(p, TWC_W_dtdl)) twc_parse_expect_word(p, TWC_W_senml);
    (void)twc_parse_string(p, "the description's id in quotes");
    twc_parse_expect_word(p, TWC_W_from);
    (void)twc_parse_name(p, "what is described", NULL);
}

/* check = "check" expr; invariant = "invariant" NAME ":" expr */
static void parse_condition(twc_parser *p, twc_decl *decl)
{
    if (decl->kind == TWC_D_INVARIANT) {
        decl->word = twc_parse_name(p, "a name", &decl->name_span);
        twc_parse_expect(p, TWC_TOK_COLON, "`:`");
    }
    decl->u.value.value = twc_parse_expr(p);
}

typedef struct member_row {
    uint16_t keyword;
    twc_decl_kind kind;
    bool entry;
    void (*parse)(twc_parser *p, twc_decl *decl);
} member_row;

static const member_row members[] = {
#define MEMBER(word, kind, is_entry, parser) {TWC_W_##word, TWC_D_##kind, is_entry, parser},
#include "compiler/members.def"
};

static void append(twc_parser *p, twc_decl *decl, twc_span doc, uint32_t start)
{
    decl->span = twc_parse_span(p, start);
    decl->doc = twc_parse_doc(p, doc);
    decl->broken = p->panic || p->lexer.strays != p->strays;
    p->contract->broken |= decl->broken;
    p->strays = p->lexer.strays;
    if (decl->name_span.end == 0) decl->name_span = (twc_span){start, start};
    *p->member = decl;
    p->member_last = decl;
    p->member = &decl->next;
    p->contract->member_count++;
}

/* member = twin | money | role | param | check | ... | test; twin = "twin" STRING */
void twc_parse_member(twc_parser *p)
{
    const twc_span doc = p->token.doc;
    const uint32_t start = p->token.span.start;
    const uint16_t keyword = p->token.kind == TWC_TOK_WORD ? p->token.word->keyword : 0;
    if (keyword == TWC_W_test) {
        append(p, twc_parse_test(p), doc, start);
        return;
    }
    if (twc_parse_accept_word(p, TWC_W_phases)) {
        parse_chains(p, start);
        return;
    }
    if (keyword == TWC_W_twin) {
        const bool twice = p->contract->twin.data != NULL;
        if (twice) {
            twc_diag_add(p->diags, TWC_DIAG_DUPLICATE, p->token.span,
                         "the contract names its twin twice");
        }
        twc_parse_advance(p);
        p->contract->twin = twc_parse_string(p, "the twin's id in quotes");
        return;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const member_row *row = &members[i];
        if (row->keyword != keyword) continue;
        twc_decl *decl = twc_parse_decl(p, row->kind, start);
        const twc_span first = p->token.span;
        twc_parse_advance(p);
        if (row->entry) {
            decl->u.entry = TWC_NODE(p, twc_entry);
            decl->name_span = first;
        }
        row->parse(p, decl);
        append(p, decl, doc, start);
        return;
    }
    twc_parse_expected(p, "a declaration (as role, param, reading, action) or `}`");
}
