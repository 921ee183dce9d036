/* Ranks, and the lists that are made public and redeemed (SPEC 20.6). */
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/ledger.h"
#include "proto/msgpack.h"

enum err ledger_rank(struct rank_row **out, size_t *count, const struct ledger *l,
                     const char *village, bool certificates)
{
    struct rank_row *rows = calloc(l->person_count + 1, sizeof *rows);
    size_t n = 0;
    if (!rows) return ERR_NOMEM;
    for (size_t i = 0; i < l->person_count; i++) {
        const struct ledger_person *p = &l->people[i];
        if (!p->entries || (village && strcmp(village, p->village) != 0)) continue;
        rows[n++] = (struct rank_row){
            .value = p->points,
            .minutes = p->minutes,
            .first_day = p->first_day ? p->first_day : UINT32_MAX,
            .id = slice_of(p->key.thing.bytes, sizeof p->key.thing.bytes),
        };
    }
    if (certificates)
        rank_for_certificates(rows, n);
    else
        rank_share(rows, n);
    *out = rows;
    *count = n;
    return OK;
}

/* --- lists --------------------------------------------------------------------------------- */

void ledger_list_clear(struct ledger_list *list)
{
    free(list->rows);
    *list = (struct ledger_list){0};
}

void ledger_list_digest(struct hash *out, const struct ledger_list *list)
{
    struct buf bytes = {0};
    struct mp_writer w = {&bytes};
    mp_write_array(&w, list->count);
    for (size_t i = 0; i < list->count; i++) {
        mp_write_array(&w, 2);
        mp_write_bin(&w, list->rows[i].person.bytes, sizeof list->rows[i].person.bytes);
        mp_write_int(&w, list->rows[i].points);
    }
    crypto_hash_one(out, CONTEXT_LIST, buf_slice(&bytes));
    buf_clear(&bytes);
}

/* The sums of the entries that `takes` takes, by person; entries stand in that order. */
static enum err list_of(struct ledger_list *out, const struct ledger *l,
                        bool (*takes)(const struct ledger_entry *e, const void *state),
                        const void *state)
{
    struct ledger_list list = {.rows = calloc(l->person_count + 1, sizeof *list.rows)};
    if (!list.rows) return ERR_NOMEM;
    for (size_t i = 0; i < l->entry_count; i++) {
        const struct ledger_entry *e = &l->entries[i];
        if (!takes(e, state)) continue;
        uint32_t posted = time_day(e->posted_ms);
        if (list.newest < posted) list.newest = posted;
        struct ledger_row *last = list.count ? &list.rows[list.count - 1] : NULL;
        if (!last || !thing_id_equal(&last->person, &e->person)) {
            last = &list.rows[list.count++];
            last->person = e->person;
        }
        last->points += e->points;
    }
    *out = list;
    return OK;
}

static void count_list(struct ledger_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].points > 0) list->points += list->rows[i].points;
}

struct shown {
    const char *village;
    uint64_t ms;
};

static bool takes_shown(const struct ledger_entry *e, const void *state)
{
    const struct shown *s = state;
    return (!s->village || strcmp(s->village, e->village) == 0) && e->posted_ms <= s->ms &&
           e->out_ms > s->ms;
}

enum err ledger_list_public(struct ledger_list *out, const struct ledger *l, const char *village,
                            uint64_t ms)
{
    struct shown s = {village, ms};
    enum err err = list_of(out, l, takes_shown, &s);
    if (!err) count_list(out);
    return err;
}

static bool takes_final(const struct ledger_entry *e, const void *state)
{
    (void)state;
    return e->state == LEDGER_FINAL && e->run == SIZE_MAX;
}

static bool takes_listed(const struct ledger_entry *e, const void *state)
{
    const size_t *run = state;
    return e->listed >> *run & 1;
}

static bool is_volunteer(const struct ledger *l, const struct thing_id *id)
{
    const struct ledger_person *person = ledger_person_of(l, id);
    return person && person->key.scope_number;
}

enum err ledger_list_run(struct ledger_list *out, const struct ledger *l, size_t run)
{
    size_t kept = 0;
    enum err err = list_of(out, l, run == SIZE_MAX ? takes_final : takes_listed, &run);
    if (err) return err;
    for (size_t i = 0; i < out->count; i++)
        if (out->rows[i].points > 0 && is_volunteer(l, &out->rows[i].person))
            out->rows[kept++] = out->rows[i];
    out->count = kept;
    count_list(out);
    return OK;
}

size_t ledger_list_disputed(const struct ledger *l, size_t run)
{
    size_t disputed = 0;
    for (size_t i = 0; i < l->entry_count; i++) {
        const struct ledger_entry *e = &l->entries[i];
        disputed += takes_listed(e, &run) && (e->held || e->out_ms != UINT64_MAX);
    }
    return disputed;
}
