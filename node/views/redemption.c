#include "node/views/redemption.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/time.h"
#include "node/views/body.h"

struct loading {
    struct redemptions *out;
    uint32_t year;
    enum err err;
};

/* --- grants and payments ------------------------------------------------------------------ */

static int by_person(const void *a, const void *b)
{
    const struct redemption_grant *x = a, *y = b;
    return thing_id_compare(&x->person, &y->person);
}

const struct redemption_grant *redemption_grant_of(const struct redemption *run,
                                                   const struct thing_id *person)
{
    struct redemption_grant key = {.person = *person};
    if (!run->grant_count) return NULL;
    return bsearch(&key, run->grants, run->grant_count, sizeof key, by_person);
}

/* The run's sums count what its acts say; the fold let no person be granted or paid twice. */
static enum err take_grants(struct redemption *run, struct slice body)
{
    size_t count;
    struct mp_reader rows = body_rows(body, "rows", &count);
    void *grown = realloc(run->grants, (run->grant_count + count) * sizeof *run->grants);
    if (!grown) return ERR_NOMEM;
    run->grants = grown;
    for (size_t i = 0; i < count; i++) {
        struct redemption_grant *grant = &run->grants[run->grant_count];
        *grant = (struct redemption_grant){0};
        mp_read_array(&rows, SIZE_MAX);
        mp_read_bin_exact(&rows, grant->person.bytes, sizeof grant->person.bytes);
        text_copy(grant->village, sizeof grant->village, mp_read_str(&rows, SIZE_MAX));
        grant->points = (int32_t)mp_read_uint(&rows, INT32_MAX);
        grant->fen = (int64_t)mp_read_uint(&rows, INT64_MAX);
        if (rows.err) return ERR_CORRUPT;
        run->granted += grant->fen;
        run->grant_count++;
    }
    qsort(run->grants, run->grant_count, sizeof *run->grants, by_person);
    return OK;
}

static enum err take_payments(struct redemption *run, struct slice body)
{
    size_t count;
    uint32_t day = 0;
    if (time_parse_day(&day, body_text(body, "paid"))) day = 0;
    struct mp_reader rows = body_rows(body, "rows", &count);
    for (size_t i = 0; i < count; i++) {
        struct redemption_grant key = {0};
        mp_read_array(&rows, SIZE_MAX);
        mp_read_bin_exact(&rows, key.person.bytes, sizeof key.person.bytes);
        int64_t fen = (int64_t)mp_read_uint(&rows, INT64_MAX);
        struct slice voucher = mp_read_str(&rows, SIZE_MAX);
        if (rows.err) return ERR_CORRUPT;
        run->paid += fen;
        struct redemption_grant *grant =
            run->grant_count ? bsearch(&key, run->grants, run->grant_count, sizeof key, by_person)
                             : NULL;
        if (!grant) continue;
        grant->paid = true;
        grant->paid_day = day;
        text_copy(grant->voucher, sizeof grant->voucher, voucher);
    }
    return OK;
}

static enum err take_acts(struct redemption *run, const struct thing *thing)
{
    struct mp_reader acts = mp_reader_of(thing->acts);
    struct thing_act act;
    enum err err = OK;
    while (!err && thing_act_next(&acts, &act)) {
        if (slice_is_text(act.kind, "redeem.grant")) err = take_grants(run, act.body);
        if (slice_is_text(act.kind, "redeem.pay")) err = take_payments(run, act.body);
    }
    return err;
}

/* --- runs --------------------------------------------------------------------------------- */

static bool take_run(void *state, const struct thing *thing)
{
    struct loading *l = state;
    uint32_t year = (uint32_t)body_uint(thing->fields, "year");
    if (l->year && l->year != year) return true;
    void *grown = realloc(l->out->runs, (l->out->count + 1) * sizeof *l->out->runs);
    if (!grown) {
        l->err = ERR_NOMEM;
        return false;
    }
    l->out->runs = grown;
    struct redemption *run = &l->out->runs[l->out->count++];
    *run = (struct redemption){
        .key = thing->key,
        .year = year,
        .rules = (uint32_t)body_uint(thing->fields, "rules"),
        .opened_ms = thing->founded_ms,
        .completed = strcmp(thing_state_name(thing->type, thing->state), "completed") == 0,
        .pool = (int64_t)body_uint(thing->fields, "pool"),
        .total = (int64_t)body_uint(thing->fields, "total"),
    };
    (void)body_bytes(thing->fields, "list", run->list.bytes, sizeof run->list.bytes);
    l->err = take_acts(run, thing);
    return l->err == OK;
}

static int by_opening(const void *a, const void *b)
{
    const struct redemption *x = a, *y = b;
    if (x->opened_ms != y->opened_ms) return x->opened_ms < y->opened_ms ? -1 : 1;
    return thing_id_compare(&x->key.thing, &y->key.thing);
}

enum err redemptions_load(struct redemptions *out, struct txn *t, uint32_t year)
{
    struct redemptions runs = {0};
    struct loading l = {.out = &runs, .year = year};
    enum err err = things_each(t, THING_REDEEM, 0, take_run, &l);
    if (!err) err = l.err;
    if (err) {
        redemptions_clear(&runs);
        return err;
    }
    if (runs.count > 1) qsort(runs.runs, runs.count, sizeof *runs.runs, by_opening);
    *out = runs;
    return OK;
}

void redemptions_clear(struct redemptions *r)
{
    for (size_t i = 0; i < r->count; i++) free(r->runs[i].grants);
    free(r->runs);
    *r = (struct redemptions){0};
}

const struct redemption *redemptions_open(const struct redemptions *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->runs[i].completed) return &r->runs[i];
    return NULL;
}
