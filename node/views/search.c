#include "node/views/search.h"

#include <stdlib.h>
#include <string.h>

#include "node/store/locking.h"
#include "node/views/body.h"

#define META_INDEXED "search.indexed"

enum {
    TERM_SIZE_MAX = 96, /* of a name or a phone; the kinds' table bounds each */
    TERMS_MAX = 4,      /* phones in one field */
    DIGITS_MAX = 20,
};

/* What a row begins with, and what is looked for. */
struct term {
    uint8_t table;
    size_t size;
    uint8_t bytes[TERM_SIZE_MAX];
};
struct terms {
    size_t count;
    struct term terms[TERMS_MAX + 3];
};

/* --- terms --------------------------------------------------------------------------------- */

static size_t blank_at(struct slice text, size_t at)
{
    static const char wide[] = "\xe3\x80\x80"; /* U+3000 */
    if (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\n') return 1;
    return text.size - at >= 3 && memcmp(text.data + at, wide, 3) == 0 ? 3 : 0;
}

/* False: it is too long, or nothing but blanks. */
static bool without_blanks(struct term *out, uint8_t table, struct slice text)
{
    *out = (struct term){.table = table};
    for (size_t at = 0; at < text.size;) {
        size_t blank = blank_at(text, at);
        if (blank) {
            at += blank;
            continue;
        }
        if (out->size == TERM_SIZE_MAX || !text.data[at]) return false;
        out->bytes[out->size++] = text.data[at++];
    }
    return out->size > 0;
}

static bool name_term(struct term *out, struct slice name)
{
    return without_blanks(out, ROW_NAME, name);
}

static bool hash_term(struct term *out, uint8_t table, struct slice text)
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_ROW, text);
    *out = (struct term){.table = table, .size = sizeof h.bytes};
    memcpy(out->bytes, h.bytes, sizeof h.bytes);
    return true;
}

static bool place_term(struct term *out, struct slice place)
{
    if (place.size > TERM_SIZE_MAX) return hash_term(out, ROW_PLACE, place);
    return without_blanks(out, ROW_PLACE, place);
}

/* `digits` from the first to the last. */
static bool phone_term(struct term *out, const uint8_t *digits, size_t count)
{
    if (count < SEARCH_DIGITS_MIN) return false;
    *out = (struct term){.table = ROW_PHONE, .size = count};
    for (size_t i = 0; i < count; i++) out->bytes[i] = digits[count - 1 - i];
    return true;
}

static bool begins_with(const struct term *text, const struct term *prefix)
{
    return text->table == prefix->table && text->size >= prefix->size &&
           memcmp(text->bytes, prefix->bytes, prefix->size) == 0;
}

/* The digits of a phone, or of its end, as somebody typed it. */
static bool digits_term(struct term *out, struct slice text)
{
    uint8_t digits[DIGITS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < text.size && count < DIGITS_MAX; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9') digits[count++] = text.data[i];
    return phone_term(out, digits, count);
}

/* Several phones stand in one field: "13812345678/13912345678". */
static bool parts_phones(struct slice text, size_t at)
{
    static const char *const wide[] = {"、", "，", "；"};
    if (memchr("/,;", text.data[at], 3)) return true;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (text.size - at >= 3 && memcmp(text.data + at, wide[i], 3) == 0) return true;
    return false;
}

static void phone_terms(struct terms *out, struct slice text)
{
    uint8_t digits[DIGITS_MAX];
    size_t count = 0;
    for (size_t at = 0; at <= text.size; at++) {
        bool end = at == text.size || parts_phones(text, at);
        if (!end && text.data[at] >= '0' && text.data[at] <= '9' && count < DIGITS_MAX)
            digits[count++] = text.data[at];
        if (!end) continue;
        if (out->count < TERMS_MAX && phone_term(&out->terms[out->count], digits, count))
            out->count++;
        count = 0;
    }
}

static void field_terms(struct terms *out, const char *field, struct slice text)
{
    if (strcmp(field, "phone") == 0)
        phone_terms(out, text);
    else if (strcmp(field, "name") == 0)
        out->count += name_term(&out->terms[out->count], text);
    else
        out->count += place_term(&out->terms[out->count], text);
}

/* The field itself, or what it is corrected to. */
static struct slice box_value(const struct event *e, const char *field)
{
    struct mp_reader value;
    bool corrects = slice_is_text(e->kind, "correct.entry") &&
                    slice_is_text(body_text(e->body, "field"), field);
    bool there = mp_map_get(e->box, corrects ? "personal_value" : field, &value);
    return there ? mp_read_str(&value, SIZE_MAX) : SLICE_EMPTY;
}

static bool reference_term(struct term *out, struct slice reference)
{
    if (reference.size > TERM_SIZE_MAX) return hash_term(out, ROW_REF, reference);
    *out = (struct term){.table = ROW_REF, .size = reference.size};
    if (reference.size) memcpy(out->bytes, reference.data, reference.size);
    return out->size > 0;
}

/* What an event says of whom it is about, and whence it came. */
static void event_terms(struct terms *out, const struct event *e)
{
    out->count = 0;
    const struct kind *kind = kind_find(e->kind);
    if (scope_class(&e->feed.scope) == SCOPE_OFFICE) return;
    if (!kind || (kind->thing != THING_REQUEST && kind->thing != THING_VOLUNTEER &&
                  kind->thing != THING_ANY))
        return;
    if (e->box_state == BOX_HERE) {
        field_terms(out, "phone", box_value(e, "phone"));
        field_terms(out, "name", box_value(e, "name"));
        field_terms(out, "place", box_value(e, "place"));
    }
    if (e->founding && kind->thing == THING_REQUEST &&
        reference_term(&out->terms[out->count], body_text(e->body, "channel_ref")))
        out->count++;
}

bool search_phone_ends(struct slice field, struct slice digits)
{
    struct terms terms = {.count = 0};
    struct term end;
    if (!digits_term(&end, digits)) return false;
    phone_terms(&terms, field);
    for (size_t i = 0; i < terms.count; i++)
        if (begins_with(&terms.terms[i], &end)) return true;
    return false;
}

/* --- the index ----------------------------------------------------------------------------- */

struct index_key {
    uint8_t bytes[TERM_SIZE_MAX + 1 + sizeof(struct thing_id)];
};
_Static_assert(sizeof(struct index_key) <= 128, "a row's key holds it");

static struct row_key index_key(struct index_key *out, uint32_t scope_number,
                                const struct term *term, const struct thing_id *thing)
{
    memcpy(out->bytes, term->bytes, term->size);
    out->bytes[term->size] = 0;
    memcpy(out->bytes + term->size + 1, thing->bytes, sizeof thing->bytes);
    return (struct row_key){scope_number, term->table,
                            slice_of(out->bytes, term->size + 1 + sizeof thing->bytes)};
}

/* The first arrival to look at: a box that came later than its event goes back to that event. */
static uint64_t first_of_tail(struct txn *t)
{
    if (locking_any(t)) return 1;
    uint64_t next = meta_get_uint(t, META_INDEXED) + 1;
    uint64_t added = meta_get_uint(t, META_BOX_ADDED);
    return added && added < next ? added : next;
}

uint64_t search_behind(struct txn *t)
{
    if (locking_any(t)) return 0; /* there is no index to be brought up */
    uint64_t count = log_count(t), next = first_of_tail(t);
    return count >= next ? count - next + 1 : 0;
}

/* Reads an event and what it says; its box is opened into `box`, where it is locked. */
static enum err read_terms(struct txn *t, uint64_t arrival, struct event *e, struct terms *terms,
                           struct buf *box)
{
    enum err err = log_read_unverified(t, arrival, e);
    buf_reset(box);
    if (err) return err;
    /* A damaged box says nothing; `verify` tells. */
    if (log_open_box(t, e, box)) e->box_state = BOX_GONE;
    event_terms(terms, e);
    return OK;
}

/* Boxes that are locked here leave no plain rows: then every look-up reads the log, and this is not
 * called. */
static void index_event(struct txn *t, uint64_t arrival)
{
    struct event e;
    struct terms terms;
    struct scope_row scope;
    struct index_key key;
    /* A damaged event is found by `verify`; here it is about nobody. */
    if (log_read_unverified(t, arrival, &e)) return;
    event_terms(&terms, &e);
    if (!terms.count || !scope_find(t, &e.feed.scope, &scope)) return;
    const struct thing_key about = {scope.number, e.subject}; /* the event dies with a write */
    for (size_t i = 0; i < terms.count; i++) {
        const struct row_key row =
            index_key(&key, about.scope_number, &terms.terms[i], &about.thing);
        row_put(t, &row, SLICE_EMPTY);
    }
}

bool search_slice(struct txn *t, uint64_t events_max)
{
    if (locking_any(t)) return false;
    uint64_t last = log_count(t), next = first_of_tail(t), count = 0;
    for (; next <= last && count < events_max; next++, count++) index_event(t, next);
    if (!count) return false;
    meta_delete(t, META_BOX_ADDED);
    meta_put_uint(t, META_INDEXED, next - 1);
    return next <= last && !txn_error(t);
}

enum err search_catch_up(struct store *s)
{
    struct txn *t;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    bool more = search_behind(t) > SEARCH_TAIL_MAX;
    txn_abort(t);
    while (!err && more) {
        err = txn_begin(s, true, &t);
        if (err) break;
        more = search_slice(t, SEARCH_SLICE_EVENTS);
        err = txn_commit(t);
    }
    return err;
}

void search_reset(struct txn *t)
{
    meta_delete(t, META_INDEXED);
}

bool search_drop_slice(struct txn *t, uint64_t rows_max)
{
    static const uint8_t tables[] = {ROW_PHONE, ROW_NAME, ROW_PLACE, ROW_REF};
    uint32_t scopes = scope_count(t);
    uint64_t count = 0;
    search_reset(t);
    for (uint32_t scope = 1; scope <= scopes; scope++)
        for (size_t i = 0; i < sizeof tables; i++) {
            struct row_cursor cursor = {.scope_number = scope, .table = tables[i]};
            struct slice bytes, row;
            while (row_next(t, &cursor, &bytes, &row)) {
                if (count++ == rows_max) return true;
                const struct row_key gone = {scope, tables[i], slice_of(cursor.at, cursor.at_size)};
                row_delete(t, &gone);
            }
        }
    return false;
}

/* Does a box of the thing say so? */
static bool box_says(struct txn *t, const struct thing_key *key, const struct term *prefix)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    struct buf box = {0};
    bool says = false;
    for (uint64_t arrival; !says && (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct terms terms;
        if (read_terms(t, arrival, &e, &terms, &box)) continue;
        for (size_t i = 0; i < terms.count && !says; i++)
            says = begins_with(&terms.terms[i], prefix);
    }
    crypto_buf_wipe(&box);
    return says;
}

/* The reference stands in the body, which stays. */
void search_forget(struct txn *t, const struct thing_key *key, uint64_t arrival)
{
    struct event e;
    struct terms terms;
    struct index_key bytes;
    if (log_read_unverified(t, arrival, &e)) return;
    event_terms(&terms, &e);
    for (size_t i = 0; i < terms.count; i++) {
        const struct row_key row =
            index_key(&bytes, key->scope_number, &terms.terms[i], &key->thing);
        if (row.table != ROW_REF) row_delete(t, &row);
    }
}

void search_again(struct txn *t, const struct thing_key *key)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    uint64_t indexed = locking_any(t) ? 0 : meta_get_uint(t, META_INDEXED), arrival;
    while ((arrival = thing_next(&cursor)) != 0 && arrival <= indexed) index_event(t, arrival);
}

/* --- looking up ---------------------------------------------------------------------------- */

static void found_add(struct buf *found, uint32_t scope_number, const uint8_t *thing)
{
    struct thing_key key = {.scope_number = scope_number};
    memcpy(key.thing.bytes, thing, sizeof key.thing.bytes);
    buf_append(found, &key, sizeof key);
}

static void look_in_index(struct txn *t, const struct term *prefix, struct buf *found)
{
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        struct row_cursor cursor = {.scope_number = scope,
                                    .table = prefix->table,
                                    .prefix = slice_of(prefix->bytes, prefix->size)};
        struct slice key, row;
        while (row_next(t, &cursor, &key, &row))
            if (key.size > prefix->size + sizeof(struct thing_id))
                found_add(found, scope, key.data + key.size - sizeof(struct thing_id));
    }
}

static void look_in_tail(struct txn *t, const struct term *prefix, struct buf *found)
{
    uint64_t last = log_count(t);
    struct buf box = {0};
    for (uint64_t arrival = first_of_tail(t); arrival <= last; arrival++) {
        struct event e;
        struct terms terms;
        struct scope_row scope;
        if (read_terms(t, arrival, &e, &terms, &box)) continue;
        for (size_t i = 0; i < terms.count; i++)
            if (begins_with(&terms.terms[i], prefix) && scope_find(t, &e.feed.scope, &scope))
                found_add(found, scope.number, e.subject.bytes);
    }
    crypto_buf_wipe(&box);
}

static int by_scope_and_id(const void *a, const void *b)
{
    const struct thing_key *x = a, *y = b;
    if (x->scope_number != y->scope_number) return x->scope_number < y->scope_number ? -1 : 1;
    return thing_id_compare(&x->thing, &y->thing);
}

/* Which of the two it is; false: neither, or it has no row. */
static bool hit_type(struct txn *t, struct search_hit *hit)
{
    static const enum thing_type types[] = {THING_VOLUNTEER, THING_REQUEST};
    uint8_t bytes[ROW_THING_KEY_SIZE];
    struct slice row;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct row_key key = row_thing_key(bytes, types[i], &hit->key);
        hit->type = types[i];
        if (row_get(t, &key, &row)) return true;
    }
    return false;
}

static MUST_CHECK enum err look_up(struct txn *t, const struct term *prefix,
                                   bool (*each)(void *state, const struct search_hit *hit),
                                   void *state)
{
    struct buf found = {0};
    look_in_index(t, prefix, &found);
    look_in_tail(t, prefix, &found);
    enum err err = found.err ? found.err : txn_error(t);
    size_t count = err ? 0 : found.size / sizeof(struct thing_key);
    struct thing_key *keys = (struct thing_key *)(void *)found.data;
    if (count) qsort(keys, count, sizeof *keys, by_scope_and_id);
    for (size_t i = 0; i < count; i++) {
        struct search_hit hit = {.key = keys[i]};
        if (i && by_scope_and_id(&keys[i], &keys[i - 1]) == 0) continue;
        if (!hit_type(t, &hit) || !box_says(t, &hit.key, prefix)) continue;
        if (!each(state, &hit)) break;
    }
    buf_clear(&found);
    return err ? err : txn_error(t);
}

enum err search_phone(struct txn *t, struct slice phone,
                      bool (*each)(void *state, const struct search_hit *hit), void *state)
{
    struct term term;
    return digits_term(&term, phone) ? look_up(t, &term, each, state) : OK;
}

enum err search_name(struct txn *t, struct slice name,
                     bool (*each)(void *state, const struct search_hit *hit), void *state)
{
    struct term term;
    return name_term(&term, name) ? look_up(t, &term, each, state) : OK;
}

enum err search_place(struct txn *t, struct slice place,
                      bool (*each)(void *state, const struct search_hit *hit), void *state)
{
    struct term term;
    return place_term(&term, place) ? look_up(t, &term, each, state) : OK;
}

struct exact {
    struct txn *txn;
    struct slice reference;
    bool (*each)(void *state, const struct search_hit *hit);
    void *state;
};

static bool take_exact(void *state, const struct search_hit *hit)
{
    struct exact *x = state;
    struct thing_cursor cursor = {
        .txn = x->txn, .scope_number = hit->key.scope_number, .thing = hit->key.thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_unverified(x->txn, arrival, &e) || !e.founding) continue;
        if (slice_equal(body_text(e.body, "channel_ref"), x->reference))
            return x->each(x->state, hit);
    }
    return true;
}

enum err search_reference(struct txn *t, struct slice reference,
                          bool (*each)(void *state, const struct search_hit *hit), void *state)
{
    struct exact exact = {t, reference, each, state};
    struct term term;
    return reference_term(&term, reference) ? look_up(t, &term, take_exact, &exact) : OK;
}
