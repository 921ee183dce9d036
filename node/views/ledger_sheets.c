/* Sheets of what is missing in the ledger, ready to be recorded. */
#include <stdlib.h>
#include <string.h>

#include "node/views/ledger_audit.h"
#include "node/views/ledger_parts.h"

/* An event's header holds more than its body. */
#define SHEET_BODY_SIZE_MAX (EVENT_HEADER_SIZE_MAX - KIB(1))

struct sheets {
    const struct ledger *ledger;
    bool (*each)(void *state, const struct ledger_sheet *sheet);
    void *state;
    struct ledger_sheet sheet;
    struct buf rows, body;
    struct mp_map map;
    bool stopped;
};

static bool belongs_before(const struct ledger_finding *a, const struct ledger_finding *b)
{
    int order = strcmp(a->person->village, b->person->village);
    if (order) return order < 0;
    return a->rules < b->rules;
}

/* By village and version; within those as the findings stand: by person, basis and rule. */
static int in_order(const void *x, const void *y)
{
    const struct ledger_finding *a = *(const struct ledger_finding *const *)x;
    const struct ledger_finding *b = *(const struct ledger_finding *const *)y;
    if (belongs_before(a, b)) return -1;
    if (belongs_before(b, a)) return 1;
    return a < b ? -1 : a > b;
}

static enum err end_sheet(struct sheets *s)
{
    if (!s->sheet.rows || s->stopped) return OK;
    mp_map_reset(&s->map);
    buf_reset(&s->body);
    struct mp_writer w = mp_map_put(&s->map, "year");
    mp_write_uint(&w, s->ledger->year);
    w = mp_map_put(&s->map, "rules");
    mp_write_uint(&w, s->sheet.rules);
    w = mp_map_put(&s->map, "rows");
    mp_write_array(&w, s->sheet.rows);
    buf_append_slice(w.out, buf_slice(&s->rows));
    enum err err = s->rows.err ? s->rows.err : mp_map_end(&s->map, &s->body);
    if (err) return err;
    s->sheet.body = buf_slice(&s->body);
    s->stopped = !s->each(s->state, &s->sheet);
    return OK;
}

static void begin_sheet(struct sheets *s, const struct ledger_finding *f)
{
    buf_reset(&s->rows);
    s->sheet = (struct ledger_sheet){.rules = f->rules};
    memcpy(s->sheet.village, f->person->village, sizeof s->sheet.village);
}

static void add_row(struct sheets *s, const struct ledger_finding *f)
{
    struct mp_writer w = {&s->rows};
    mp_write_array(&w, 4);
    mp_write_bin(&w, f->person->key.thing.bytes, sizeof f->person->key.thing.bytes);
    mp_write_text(&w, f->rule);
    mp_write_bin(&w, f->basis.bytes, sizeof f->basis.bytes);
    mp_write_int(&w, f->due);
    s->sheet.rows++;
    s->sheet.points += f->due;
}

static enum err write_sheets(struct sheets *s, const struct ledger_finding **missing, size_t count)
{
    enum { ROW_SIZE_MAX = 64 };
    enum err err = OK;
    for (size_t i = 0; i < count && !err && !s->stopped; i++) {
        const struct ledger_finding *f = missing[i];
        if (i == 0 || belongs_before(missing[i - 1], f) || s->sheet.rows == SHEET_ROWS_MAX ||
            s->rows.size + ROW_SIZE_MAX > SHEET_BODY_SIZE_MAX) {
            err = end_sheet(s);
            begin_sheet(s, f);
        }
        add_row(s, f);
    }
    return err ? err : end_sheet(s);
}

/* Findings of one person stand together. */
static size_t take_missing(const struct ledger_audit *a, const struct ledger_finding **missing,
                           size_t *left_out)
{
    size_t count = 0, end;
    for (size_t i = 0; i < a->count; i = end) {
        bool whole = true;
        for (end = i; end < a->count && a->findings[end].person == a->findings[i].person; end++)
            whole = whole && a->findings[end].type == LEDGER_MISSING;
        for (size_t k = i; k < end && whole; k++) missing[count++] = &a->findings[k];
        *left_out += !whole;
    }
    return count;
}

enum err ledger_sheets(const struct ledger *l, const struct ledger_audit *a,
                       bool (*each)(void *state, const struct ledger_sheet *sheet), void *state,
                       size_t *left_out)
{
    struct sheets s = {.ledger = l, .each = each, .state = state};
    const struct ledger_finding **missing = calloc(a->count + 1, sizeof(*missing));
    *left_out = 0;
    if (!missing) return ERR_NOMEM;
    size_t count = take_missing(a, missing, left_out);
    if (count > 1) qsort(missing, count, sizeof *missing, in_order);
    enum err err = write_sheets(&s, missing, count);
    free(missing);
    buf_clear(&s.rows);
    buf_clear(&s.body);
    mp_map_clear(&s.map);
    return err;
}
