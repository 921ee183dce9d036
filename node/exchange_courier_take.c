/* What a courier offers is fetched, part by part, and taken in, step by step. */
#include "node/bundle_keys.h"
#include "node/exchange_courier.h"

#include <string.h>
#include <unistd.h>

#define WINDOW_MS 2000 /* so much is asked for at a time */

static bool same_id(const struct bundle_id *a, const struct bundle_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void answer(struct exchange *x, struct peer *p, const struct bundle_id *id,
                   enum ask_state state)
{
    const struct frame_ask ask = {.id = *id, .state = state};
    courier_tell(x, p, &ask);
}

static struct bundle_taking taking_of(const struct exchange *x)
{
    return (struct bundle_taking){.store = x->store,
                                  .views = x->views,
                                  .keys = x->options.keys,
                                  .wall_ms = x->time.clock.wall_ms,
                                  .way = BUNDLE_BY_LINK};
}

/* --- what is offered --- */

/* What came in before by whatever way is not fetched again. */
static bool is_known(struct exchange *x, struct peer *p, const struct bundle_id *id)
{
    struct bundle_noted noted;
    struct txn *t;
    if (txn_begin(x->store, false, &t) != OK) return false;
    bool known = bundle_noted(t, id, &noted) && !noted.refused;
    txn_abort(t);
    if (known) answer(x, p, id, ASK_HELD);
    return known;
}

static bool is_wanted(const struct carriage *c, const struct bundle_id *id)
{
    for (size_t i = 0; i < c->in_count; i++)
        if (same_id(&c->in[i].id, id)) return true;
    return false;
}

/* Its first bytes say whether a key here opens it, whatever the courier says of it. */
static void weigh(struct exchange *x, struct peer *p, const struct bundle_keys *keys,
                  const struct offer_entry *e)
{
    struct carriage *c = p->carriage;
    struct bundle_id id;
    bundle_id_of(&id, e->outside);
    if (is_wanted(c, &id) || is_known(x, p, &id)) return;
    if (bundle_outside_check(e->outside) != OK || e->size <= BUNDLE_OUTSIDE_SIZE ||
        e->size > COURIER_PARTS_BYTES_MAX ||
        bundle_is_for(e->outside, keys->keys, keys->count) != OK)
        answer(x, p, &id, ASK_REFUSED);
    else if (c->in_count < OFFER_ENTRIES_MAX)
        c->in[c->in_count++] = (struct wanted){id, e->size};
}

void courier_take_offer(struct exchange *x, struct peer *p, struct slice frame)
{
    struct frame_offer f;
    struct offer_entry e;
    struct bundle_keys keys;
    struct carriage *c = courier_carriage(p);
    if (!c || c->bad > BAD_MAX || frame_offer_read(&f, frame) != OK) return;
    c->seen += (unsigned)f.count;
    if (c->seen > OFFERED_MAX) return;
    c->moved_ms = x->time.now_ms;
    if (bundle_keys_open(&keys, x->store, x->views, x->options.keys) == OK) {
        struct mp_reader r = frame_offer_begin(&f);
        while (frame_offer_next(&r, &e)) weigh(x, p, &keys, &e);
    }
    bundle_keys_wipe(&keys);
}

/* --- the one at hand --- */

static void pop(struct carriage *c)
{
    if (!c->in_count) return;
    memmove(c->in, c->in + 1, --c->in_count * sizeof *c->in);
}

static void end_intake(struct carriage *c)
{
    bundle_intake_close(c->intake);
    c->intake = NULL;
}

/* It is done with, one way or another; what came of it goes, unless it may go on later. */
static void settle(struct exchange *x, struct peer *p, enum ask_state state)
{
    struct carriage *c = p->carriage;
    end_intake(c);
    if (state == ASK_LATER)
        courier_part_close(&c->part);
    else
        courier_part_drop(&c->part, x->options.courier_home);
    answer(x, p, &c->in[0].id, state);
    pop(c);
}

/* What began before, by whatever courier, may be what is wrong with it: it is fetched whole once.
 * Else this courier keeps in mind that it is of no use. Not so this node: another may bring the
 * very same whole. */
static void is_of_no_use(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    end_intake(c);
    if (c->part.resumed && courier_part_restart(&c->part) == OK) {
        c->asked = 0;
        return;
    }
    exchange_log(x, LOG_WARN, "peer %02x%02x%02x: a bundle that it brought is damaged",
                 p->device.first.bytes[0], p->device.first.bytes[1], p->device.first.bytes[2]);
    settle(x, p, ASK_REFUSED);
    if (++c->bad > BAD_MAX) c->in_count = 0;
}

static void is_taken(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    struct bundle_taken taken = *bundle_intake_taken(c->intake);
    if (taken.damaged) {
        is_of_no_use(x, p);
        return;
    }
    exchange_log(x, LOG_INFO, "peer %02x%02x%02x brought a bundle: %llu records, %llu new",
                 p->device.first.bytes[0], p->device.first.bytes[1], p->device.first.bytes[2],
                 (unsigned long long)(taken.fresh + taken.known + taken.refused),
                 (unsigned long long)taken.fresh);
    struct bundle_noted noted;
    struct txn *t;
    bool whole = txn_begin(x->store, false, &t) == OK;
    whole = whole && bundle_noted(t, &c->in[0].id, &noted);
    txn_abort(t);
    settle(x, p, whole ? ASK_HELD : ASK_LATER); /* later: when what it follows is here */
}

static enum err step(struct exchange *x, struct peer *p, bool *more)
{
    struct carriage *c = p->carriage;
    bool done = false;
    enum err err = bundle_intake_step(c->intake, &done);
    if (err) { /* of the store: what was committed stays, and no bundle stops the node */
        exchange_log(x, LOG_WARN, "a bundle was not taken in: %s", err_text(err));
        settle(x, p, ASK_LATER);
        return err == ERR_AMBIGUOUS_COMMIT ? err : OK;
    }
    if (done) is_taken(x, p);
    *more = true;
    return exchange_refresh(x, &x->time);
}

static void begin_intake(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    const struct bundle_taking taking = taking_of(x);
    enum err err = lseek(c->part.fd, 0, SEEK_SET) < 0 ? ERR_IO : OK;
    if (!err) err = bundle_intake_open(&c->intake, c->part.fd, &taking);
    if (!err) return;
    c->intake = NULL;
    if (err == ERR_CORRUPT || err == ERR_MALFORMED || err == ERR_FOREIGN || err == ERR_VERSION)
        is_of_no_use(x, p);
    else
        settle(x, p, ASK_LATER);
}

static void ask_for_more(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    struct frame_ask ask = {.id = c->part.id, .offset = c->part.held, .state = ASK_PART};
    ask.count = courier_share(p, WINDOW_MS, KIB(4), ASK_COUNT_MAX);
    if (ask.count > c->part.size - c->part.held) ask.count = c->part.size - c->part.held;
    c->asked = c->part.held + ask.count;
    courier_tell(x, p, &ask);
}

static void open_part(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    const struct wanted *w = &c->in[0];
    c->asked = 0;
    if (is_known(x, p, &w->id)) { /* by another courier since */
        pop(c);
        return;
    }
    enum err err = courier_part_open(&c->part, x->options.courier_home, &w->id, w->size);
    if (!err) return;
    c->part.fd = -1;
    answer(x, p, &w->id, ASK_LATER);
    pop(c);
}

void courier_take_part(struct exchange *x, struct peer *p, struct slice frame)
{
    struct frame_part f;
    struct carriage *c = p->carriage;
    if (!c || c->part.fd < 0 || c->intake || frame_part_read(&f, frame) != OK) return;
    if (!same_id(&f.id, &c->part.id) || f.offset != c->part.held ||
        f.bytes.size > c->asked - c->part.held || c->asked < c->part.held)
        return; /* what was not asked for */
    c->moved_ms = x->time.now_ms;
    if (courier_part_add(&c->part, f.bytes) != OK) settle(x, p, ASK_LATER);
}

enum err courier_take_turn(struct exchange *x, struct peer *p, bool *more)
{
    struct carriage *c = p->carriage;
    if (c->intake) return step(x, p, more);
    if (!c->in_count) return OK;
    if (x->time.now_ms - c->moved_ms >=
        COURIER_PATIENCE_MS) { /* it does not send what it offered */
        courier_take_forget(p);
        c->in_count = 0;
        return OK;
    }
    if (c->part.fd >= 0 && c->part.held == c->part.size) {
        begin_intake(x, p);
        *more = true;
    } else if (courier_may_move(x, p)) {
        if (c->part.fd < 0) open_part(x, p);
        bool waits = c->part.fd >= 0 && c->asked > c->part.held;
        if (c->part.fd >= 0 && c->part.held < c->part.size && !waits) ask_for_more(x, p);
        *more |= c->part.fd < 0 || c->part.held == c->part.size;
    }
    return OK;
}

void courier_take_forget(struct peer *p)
{
    end_intake(p->carriage);
    courier_part_close(&p->carriage->part);
}
