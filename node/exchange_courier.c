/* What is carried here is offered to whom it is for, and handed over part by part. */
#include "node/exchange_courier.h"

#include "node/views/body.h"
#include "node/views/thing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_MS 500 /* an urgent record waits for no more than about a part on its way */

bool courier_may_move(const struct exchange *x, const struct peer *p)
{
    struct session_status status;
    if (p->closing || x->holding || p->unsent) return false;
    session_status(p->session, &status);
    return status.idle && !status.held;
}

uint64_t courier_share(const struct peer *p, uint64_t ms, uint64_t least, uint64_t most)
{
    struct session_status status;
    session_status(p->session, &status);
    uint64_t rate_bps = status.rate_bps ? status.rate_bps : p->row.rate_bps;
    uint64_t bytes = rate_bps ? rate_bps / 8 * ms / 1000 : KIB(8) * ms / PART_MS;
    return bytes < least ? least : bytes > most ? most : bytes;
}

struct carriage *courier_carriage(struct peer *p)
{
    if (p->carriage) return p->carriage;
    p->carriage = calloc(1, sizeof *p->carriage);
    if (p->carriage) p->carriage->fd = p->carriage->part.fd = -1;
    return p->carriage;
}

void courier_tell(struct exchange *x, struct peer *p, const struct frame_ask *ask)
{
    struct buf frame = {0};
    frame_ask_write(&frame, ask);
    if (!frame.err) peer_send(p, buf_slice(&frame));
    p->carriage->moved_ms = x->time.now_ms;
    buf_clear(&frame);
}

/* --- what lies here --- */

struct said {
    const struct sign_key *self;
    struct courier_item *item;
};

static bool is_said(void *state, const struct thing *thing)
{
    struct said *s = state;
    struct bundle_id id;
    if (!sign_key_equal(&thing->author, s->self) ||
        !body_bytes(thing->fields, "bundle", id.bytes, sizeof id.bytes) ||
        memcmp(id.bytes, s->item->id.bytes, sizeof id.bytes) != 0)
        return true;
    struct slice to = body_text(thing->fields, "to");
    size_t size = to.size < sizeof s->item->to ? to.size : 0;
    if (size) memcpy(s->item->to, to.data, size);
    s->item->noted = true;
    s->item->thing = thing->key.thing;
    return true;
}

static enum err scope_of_self(const struct exchange *x, struct txn *t, struct scope *out)
{
    const struct roster *roster;
    enum err err = views_roster(x->views, t, &roster);
    const struct device *self = err ? NULL : roster_device(roster, &x->identity->device);
    if (!err && !self) err = ERR_NOT_FOUND;
    if (!err) *out = device_is_township(self) ? scope_office() : scope_of_village(self->village);
    return err;
}

/* What was taken in here is carried no more. */
static void stock_one(struct exchange *x, struct txn *t, const struct courier_file *f)
{
    struct courier_stock *stock = x->stock;
    struct courier_item *item = &stock->items[stock->count];
    struct said said = {&x->identity->device, item};
    struct bundle_noted noted;
    struct scope scope;
    struct scope_row row;
    int fd = -1;
    *item = (struct courier_item){.id = f->id, .offer.size = f->bytes};
    if (f->damaged || bundle_noted(t, &f->id, &noted)) return;
    if (courier_open(&fd, x->options.courier_home, &f->id) != OK) return;
    enum err err = bundle_outside_read(item->offer.outside, fd);
    close(fd);
    if (!err) err = scope_of_self(x, t, &scope);
    if (!err && scope_find(t, &scope, &row))
        err = things_each(t, THING_COURIER, row.number, is_said, &said);
    if (!err) stock->count++;
}

/* Another version only where others lie there: peers are not told the same again. */
static void note_version(struct courier_stock *stock)
{
    struct hash all;
    struct bundle_id ids[OFFER_ENTRIES_MAX];
    for (size_t i = 0; i < stock->count; i++) ids[i] = stock->items[i].id;
    crypto_hash_one(&all, CONTEXT_BUNDLE, slice_of(ids, stock->count * sizeof *ids));
    if (stock->version && hash_equal(&all, &stock->ids)) return;
    stock->ids = all;
    stock->version++;
}

static void look(struct exchange *x)
{
    struct courier_files files;
    struct txn *t = NULL;
    x->stock->stale = false;
    x->stock->looked_ms = x->time.now_ms;
    if (courier_list(&files, x->options.courier_home) != OK) return;
    x->stock->count = 0;
    if (files.count && txn_begin(x->store, false, &t) == OK)
        for (size_t i = 0; i < files.count && x->stock->count < OFFER_ENTRIES_MAX; i++)
            stock_one(x, t, &files.files[i]);
    txn_abort(t);
    courier_files_clear(&files);
    note_version(x->stock);
}

static struct courier_item *find(struct exchange *x, const struct bundle_id *id)
{
    for (size_t i = 0; i < x->stock->count; i++)
        if (memcmp(x->stock->items[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
            return &x->stock->items[i];
    return NULL;
}

/* --- offering --- */

/* By what was said of it: nobody else is told that it is here. */
static bool is_for(const struct courier_item *item, const struct device *d)
{
    return item->to[0] ? strcmp(item->to, d->village) == 0 : device_is_township(d);
}

static size_t choose(struct exchange *x, const struct peer *p, struct courier_item *out[])
{
    struct txn *t = NULL;
    size_t count = 0;
    if (!x->stock->count || txn_begin(x->store, false, &t) != OK) return 0;
    for (size_t i = 0; i < x->stock->count; i++) {
        struct courier_item *item = &x->stock->items[i];
        if (is_for(item, &p->device) && !bundle_refused_by(t, &item->id, &p->device.first))
            out[count++] = item;
    }
    txn_abort(t);
    return count;
}

static void offer(struct exchange *x, struct peer *p)
{
    struct courier_item *chosen[OFFER_ENTRIES_MAX];
    struct offer_entry entries[OFFER_ENTRIES_MAX];
    struct buf frame = {0};
    bool any = p->carriage != NULL;
    for (size_t i = 0; i < x->stock->count; i++) any |= is_for(&x->stock->items[i], &p->device);
    struct carriage *c = any ? courier_carriage(p) : NULL;
    if (!c) return;
    const size_t count = choose(x, p, chosen);
    c->offered = x->stock->version;
    c->out_count = count;
    c->later_ms = 0;
    for (size_t i = 0; i < count; i++) {
        c->out[i] = chosen[i]->id;
        entries[i] = chosen[i]->offer;
    }
    if (!count) return;
    frame_offer_write(&frame, entries, count);
    if (!frame.err) peer_send(p, buf_slice(&frame));
    buf_clear(&frame);
    c->moved_ms = x->time.now_ms;
}

/* --- handing over --- */

static void stop_serving(struct carriage *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static bool answered(struct carriage *c, const struct bundle_id *id)
{
    for (size_t i = 0; i < c->out_count; i++) {
        if (memcmp(c->out[i].bytes, id->bytes, sizeof id->bytes) != 0) continue;
        c->out[i] = c->out[--c->out_count];
        return true;
    }
    return false;
}

static bool was_offered(const struct carriage *c, const struct bundle_id *id)
{
    for (size_t i = 0; i < c->out_count; i++)
        if (memcmp(c->out[i].bytes, id->bytes, sizeof id->bytes) == 0) return true;
    return false;
}

/* It is said that it was handed over, then it goes (C2). */
static enum err say_given(struct exchange *x, const struct courier_item *item)
{
    static const uint8_t by_link[] = {0x81, 0xa3, 'h', 'o', 'w', 0xa4, 'l', 'i', 'n', 'k'};
    struct draft draft = {.kind = "courier.given",
                          .lane = LANE_NORMAL,
                          .subject = item->thing,
                          .body = slice_of(by_link, sizeof by_link)};
    struct recorded recorded;
    struct kind_problem problem;
    struct txn *t;
    if (!item->noted) return OK;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = scope_of_self(x, t, &draft.scope);
    txn_abort(t);
    if (!err) err = recorder_record(x->recorder, &x->time.clock, &draft, &recorded, &problem);
    return err ? err : exchange_refresh(x, &x->time);
}

static void was_held(struct exchange *x, const struct bundle_id *id)
{
    struct courier_item *item = find(x, id);
    if (!item) return;
    enum err err = say_given(x, item);
    if (!err) err = courier_drop(x->options.courier_home, id);
    if (err) exchange_log(x, LOG_WARN, "a file that was handed over stays: %s", err_text(err));
    x->stock->stale = true; /* there may be more than were offered at once */
}

static void was_refused(struct exchange *x, const struct peer *p, const struct bundle_id *id)
{
    struct txn *t;
    exchange_log(x, LOG_WARN, "a file that is carried here was refused where it is for");
    if (txn_begin(x->store, true, &t) != OK) return;
    bundle_refuse(t, id, &p->device.first, x->time.clock.wall_ms);
    if (txn_commit(t) != OK) exchange_log(x, LOG_WARN, "that it was refused was not kept");
    x->stock->stale = true;
}

static void serve(struct exchange *x, struct carriage *c, const struct frame_ask *ask)
{
    const struct courier_item *item = find(x, &ask->id);
    stop_serving(c);
    if (!item || ask->offset >= item->offer.size) return;
    if (courier_open(&c->fd, x->options.courier_home, &ask->id) != OK) {
        c->fd = -1;
        return;
    }
    c->serving = ask->id;
    c->offset = ask->offset;
    c->end = ask->offset + ask->count;
    if (c->end > item->offer.size) c->end = item->offer.size;
}

static void take_ask(struct exchange *x, struct peer *p, struct slice frame)
{
    struct frame_ask ask;
    struct carriage *c = p->carriage;
    if (!c || frame_ask_read(&ask, frame) != OK || !was_offered(c, &ask.id)) return;
    c->moved_ms = x->time.now_ms;
    if (ask.state == ASK_PART) {
        serve(x, c, &ask);
        return;
    }
    (void)answered(c, &ask.id);
    if (ask.state == ASK_HELD) was_held(x, &ask.id);
    if (ask.state == ASK_REFUSED) was_refused(x, p, &ask.id);
    if (ask.state == ASK_LATER) c->later_ms = x->time.now_ms + COURIER_LATER_MS;
}

/* One part a turn, of what passes in half a second. */
static void send_part(struct exchange *x, struct peer *p)
{
    struct carriage *c = p->carriage;
    uint8_t bytes[PART_SIZE_MAX];
    struct frame_part part = {.id = c->serving, .offset = c->offset};
    struct buf frame = {0};
    uint64_t most = courier_share(p, PART_MS, KIB(1), PART_SIZE_MAX);
    if (most > c->end - c->offset) most = c->end - c->offset;
    ssize_t n = pread(c->fd, bytes, (size_t)most, (off_t)c->offset);
    if (n <= 0) { /* it is shorter than it was: who asked gives up */
        stop_serving(c);
        return;
    }
    part.bytes = slice_of(bytes, (size_t)n);
    frame_part_write(&frame, &part);
    if (!frame.err) peer_send(p, buf_slice(&frame));
    buf_clear(&frame);
    c->offset += (uint64_t)n;
    c->moved_ms = x->time.now_ms;
    if (c->offset >= c->end) stop_serving(c);
}

/* --- for the exchange --- */

enum err exchange_courier_open(struct exchange *x)
{
    if (!x->options.courier_home || x->options.rehearsal) return OK;
    x->stock = calloc(1, sizeof *x->stock);
    if (!x->stock) return ERR_NOMEM;
    x->stock->stale = true;
    return OK;
}

void exchange_courier_stale(struct exchange *x)
{
    if (x->stock) x->stock->stale = true;
}

void exchange_courier_frame(struct exchange *x, struct peer *p, struct slice frame)
{
    uint64_t type;
    struct session_status status;
    if (!x->stock || p->closing || frame_type_of(frame, &type) != OK) return;
    session_status(p->session, &status);
    if (!status.greeted) return;
    if (type == FRAME_OFFER) courier_take_offer(x, p, frame);
    if (type == FRAME_ASK) take_ask(x, p, frame);
    if (type == FRAME_PART) courier_take_part(x, p, frame);
}

/* What is new, and what was not wanted then. */
static bool is_due(const struct exchange *x, const struct carriage *c)
{
    return !c || c->offered != x->stock->version || (c->later_ms && x->time.now_ms >= c->later_ms);
}

enum err exchange_courier_turn(struct exchange *x, bool *more)
{
    enum err err = OK;
    if (!x->stock) return OK;
    for (struct peer *p = x->peers; p && !err; p = p->next) {
        if (p->closing) continue;
        if (courier_may_move(x, p)) {
            bool old = x->stock->stale || x->time.now_ms - x->stock->looked_ms >= COURIER_LOOK_MS;
            if (old || !x->stock->version) look(x);
            if (is_due(x, p->carriage)) offer(x, p);
            if (p->carriage && p->carriage->fd >= 0) {
                send_part(x, p);
                *more |= p->carriage->fd >= 0;
            }
        }
        if (p->carriage) err = courier_take_turn(x, p, more);
    }
    return err;
}

void exchange_courier_forget(struct peer *p)
{
    if (!p->carriage) return;
    stop_serving(p->carriage);
    courier_take_forget(p);
    free(p->carriage);
    p->carriage = NULL;
}

bool exchange_courier_busy(const struct exchange *x, const struct peer *p)
{
    const struct carriage *c = p->carriage;
    if (!x->stock || p->closing || x->holding) return false;
    if (x->stock->stale && courier_may_move(x, p)) return true; /* the next turn looks */
    if (!c || x->time.now_ms - c->moved_ms >= COURIER_PATIENCE_MS) return false;
    return c->out_count || c->in_count || c->intake;
}

uint64_t exchange_courier_due_ms(const struct exchange *x)
{
    uint64_t due = UINT64_MAX;
    for (const struct peer *p = x->peers; x->stock && p; p = p->next)
        if (exchange_courier_busy(x, p) && p->carriage &&
            p->carriage->moved_ms + COURIER_PATIENCE_MS < due)
            due = p->carriage->moved_ms + COURIER_PATIENCE_MS;
    return due;
}
