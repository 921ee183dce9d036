#include "node/run_taking.h"

#include "node/run_making.h"

#include <stdlib.h>

enum err run_feed_of(struct txn *t, const struct feed_ref *ref, struct feed *feed, bool *held,
                     struct feed_row *row)
{
    *held = false;
    if (!ref->whole) {
        enum err err = feed_find_id8(t, ref->id8, row);
        if (err) return ERR_BASE;
        *held = true;
        *feed = row->feed;
        return OK;
    }
    *feed = ref->feed;
    *held = feed_find(t, feed, row);
    return OK;
}

/* Bodies that a village says to the whole town are small (SPEC, "Limits"). */
static enum err within_town_limit(const struct roster *roster, const struct feed *feed,
                                  const struct event *events, size_t count)
{
    const struct device *author = roster_device(roster, &feed->author);
    if (scope_class(&feed->scope) != SCOPE_TOWN || !author || device_is_township(author)) return OK;
    for (size_t i = 0; i < count; i++)
        if (events[i].body.size > EVENT_TOWN_BODY_SIZE_MAX) return ERR_LIMIT;
    return OK;
}

bool run_is_at_fault(enum err err)
{
    switch (err) {
    case OK:
    case ERR_BASE:
    case ERR_DICTIONARY:
    case ERR_UNKNOWN_AUTHOR:
    case ERR_CORRUPT:
    case ERR_SIGNATURE:
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_CHAIN:
    case ERR_FORBIDDEN:
        return true;
    default:
        return false;
    }
}

/* What the run needs to be opened, by what this store holds. */
struct opening {
    struct head base; /* seq 0: none */
    bool is_seen;     /* the base is known, and not in the store */
    struct event *dictionary;
    struct buf boxes;
    const struct event *events;
    size_t count;
};

static enum err find_base(struct opening *o, struct txn *t, const struct run *run,
                          const struct feed_row *row)
{
    struct event before;
    uint64_t arrival = row ? log_find(t, row->number, run->base_seq, run->base_id8) : 0;
    if (!arrival) return ERR_BASE;
    enum err err = log_read(t, arrival, &before);
    if (!err) o->base = (struct head){before.seq, before.id, before.time};
    return err;
}

/* Begin with the base, where it is seen. */
static enum err open_run(struct opening *o, struct run_decoder *decoder, struct txn *t,
                         const struct roster *roster, const struct run *run,
                         const struct feed *feed, const struct feed_row *row)
{
    size_t dictionary_count = 0;
    enum err err = OK;
    if (run->base_seq && !o->is_seen) err = find_base(o, t, run, row);
    if (!err && run->has_dictionary && run->base_seq)
        err = o->is_seen ? ERR_DICTIONARY
                         : run_dictionary_events(t, row, &o->base, &o->dictionary,
                                                 &dictionary_count, &o->boxes);
    const struct run_base base = {.id = o->base.id, .time = o->base.time};
    if (!err)
        err = run_open(decoder, run, feed, run->base_seq ? &base : NULL, o->dictionary,
                       dictionary_count, &o->events, &o->count);
    return err ? err : within_town_limit(roster, feed, o->events, o->count);
}

static void end_opening(struct opening *o)
{
    free(o->dictionary);
    crypto_buf_wipe(&o->boxes);
}

enum err run_take(struct run_decoder *decoder, struct arrival *a, const struct roster *roster,
                  const struct run *run, const struct feed *feed, const struct feed_row *row)
{
    struct opening o = {0};
    size_t fresh = 0;
    enum err err = open_run(&o, decoder, arrival_txn(a), roster, run, feed, row);
    if (!err) err = arrival_take(a, o.events, o.count, &fresh);
    end_opening(&o);
    return err;
}

/* --- without storing --- */

struct run_look {
    size_t count;
    struct seen {
        struct feed feed;
        struct feed_id id;
        struct head head;
    } seen[RUN_LOOK_HEADS_MAX];
};

enum err run_look_open(struct run_look **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? OK : ERR_NOMEM;
}

void run_look_close(struct run_look *l)
{
    free(l);
}

enum err run_look_feed_of(const struct run_look *l, struct txn *t, const struct feed_ref *ref,
                          struct feed *feed, bool *held, struct feed_row *row)
{
    enum err err = run_feed_of(t, ref, feed, held, row);
    for (size_t i = 0; err == ERR_BASE && i < l->count; i++)
        if (memcmp(l->seen[i].id.bytes, ref->id8, sizeof ref->id8) == 0) {
            *feed = l->seen[i].feed;
            err = OK;
        }
    return err;
}

static struct seen *find_seen(struct run_look *l, const struct feed_id *id, const struct run *run)
{
    for (size_t i = 0; i < l->count; i++) {
        struct seen *s = &l->seen[i];
        if (s->head.seq == run->base_seq &&
            memcmp(s->head.id.bytes, run->base_id8, sizeof run->base_id8) == 0 &&
            memcmp(s->id.bytes, id->bytes, sizeof id->bytes) == 0)
            return s;
    }
    return NULL;
}

enum err run_look_at(struct run_look *l, struct run_decoder *decoder, struct txn *t,
                     const struct roster *roster, const struct run *run, const struct feed *feed,
                     const struct feed_row *row, uint64_t *fresh)
{
    struct opening o = {0};
    struct feed_id id;
    feed_id_of(&id, feed);
    struct seen *seen = find_seen(l, &id, run);
    if (!seen && l->count == RUN_LOOK_HEADS_MAX) return ERR_LIMIT;
    if (seen && run->base_seq) {
        o.is_seen = true;
        o.base = seen->head;
    }
    enum err err = open_run(&o, decoder, t, roster, run, feed, row);
    *fresh = 0;
    for (size_t i = 0; !err && i < o.count; i++)
        *fresh += !row || !log_find(t, row->number, o.events[i].seq, o.events[i].id.bytes);
    if (!err) {
        const struct event *last = &o.events[o.count - 1];
        if (!seen) seen = &l->seen[l->count++];
        *seen = (struct seen){*feed, id, {last->seq, last->id, last->time}};
        err = txn_error(t);
    }
    end_opening(&o);
    return err;
}
