#include "node/views/redemption_plan.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/ledger_parts.h"

enum err redemption_plan(struct redemption_plan *out, const struct ledger *l, size_t run,
                         const struct redeem_options *options, int64_t pool_fen)
{
    struct redemption_plan p = {.people = NULL};
    enum err err = ledger_list_run(&p.list, l, run);
    if (err) return err;
    ledger_list_digest(&p.digest, &p.list);
    p.people = calloc(p.list.count + 1, sizeof *p.people);
    if (!p.people) err = ERR_NOMEM;
    for (size_t i = 0; i < p.list.count && !err; i++) {
        const struct ledger_row *row = &p.list.rows[i];
        if (row->points > INT32_MAX) err = ERR_RANGE;
        p.people[i].id = slice_of(row->person.bytes, sizeof row->person.bytes);
        p.people[i].points = (int32_t)row->points;
    }
    if (!err) err = redeem_grant(&p.result, p.people, p.list.count, options, pool_fen);
    if (err && err != ERR_LIMIT) {
        redemption_plan_clear(&p);
        return err;
    }
    *out = p;
    return err;
}

void redemption_plan_clear(struct redemption_plan *p)
{
    ledger_list_clear(&p->list);
    free(p->people);
    *p = (struct redemption_plan){.people = NULL};
}

/* --- the events ----------------------------------------------------------------------------- */

static void write_grant(struct mp_writer *w, const struct redeem_person *person,
                        const struct ledger_person *known)
{
    mp_write_array(w, 4);
    mp_write_bin(w, person->id.data, person->id.size);
    mp_write_text(w, known->village);
    mp_write_uint(w, (uint64_t)person->points);
    mp_write_uint(w, (uint64_t)person->fen);
}

static const struct ledger_person *person_of(const struct ledger *l, const struct redeem_person *p)
{
    struct thing_id id;
    memcpy(id.bytes, p->id.data, sizeof id.bytes);
    return ledger_person_of(l, &id);
}

enum err redemption_plan_grants(const struct redemption_plan *p, const struct ledger *l,
                                bool (*each)(void *state, struct slice body), void *state)
{
    struct buf rows = {0}, body = {0};
    struct mp_map map = {0};
    enum err err = OK;
    bool go_on = true;
    for (size_t i = 0; i < p->list.count && go_on && !err;) {
        size_t count = 0;
        buf_reset(&rows);
        for (; i < p->list.count && count < GRANT_ROWS_MAX; i++) {
            if (p->people[i].fen == 0) continue;
            struct mp_writer w = {&rows};
            write_grant(&w, &p->people[i], person_of(l, &p->people[i]));
            count++;
        }
        if (!count) break;
        mp_map_reset(&map);
        buf_reset(&body);
        struct mp_writer w = mp_map_put(&map, "rows");
        mp_write_array(&w, count);
        buf_append_slice(w.out, buf_slice(&rows));
        err = rows.err ? rows.err : mp_map_end(&map, &body);
        if (!err) go_on = each(state, buf_slice(&body));
    }
    buf_clear(&rows);
    buf_clear(&body);
    mp_map_clear(&map);
    return err;
}
