#include "tests/support/histories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTS_MAX = 40, AUTHORS_MAX = 8, PERSONS = 4, DAY_MS = 24 * 60 * 60 * 1000 };

/* One history in the making. */
struct history_maker {
    struct township *town;
    struct rng *rng;
    struct township_device *authors[AUTHORS_MAX];
    size_t author_count;
    uint64_t known[AUTHORS_MAX]; /* a bit an event */
    const struct event *events[ACTS_MAX + 1];
    size_t count;
    const char *scope;
    enum thing_type type;
    size_t step; /* of request_way */
    bool on_way; /* the act being made is the next step of it */
};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "histories: %s\n", what);
    abort();
}

/* --- bodies ------------------------------------------------------------------------------- */

static void append_hex(struct buf *out, const void *bytes, size_t size)
{
    char text[2 * 80 + 1];
    must(size <= 80, "long bytes");
    hex_encode(text, bytes, size);
    buf_append_text(out, text);
}

static void append_choice(struct buf *out, struct rng *rng, const char *choices)
{
    size_t count = 1;
    for (const char *c = choices; *c; c++) count += *c == '|';
    const char *at = choices;
    for (uint64_t skip = rng_below(rng, count); skip > 0; skip--) at = strchr(at, '|') + 1;
    buf_append_byte(out, '"');
    buf_append(out, at, strcspn(at, "|"));
    buf_append_byte(out, '"');
}

/* A few texts, so that what must match sometimes does. */
static void append_text(struct buf *out, struct rng *rng, const struct field *f)
{
    static const char *const texts[] = {"solved", "0103", "urgency", "category", "2", "unit-a"};
    const char *text = texts[rng_below(rng, sizeof texts / sizeof texts[0])];
    size_t size = strlen(text);
    if (size > (size_t)f->max) size = (size_t)f->max;
    buf_append_byte(out, '"');
    buf_append(out, text, size);
    for (size_t i = size; i < (size_t)f->min; i++) buf_append_byte(out, 'x');
    buf_append_byte(out, '"');
}

static void append_number(struct buf *out, struct rng *rng, const struct field *f)
{
    uint64_t span = (uint64_t)(f->max - f->min);
    if (span > 6 && rng_chance(rng, 90)) span = 6;
    buf_printf(out, "%lld", (long long)(f->min + (int64_t)rng_below(rng, span + 1)));
}

/* One of few persons, or a thing of this history. */
static void append_thing(struct buf *out, struct history_maker *h, bool nested)
{
    struct thing_id id = {{(uint8_t)rng_below(h->rng, PERSONS)}};
    if (h->count && rng_chance(h->rng, 10)) id = h->events[0]->subject;
    buf_append_text(out, nested ? "{\"$bin\":\"" : "\"");
    append_hex(out, id.bytes, sizeof id.bytes);
    buf_append_text(out, nested ? "\"}" : "\"");
}

static void append_bytes(struct buf *out, struct history_maker *h, const struct field *f)
{
    uint8_t bytes[64] = {1};
    if (h->count && f->min == sizeof h->events[0]->id.bytes && rng_chance(h->rng, 80))
        memcpy(bytes, h->events[rng_below(h->rng, h->count)]->id.bytes, (size_t)f->min);
    buf_append_byte(out, '"');
    append_hex(out, bytes, (size_t)f->min);
    buf_append_byte(out, '"');
}

static void append_value(struct buf *out, struct history_maker *h, const struct field *f,
                         bool nested);

static void append_rows(struct buf *out, struct history_maker *h, const struct field *f)
{
    uint64_t rows = (uint64_t)f->min + rng_below(h->rng, 3);
    buf_append_byte(out, '[');
    for (uint64_t i = 0; i < rows; i++) {
        buf_append_text(out, i ? ",[" : "[");
        for (size_t c = 0; c < f->column_count; c++) {
            if (c) buf_append_byte(out, ',');
            if (!f->columns[c].required && rng_chance(h->rng, 50))
                buf_append_text(out, "null");
            else
                append_value(out, h, &f->columns[c], true);
        }
        buf_append_byte(out, ']');
    }
    buf_append_byte(out, ']');
}

static void append_code(struct buf *out, struct rng *rng, const struct field *f)
{
    if (f->min == 12)
        buf_printf(out, "\"431322111%03u\"", 201 + (unsigned)rng_below(rng, 3));
    else
        buf_printf(out, "\"%0*u\"", (int)f->min, 100 + (unsigned)rng_below(rng, 8));
}

/* What was done lies a little back, what is to be done mostly ahead. */
static void append_time(struct buf *out, struct history_maker *h, const struct field *f)
{
    bool past = strcmp(f->name, "at") == 0 || strcmp(f->name, "received") == 0;
    uint64_t span = (past ? 3 : 20) * (uint64_t)DAY_MS;
    uint64_t first = h->town->time_ms - (past ? 2 : 1) * (uint64_t)DAY_MS;
    buf_printf(out, "%llu", (unsigned long long)(first + rng_below(h->rng, span)));
}

static void append_value(struct buf *out, struct history_maker *h, const struct field *f,
                         bool nested)
{
    struct rng *rng = h->rng;
    switch (f->type) {
    case FIELD_TEXT:
        append_text(out, rng, f);
        break;
    case FIELD_UINT:
    case FIELD_INT:
        append_number(out, rng, f);
        break;
    case FIELD_BOOL:
        buf_append_text(out, rng_chance(rng, 70) ? "true" : "false");
        break;
    case FIELD_DATE:
        buf_printf(out, "\"2025-%02u-%02u\"", 10 + (unsigned)rng_below(rng, 3),
                   1 + (unsigned)rng_below(rng, 28));
        break;
    case FIELD_TIME:
        append_time(out, h, f);
        break;
    case FIELD_CHOICE:
        append_choice(out, rng, f->choices);
        break;
    case FIELD_CODE:
        append_code(out, rng, f);
        break;
    case FIELD_THING:
        append_thing(out, h, nested);
        break;
    case FIELD_BYTES:
        append_bytes(out, h, f);
        break;
    case FIELD_LIST:
        buf_append_text(out, rng_chance(rng, 50) ? "[\"unit-a\",\"2\"]" : "[]");
        break;
    case FIELD_ROWS:
        append_rows(out, h, f);
        break;
    }
}

/* Three rows of a day, mostly possible: one after the other, not longer than their minutes. */
static void append_attendance(struct buf *out, struct history_maker *h)
{
    unsigned start = (unsigned)rng_below(h->rng, 600);
    buf_append_byte(out, '[');
    for (unsigned i = 0; i < 3; i++) {
        unsigned minutes = (unsigned)rng_between(h->rng, 1, 90);
        unsigned end = start + minutes + (unsigned)rng_below(h->rng, 20);
        buf_append_text(out, i ? ",[" : "[");
        append_thing(out, h, true);
        buf_printf(out, ",%u,%u,%u]", start, rng_chance(h->rng, 95) ? end : start, minutes);
        if (rng_chance(h->rng, 90)) start = end;
    }
    buf_append_byte(out, ']');
}

/* A correction of a record of the history and a field that its kind has; mostly a value of it. */
static void append_correction(struct buf *out, struct history_maker *h)
{
    const struct event *target =
        h->events[rng_chance(h->rng, 60) ? 0 : rng_below(h->rng, h->count)];
    const struct kind *k = kind_find(target->kind);
    const struct field *f = &k->fields[rng_below(h->rng, k->field_count)];
    struct buf value = {0};
    buf_append_text(out, "{\"target\":\"");
    append_hex(out, target->id.bytes, sizeof target->id.bytes);
    buf_printf(out, "\",\"field\":\"%s\"", f->name);
    if (f->type == FIELD_UINT || f->type == FIELD_TIME) {
        append_value(&value, h, f, false);
        buf_printf(out, ",\"value\":\"%s\"", buf_text(&value));
    } else if (f->type != FIELD_ROWS && f->type != FIELD_LIST && f->type != FIELD_BOOL &&
               f->type != FIELD_INT && f->type != FIELD_BYTES &&
               (!f->personal || rng_chance(h->rng, 20))) {
        buf_append_text(out, ",\"value\":");
        append_value(out, h, f, false);
    }
    buf_append_byte(out, '}');
    buf_clear(&value);
}

/* Something that the table refuses. */
static void append_bad(struct buf *out, const struct field *f)
{
    buf_append_text(out, f->type == FIELD_CHOICE ? "\"no such word\"" : "false");
}

/* A key that the kind does not know, but the kind that founded the thing does, with no value of
 * its.
 */
static void append_unknown(struct buf *out, const struct history_maker *h, const struct kind *k)
{
    const struct kind *founding = kind_find(h->events[0]->kind);
    const struct field *f = &founding->fields[rng_below(h->rng, founding->field_count)];
    if (f->personal || kind_field(k, f->name)) return;
    buf_printf(out, "%s\"%s\":", out->size > 1 ? "," : "", f->name);
    append_bad(out, f);
}

/* On its way a request is signed for as it must be, and names no more than it need. */
static unsigned chance_of(const struct history_maker *h, const struct field *f)
{
    if (f->unless || (h->on_way && strcmp(f->name, "signed_by") == 0)) return 90;
    return h->on_way ? 15 : 35;
}

/* The body's fields; one in twenty bodies lacks one or has a bad one. */
static void make_body(struct buf *out, struct history_maker *h, const struct kind *k)
{
    size_t bad =
        !h->on_way && rng_chance(h->rng, 8) ? rng_below(h->rng, k->field_count + 1) : SIZE_MAX;
    const char *separator = "";
    buf_reset(out);
    if (strcmp(k->name, "correct.entry") == 0 && rng_chance(h->rng, 80)) {
        append_correction(out, h);
        return;
    }
    buf_append_byte(out, '{');
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        bool wanted = f->required || rng_chance(h->rng, chance_of(h, f));
        bool text = f->type == FIELD_CHOICE || f->type == FIELD_TEXT || f->type == FIELD_UINT;
        if (f->personal || !wanted || (i == bad && !text)) continue;
        buf_printf(out, "%s\"%s\":", separator, f->name);
        if (i == bad)
            append_bad(out, f);
        else if (strcmp(k->name, "attendance.record") == 0 && f->type == FIELD_ROWS)
            append_attendance(out, h);
        else if (strcmp(f->name, "pool") == 0)
            buf_printf(out, "%u", (unsigned)rng_below(h->rng, 40));
        else
            append_value(out, h, f, false);
        separator = ",";
    }
    if (!k->founding && rng_chance(h->rng, 10)) append_unknown(out, h, k);
    buf_append_byte(out, '}');
}

/* --- who, what ---------------------------------------------------------------------------- */

static void gather_authors(struct history_maker *h)
{
    struct township *t = h->town;
    h->authors[h->author_count++] = &t->hub;
    for (size_t i = 0; i < t->device_count && h->author_count < AUTHORS_MAX; i++)
        h->authors[h->author_count++] = &t->devices[i];
}

/* Mostly somebody who may hold the scope, or the event would never come to be. */
static size_t choose_author(struct history_maker *h, const struct kind *k)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        size_t i = rng_below(h->rng, h->author_count);
        const char *village = h->authors[i]->village;
        bool holds = !village[0] || strcmp(h->scope, "town") == 0 ||
                     (strncmp(h->scope, "village:", 8) == 0 && strcmp(h->scope + 8, village) == 0);
        if (holds && (k->roles & h->authors[i]->roles || rng_chance(h->rng, 4))) return i;
    }
    return 0;
}

/* The way of a request as it mostly goes, so that histories get far. */
static const char *const request_way[] = {
    "request.accept",  "order.issue",     "order.sign",      "contact.log",    "order.report",
    "callback.record", "callback.record", "request.close",   "request.reopen", "order.report",
    "callback.record", "request.close",   "request.archive",
};

/* What somebody does next when the last act was this. */
static const struct kind *choose_sequel(struct history_maker *h)
{
    static const char *const sequels[][2] = {
        {"order.suspend", "order.resume"},       {"order.extend_ask", "order.extend_decide"},
        {"order.object", "order.object_decide"}, {"order.sign", "order.extend_ask"},
        {"order.resume", "order.report"},        {"request.supplement", "request.supplement"},
        {"request.accept", "correct.entry"},     {"request.register", "correct.entry"},
        {"request.accept", "request.number"},    {"contact.log", "order.suspend"},
        {"request.answer", "order.review"},      {"points.award", "points.object"},
        {"points.object", "points.decide"},
    };
    size_t i = rng_below(h->rng, sizeof sequels / sizeof sequels[0]);
    struct slice last = h->events[h->count - 1]->kind;
    return slice_is_text(last, sequels[i][0]) ? kind_find(slice_of_text(sequels[i][1])) : NULL;
}

static size_t kind_count(void)
{
    static size_t count;
    while (!count || kind_at(count)) count++;
    return count;
}

static const struct kind *choose_act(struct history_maker *h)
{
    const struct kind *sequel = NULL;
    for (unsigned tries = 0; tries < 3 && !sequel; tries++) sequel = choose_sequel(h);
    h->on_way = sequel != NULL;
    if (sequel) return sequel;
    size_t steps = sizeof request_way / sizeof request_way[0];
    h->on_way = h->type == THING_REQUEST && h->step < steps && rng_chance(h->rng, 70);
    if (h->on_way) {
        size_t at = h->step;
        if (rng_chance(h->rng, 80)) h->step++; /* else the same once more */
        return kind_find(slice_of_text(request_way[at]));
    }
    for (unsigned tries = 0; tries < 400; tries++) {
        const struct kind *k = kind_at(rng_below(h->rng, kind_count()));
        if (!k || k->founding) continue;
        if (k->thing == h->type || (k->thing == THING_ANY && rng_chance(h->rng, 15)) ||
            rng_chance(h->rng, 1))
            return k;
    }
    return kind_find(slice_of_text("correct.entry"));
}

static const struct kind *choose_founding(struct rng *rng)
{
    if (rng_chance(rng, 50)) return kind_find(slice_of_text("request.register"));
    for (;;) {
        const struct kind *k = kind_at(rng_below(rng, kind_count()));
        if (k && k->founding && k->thing > THING_DEVICE && !(k->scopes == 0)) return k;
    }
}

static const char *choose_scope(struct history_maker *h, const struct kind *k)
{
    static const char *const scopes[] = {"town", "village:431322111201", "village:431322111202",
                                         "office"};
    static const enum scope_class classes[] = {SCOPE_TOWN, SCOPE_VILLAGE, SCOPE_VILLAGE,
                                               SCOPE_OFFICE};
    for (;;) {
        size_t i = rng_below(h->rng, 4);
        if (k->scopes & 1u << classes[i] || rng_chance(h->rng, 1)) return scopes[i];
    }
}

/* --- recording ---------------------------------------------------------------------------- */

static uint32_t depth_after(const struct history_maker *h, uint64_t known)
{
    uint32_t depth = 0;
    for (size_t i = 0; i < h->count; i++)
        if (known >> i & 1 && h->events[i]->depth >= depth) depth = h->events[i]->depth + 1;
    return depth;
}

static uint32_t count_known(uint64_t known)
{
    return (uint32_t)__builtin_popcountll(known);
}

static void record(struct history_maker *h, const struct kind *k, struct buf *body)
{
    static const struct thing_id persons[] = {{"clerk"}, {"visitor"}};
    size_t i = choose_author(h, k);
    for (size_t other = 0; other < h->author_count; other++)
        if (rng_chance(h->rng, h->on_way ? 90 : 50)) h->known[i] |= h->known[other];
    struct township_act act = {.kind = k->name, .scope = h->scope};
    act.by = rng_chance(h->rng, 70) ? &persons[rng_below(h->rng, 2)] : NULL;
    if (h->count) {
        h->known[i] |= 1; /* who acts on a thing knows that it was founded */
        act.subject = &h->events[0]->subject;
        act.seen = count_known(h->known[i]);
        act.depth = depth_after(h, h->known[i]);
        if (act.depth > act.seen) act.depth = act.seen;
        if (rng_chance(h->rng, 2)) act.depth = (uint32_t)rng_below(h->rng, act.seen + 1);
    }
    if (rng_chance(h->rng, 30)) /* a clock that is off */
        act.time_ms = h->town->time_ms + rng_below(h->rng, 4 * (uint64_t)DAY_MS) - 2 * DAY_MS;
    make_body(body, h, k);
    act.body = buf_text(body);
    h->events[h->count] = township_record(h->town, h->authors[i], &act);
    h->known[i] |= UINT64_C(1) << h->count;
    h->count++;
}

/* Rules that bind acts of other things; 0107 is on no list. */
static void publish(struct history_maker *h)
{
#define RULE(type, rest)                                                                           \
    {                                                                                              \
        "rule.put", "{\"type\":\"" type "\",\"ver\":1,\"effective\":\"2025-11-01\","               \
                    "\"approved_by\":\"a\",\"doc_ref\":\"b\"," rest "}"                            \
    }
#define CODE(code) "[\"" code "\",\"a\",null,null]"
    static const char *const published[][2] = {
        RULE("category", "\"categories\":[" CODE("0100") "," CODE("0101") "," CODE("0102") "]"),
        RULE("category", "\"categories\":[" CODE("0103") "," CODE("0104") "]"),
        RULE("category", "\"categories\":[" CODE("0100") "," CODE("0105") "," CODE("0106") "]"),
        RULE("sla", "\"limits\":[[\"extension\",4,\"wd\"]]"),
        RULE("sla", "\"limits\":[[\"extension\",3,\"d\"]]"),
        RULE("sla", "\"limits\":[[\"extension\",30,\"h\"]]"),
        {"calendar.put", "{\"year\":2025,\"source\":\"a\",\"days\":[[\"2025-12-01\",true,\"b\"],"
                         "[\"2025-12-06\",false,\"b\"]]}"},
        {"calendar.put", "{\"year\":2025,\"source\":\"a\",\"days\":[[\"2025-12-02\",true,\"b\"],"
                         "[\"2025-12-03\",true,\"b\"],[\"2025-12-04\",true,\"b\"]]}"},
    };
#undef CODE
#undef RULE
    const char *const *what = published[rng_below(h->rng, sizeof published / sizeof published[0])];
    size_t author = rng_below(h->rng, h->author_count); /* often one who may not */
    township_record(h->town, h->authors[author],
                    &(struct township_act){what[0], .scope = "town", .body = what[1]});
}

void histories_begin(struct township *t)
{
    must(t->device_count >= 3, "three villages at least");
    (void)township_join(t, "431322111201", ROLE_VILLAGE, 'B');
    (void)township_join(t, "", ROLE_UNIT, 'B');
    (void)township_join(t, "", ROLE_DISPATCH | ROLE_CALLBACK, 'C');
    t->roster_count = t->event_count;
}

void histories_add(struct township *t, struct rng *rng)
{
    struct history_maker h = {.town = t, .rng = rng};
    struct buf body = {0};
    gather_authors(&h);
    if (rng_chance(rng, 4)) publish(&h);
    const struct kind *founding = choose_founding(rng);
    h.type = founding->thing;
    h.scope = choose_scope(&h, founding);
    record(&h, founding, &body);
    uint64_t usual = h.type == THING_REQUEST ? 26 : 12;
    uint64_t acts = rng_below(rng, rng_chance(rng, 10) ? ACTS_MAX : usual);
    for (uint64_t i = 0; i < acts; i++) record(&h, choose_act(&h), &body);
    buf_clear(&body);
}
