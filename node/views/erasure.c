#include "node/views/erasure.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "node/store/local.h"
#include "node/views/body.h"
#include "node/views/search.h"

/* --- which events ---------------------------------------------------------------------------- */

static bool is_erase(const struct event *e)
{
    return slice_is_text(e->kind, "subject.erase");
}

bool erasure_orders(const struct event *e)
{
    return is_erase(e) ||
           (slice_is_text(e->kind, "subject.correct") && body_has(e->body, "erases"));
}

static bool is_answer(const struct event *e)
{
    return slice_is_text(e->kind, "subject.erase_ack");
}

bool erasure_is_of(struct slice kind)
{
    return slice_is_text(kind, "subject.erase") || slice_is_text(kind, "subject.erase_ack") ||
           slice_is_text(kind, "subject.correct");
}

bool erasure_concerns(const struct event *e)
{
    static const char prefix[] = "subject.";
    return e->kind.size > sizeof prefix && memcmp(e->kind.data, prefix, sizeof prefix - 1) == 0 &&
           (erasure_orders(e) || is_answer(e));
}

const char *erasure_refuses(const struct event *e, uint32_t roles)
{
    struct thing_id second;
    if (!erasure_orders(e)) return NULL;
    if (!is_erase(e) && !(roles & ROLE_DISPATCH)) return N_("only the township may erase");
    if (!e->has_by) return N_("says not which person acts");
    if (!body_thing(e->body, "second", &second) || thing_id_equal(&second, &e->by))
        return N_("needs a second person, another than the one who acts");
    return NULL;
}

/* By the event and the roster alone. */
static bool holds(const struct roster *roster, const struct event *e)
{
    struct kind_problem problem;
    const struct kind *kind = kind_find(e->kind);
    const struct scope *scope = &e->feed.scope;
    uint32_t roles = roster_roles(roster, &e->feed.author);
    return kind && !e->founding && !body_ext_unknown(e->ext) &&
           (kind_roles(kind, scope_class(scope)) & roles) &&
           roster_may_author(roster, &e->feed.author, scope) &&
           kind_check(kind, e->body, SLICE_EMPTY, true, &problem) == OK &&
           !erasure_refuses(e, roles);
}

bool erasure_is_asked_of(const struct device *d, const struct scope *scope)
{
    const struct kind *answer = kind_find(slice_of_text("subject.erase_ack"));
    return device_may_hold(d, scope) && (kind_roles(answer, scope_class(scope)) & d->roles);
}

/* --- who has answered ------------------------------------------------------------------------ */

/* Who was invited after the order holds nothing of it; who was revoked may hold what it had. */
static bool owes(const struct device *d, const struct scope *scope, uint64_t ordered_ms)
{
    uint64_t invited_ms = be64_get(d->thing.bytes) >> 16; /* the thing's first six bytes */
    struct device held = *d;
    if (held.state == DEVICE_REVOKED) held.state = DEVICE_JOINED;
    return d->state != DEVICE_INVITED && invited_ms <= ordered_ms &&
           erasure_is_asked_of(&held, scope);
}

struct scan {
    struct txn *txn;
    const struct roster *roster;
    struct thing_key thing;
    struct scope scope;
    struct buf answers;                    /* struct answer */
    uint64_t ordered_ms[ERASE_ORDERS_MAX]; /* of the orders found */
};
struct answer {
    struct event_id order;
    struct sign_key device; /* by its first key */
};

static const struct answer *answer_at(const struct scan *s, size_t i)
{
    const struct answer *all = (const void *)s->answers.data;
    return i * sizeof *all < s->answers.size ? &all[i] : NULL;
}

static bool has_answered(const struct scan *s, const struct device *d, const struct event_id *order)
{
    const struct answer *a;
    for (size_t i = 0; (a = answer_at(s, i)) != NULL; i++)
        if (sign_key_equal(&a->device, &d->first) && event_id_equal(&a->order, order)) return true;
    return false;
}

static void answer_note(struct scan *s, const struct event *e)
{
    struct answer a;
    struct slice order = body_bin(e->body, "order");
    if (order.size != sizeof a.order.bytes) return;
    memcpy(a.order.bytes, order.data, sizeof a.order.bytes);
    a.device = *roster_name(s->roster, &e->feed.author);
    buf_append(&s->answers, &a, sizeof a);
}

static bool is_settled(const struct scan *s, const struct event_id *order, uint64_t ordered_ms)
{
    for (size_t i = 0; i < s->roster->device_count; i++) {
        const struct device *d = &s->roster->devices[i];
        if (d->state == DEVICE_JOINED && owes(d, &s->scope, ordered_ms) &&
            !has_answered(s, d, order))
            return false;
    }
    return true;
}

/* --- what a thing's events say ---------------------------------------------------------------- */

static bool next_event(struct thing_cursor *cursor, uint64_t *arrival, struct event *e)
{
    while ((*arrival = thing_next(cursor)) != 0)
        if (log_read_unverified(cursor->txn, *arrival, e) == OK) return true;
    return false;
}

static void only_add(struct erased *row, struct slice id)
{
    struct event_id target;
    if (id.size != sizeof target.bytes || row->only_count == ERASE_ONLY_MAX) return;
    memcpy(target.bytes, id.data, sizeof target.bytes);
    memcpy(row->only8[row->only_count++], target.bytes, 8);
}

static void order_add(struct erased *row, const struct event *e, uint64_t arrival)
{
    size_t count;
    if (row->order_count == ERASE_ORDERS_MAX) return;
    row->orders[row->order_count++] = (struct erase_order){.id = e->id, .arrival = arrival};
    if (is_erase(e)) {
        row->whole = true;
        return;
    }
    struct mp_reader rows = body_rows(e->body, "erases", &count);
    while (count-- && !rows.err) {
        size_t columns = mp_read_array(&rows, SIZE_MAX);
        if (columns) only_add(row, mp_read_bin(&rows, SIZE_MAX));
        for (; columns > 1; columns--) mp_skip(&rows);
    }
}

/* Orders and answers, as the events say. */
static void thing_scan(struct scan *s, struct erased *row)
{
    struct thing_cursor cursor = {
        .txn = s->txn, .scope_number = s->thing.scope_number, .thing = s->thing.thing};
    uint64_t arrival;
    struct event e;
    while (next_event(&cursor, &arrival, &e)) {
        if (!erasure_concerns(&e)) continue;
        if (is_answer(&e)) {
            answer_note(s, &e);
        } else if (row->order_count < ERASE_ORDERS_MAX && holds(s->roster, &e)) {
            s->ordered_ms[row->order_count] = HLC_MS(e.time);
            order_add(row, &e, arrival);
        }
    }
}

/* What this node destroyed by an order stays with it. */
static void serials_keep(struct erased *row, const struct erased *old)
{
    for (size_t i = 0; i < row->order_count; i++)
        for (size_t k = 0; k < old->order_count; k++)
            if (event_id_equal(&old->orders[k].id, &row->orders[i].id))
                row->orders[i].serial = old->orders[k].serial;
}

/* Who destroyed something answers, whenever it was invited. */
static void orders_judge(const struct scan *s, struct erased *row)
{
    const struct device *self =
        roster_device(s->roster, &store_identity(txn_store(s->txn))->device);
    for (size_t i = 0; i < row->order_count; i++) {
        struct erase_order *o = &row->orders[i];
        bool asked = self && self->state == DEVICE_JOINED && erasure_is_asked_of(self, &s->scope) &&
                     (o->serial || owes(self, &s->scope, s->ordered_ms[i]));
        o->answered = !asked || has_answered(s, self, &o->id);
        o->settled = is_settled(s, &o->id, s->ordered_ms[i]);
    }
}

/* --- carrying it out ---------------------------------------------------------------------------
 */

static bool covers_more(const struct erased *row, const struct erased *old)
{
    if (row->whole) return !old->whole;
    for (size_t i = 0; i < row->only_count; i++) {
        struct event_id id = {{0}};
        memcpy(id.bytes, row->only8[i], 8);
        if (!erased_covers(old, &id)) return true;
    }
    return false;
}

/* The least arrival after `after` of what is held of the thing, whether it counts or not. */
static uint64_t next_of_all(struct txn *t, const struct thing_key *thing, uint64_t after)
{
    struct thing_cursor cursor = {
        .txn = t, .scope_number = thing->scope_number, .thing = thing->thing, .after = after};
    uint64_t counts = thing_next(&cursor);
    uint64_t aside = aside_of_thing(t, thing->scope_number, &thing->thing, after);
    return !aside || (counts && counts < aside) ? counts : aside;
}

static bool box_destroy(struct txn *t, const struct thing_key *thing, const struct erased *row,
                        uint64_t arrival)
{
    struct event e;
    enum err err = log_read_any(t, arrival, &e);
    if (!err && (!event_has_box(&e) || !erased_covers(row, &e.id))) return false;
    if (err && !row->whole) return false; /* which one it is cannot be told */
    search_forget(t, thing, arrival);
    return log_erase_box(t, arrival);
}

/* From `row->next` on, ERASE_AT_ONCE at most. */
static void boxes_destroy(struct txn *t, const struct thing_key *thing, struct erased *row)
{
    size_t destroyed = 0;
    uint64_t arrival = row->next ? row->next - 1 : 0;
    while (destroyed < ERASE_AT_ONCE && !txn_error(t) &&
           (arrival = next_of_all(t, thing, arrival)) != 0)
        destroyed += box_destroy(t, thing, row, arrival);
    row->next = arrival ? arrival + 1 : 0;
    if (!row->whole && destroyed) search_again(t, thing);
    bool cut_runs = peers_drop_unfinished(t);
    uint64_t serial = destroyed || cut_runs ? erase_serial_next(t) : erase_serial(t);
    if (serial == erase_rewritten(t)) return;
    for (size_t i = 0; i < row->order_count; i++) row->orders[i].serial = serial;
}

static bool rows_differ(const struct erased *a, const struct erased *b)
{
    if (a->whole != b->whole || a->next != b->next || a->order_count != b->order_count ||
        a->only_count != b->only_count || memcmp(a->only8, b->only8, a->only_count * 8) != 0)
        return true;
    for (size_t i = 0; i < a->order_count; i++) {
        const struct erase_order *x = &a->orders[i], *y = &b->orders[i];
        if (!event_id_equal(&x->id, &y->id) || x->serial != y->serial ||
            x->answered != y->answered || x->settled != y->settled)
            return true;
    }
    return false;
}

void erasure_refresh(struct txn *t, const struct roster *roster, const struct thing_key *thing)
{
    struct scan s = {.txn = t, .roster = roster, .thing = *thing};
    struct scope_row scope;
    struct erased old = {.whole = false}, row = {.whole = false};
    if (!scope_get(t, thing->scope_number, &scope)) return;
    s.scope = scope.scope;
    erased_get(t, thing, &old);
    row.next = old.next;
    thing_scan(&s, &row);
    serials_keep(&row, &old);
    if (covers_more(&row, &old)) {
        row.next = 0;
        boxes_destroy(t, thing, &row);
    }
    orders_judge(&s, &row);
    if (s.answers.err) txn_fail(t, s.answers.err);
    if (rows_differ(&old, &row)) erased_put(t, thing, &row);
    buf_clear(&s.answers);
}

bool erasure_go_on(struct txn *t)
{
    struct thing_key thing = {.scope_number = 0};
    struct erased row;
    while (erased_next(t, &thing, &row)) {
        if (!row.next) continue;
        boxes_destroy(t, &thing, &row);
        erased_put(t, &thing, &row);
        return !txn_error(t);
    }
    return false;
}

/* --- what arrives later ------------------------------------------------------------------------
 */

static void box_drop(struct event *e)
{
    e->box_state = BOX_GONE;
    e->box = SLICE_EMPTY;
    memset(e->salt, 0, sizeof e->salt);
}

enum err erasure_strip(struct txn *t, const struct event *events, size_t count, struct event **copy)
{
    struct scope_row scope;
    struct erased row;
    *copy = NULL;
    if (!count || !erased_any(t) || !scope_find(t, &events[0].feed.scope, &scope))
        return txn_error(t);
    for (size_t i = 0; i < count; i++) {
        const struct thing_key thing = {scope.number, events[i].subject};
        if (events[i].box_state != BOX_HERE || !erased_get(t, &thing, &row) ||
            !erased_covers(&row, &events[i].id))
            continue;
        if (!*copy) {
            *copy = malloc(count * sizeof **copy);
            if (!*copy) return ERR_NOMEM;
            memcpy(*copy, events, count * sizeof **copy);
            /* Pieces of the run that brought it may lie in pages. */
            erase_serial_next(t);
        }
        box_drop(&(*copy)[i]);
    }
    return txn_error(t);
}

/* --- how an order stands ------------------------------------------------------------------------
 */

static enum err device_keep(const struct device ***list, size_t *count, const struct device *d)
{
    const struct device **more = realloc(*list, (*count + 1) * sizeof **list);
    if (!more) return ERR_NOMEM;
    *list = more;
    more[(*count)++] = d;
    return OK;
}

static enum err devices_sort(const struct scan *s, struct erasure *out)
{
    enum err err = OK;
    for (size_t i = 0; i < s->roster->device_count && !err; i++) {
        const struct device *d = &s->roster->devices[i];
        if (has_answered(s, d, &out->order))
            out->answered++;
        else if (!owes(d, &s->scope, out->ordered_ms))
            continue;
        else if (d->state == DEVICE_REVOKED)
            err = device_keep(&out->lost, &out->lost_count, d);
        else
            err = device_keep(&out->pending, &out->pending_count, d);
    }
    return err;
}

enum err erasure_read(struct txn *t, const struct roster *roster, const struct thing_key *thing,
                      const struct erase_order *order, struct erasure *out)
{
    struct scan s = {.txn = t, .roster = roster, .thing = *thing};
    struct erased ignored = {.whole = false};
    struct scope_row scope;
    struct event e;
    *out = (struct erasure){.thing = *thing, .order = order->id};
    if (log_read_header(t, order->arrival, &e) || !event_id_equal(&e.id, &order->id) ||
        !scope_get(t, thing->scope_number, &scope))
        return ERR_NOT_FOUND;
    s.scope = scope.scope;
    out->ordered_ms = HLC_MS(e.time);
    out->corrects = !is_erase(&e);
    text_copy(out->basis, sizeof out->basis, body_text(e.body, "basis"));
    out->has_by = e.has_by;
    out->by = e.by;
    (void)body_thing(e.body, "second", &out->second);
    out->author = e.feed.author;
    thing_scan(&s, &ignored);
    enum err err = s.answers.err ? s.answers.err : devices_sort(&s, out);
    buf_clear(&s.answers);
    if (err) erasure_clear(out);
    return err;
}

void erasure_clear(struct erasure *e)
{
    free(e->pending);
    free(e->lost);
    e->pending = e->lost = NULL;
    e->pending_count = e->lost_count = 0;
}
