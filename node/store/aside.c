/* Events that do not count: of an author that was cut off, what leads to none of the heads that the
 * roster names. They keep their place in the log; what changes is their mark, the index they stand
 * in, and the heads of their feed. */
#include "node/store/txn.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_CUTS 'c'
#define CUT_SIZE 32 /* feed 8 ‖ seq be64 ‖ id 16 */

/* --- the cuts of an author ------------------------------------------------------------------- */

static struct slice cuts_key(struct key *k, const struct sign_key *author)
{
    return key_local(k, TABLE_CUTS, slice_of(author->bytes, sizeof author->bytes));
}

/* false: the author is not cut off. */
static bool cuts_get(struct txn *t, const struct sign_key *author, struct slice *value)
{
    struct key key;
    if (!db_get(t, DB_LOCAL, cuts_key(&key, author), value)) return false;
    if (value->size % CUT_SIZE == 0) return true;
    txn_fail(t, ERR_CORRUPT);
    return false;
}

static struct head_named cut_at(struct slice value, size_t i)
{
    const uint8_t *at = value.data + i * CUT_SIZE;
    struct head_named cut = {.seq = be64_get(at + 8)};
    memcpy(cut.feed8, at, sizeof cut.feed8);
    memcpy(cut.id16, at + 16, sizeof cut.id16);
    return cut;
}

static bool is_cut_of(const struct head_named *cut, const struct feed_row *feed)
{
    return memcmp(cut->feed8, feed->id.bytes, sizeof cut->feed8) == 0;
}

static bool names(const struct head_named *cut, uint64_t seq, const struct event_id *id)
{
    return cut->seq == seq && memcmp(cut->id16, id->bytes, sizeof cut->id16) == 0;
}

static bool is_held(struct txn *t, const struct feed_row *feed, const struct head_named *cut)
{
    struct event e;
    uint64_t arrival = log_find(t, feed->number, cut->seq, cut->id16);
    return arrival && log_read_any(t, arrival, &e) == OK && names(cut, e.seq, &e.id);
}

/* The greatest number below which it is not decided yet: a named head is not held. */
static uint64_t undecided_below(struct txn *t, const struct feed_row *feed, struct slice cuts)
{
    uint64_t below = 0;
    for (size_t i = 0; i < cuts.size / CUT_SIZE; i++) {
        const struct head_named cut = cut_at(cuts, i);
        if (is_cut_of(&cut, feed) && cut.seq > below && !is_held(t, feed, &cut)) below = cut.seq;
    }
    return below;
}

enum aside_verdict aside_judge(struct txn *t, const struct feed_row *feed, const struct event *e)
{
    struct slice cuts;
    if (!t->cuts_known) {
        struct key key;
        struct slice found, value;
        static const struct sign_key none;
        t->any_cuts = db_find(t, DB_LOCAL, cuts_key(&key, &none), &found, &value) && found.size &&
                      found.data[0] == TABLE_CUTS;
        t->cuts_known = true;
    }
    if (!t->any_cuts || !cuts_get(t, &feed->feed.author, &cuts)) return ASIDE_COUNTS;
    for (size_t i = 0; i < cuts.size / CUT_SIZE; i++) {
        const struct head_named cut = cut_at(cuts, i);
        if (is_cut_of(&cut, feed) && names(&cut, e->seq, &e->id)) return ASIDE_NAMED;
    }
    if (e->seq > 1) {
        uint64_t before = log_find(t, feed->number, e->seq - 1, e->prev.bytes);
        if (before && log_is_aside(t, before)) return ASIDE_ASIDE;
    }
    return e->seq < undecided_below(t, feed, cuts) ? ASIDE_COUNTS : ASIDE_ASIDE;
}

/* --- a feed judged anew ---------------------------------------------------------------------- */

/* An event of the feed, in order of numbers. */
struct node {
    struct head head;
    struct thing_id thing;
    uint64_t arrival;
    size_t parent; /* index + 1; 0: none */
    bool damaged;  /* cannot be read: stays as it is */
    bool was_aside, counts, has_child, has_counted_child;
};

struct tree {
    struct node *nodes;
    size_t count, capacity;
    size_t level, level_before; /* where the events of this number begin, and of the one before */
};

static struct node *tree_add(struct txn *t, struct tree *tree)
{
    if (tree->count == tree->capacity) {
        size_t capacity = tree->capacity ? tree->capacity * 2 : 256;
        struct node *nodes = realloc(tree->nodes, capacity * sizeof *nodes);
        if (!nodes) {
            txn_fail(t, ERR_NOMEM);
            return NULL;
        }
        tree->nodes = nodes;
        tree->capacity = capacity;
    }
    tree->nodes[tree->count] = (struct node){0};
    return &tree->nodes[tree->count++];
}

static void tree_take(struct txn *t, struct tree *tree, uint64_t seq, const uint8_t id8[8],
                      uint64_t arrival)
{
    struct event e = {0};
    if (tree->count && tree->nodes[tree->count - 1].head.seq != seq) {
        tree->level_before = tree->level;
        tree->level = tree->count;
    }
    struct node *n = tree_add(t, tree);
    if (!n) return;
    n->arrival = arrival;
    n->was_aside = log_is_aside(t, arrival);
    n->damaged = log_read_any(t, arrival, &e) != OK;
    n->head = (struct head){.seq = seq, .id = e.id, .time = e.time};
    if (n->damaged) memcpy(n->head.id.bytes, id8, 8);
    n->thing = e.subject;
    for (size_t i = tree->level_before; seq > 1 && i < tree->level && !n->parent; i++)
        if (n->damaged || event_id_equal(&tree->nodes[i].head.id, &e.prev)) n->parent = i + 1;
}

static void tree_read(struct txn *t, const struct feed_row *feed, struct tree *tree)
{
    static const uint8_t none[8];
    struct key from;
    struct slice key, value;
    key_chain(&from, feed->number, 0, none);
    while (db_find(t, DB_CHAIN, key_slice(&from), &key, &value) && key.size == CHAIN_KEY_SIZE &&
           value.size == 8 && be32_get(key.data) == feed->number) {
        memcpy(from.bytes, key.data, key.size);
        from.bytes[key.size] = 0;
        from.size = CHAIN_KEY_SIZE + 1;
        tree_take(t, tree, be64_get(from.bytes + 4), from.bytes + 12, be64_get(value.data));
        if (t->err) return;
    }
}

/* `cut` false: all of them count. */
static void tree_judge(struct txn *t, const struct feed_row *feed, bool cut, struct slice cuts,
                       struct tree *tree)
{
    uint64_t below = cut ? undecided_below(t, feed, cuts) : UINT64_MAX;
    for (size_t i = 0; i < tree->count; i++)
        tree->nodes[i].counts = tree->nodes[i].head.seq < below;
    for (size_t c = 0; cut && c < cuts.size / CUT_SIZE; c++) {
        const struct head_named named = cut_at(cuts, c);
        size_t at = tree->count;
        if (!is_cut_of(&named, feed)) continue;
        while (at && !names(&named, tree->nodes[at - 1].head.seq, &tree->nodes[at - 1].head.id))
            at--;
        for (; at; at = tree->nodes[at - 1].parent) tree->nodes[at - 1].counts = true;
    }
    for (size_t i = 0; i < tree->count; i++) {
        struct node *n = &tree->nodes[i];
        if (n->damaged) n->counts = !n->was_aside;
        if (!n->parent) continue;
        tree->nodes[n->parent - 1].has_child = true;
        if (n->counts) tree->nodes[n->parent - 1].has_counted_child = true;
    }
}

static void set_mark(struct txn *t, const struct feed_row *feed, const struct node *n)
{
    struct key key, thing;
    struct slice value;
    struct buf copy = {0};
    key_arrival(&key, n->arrival);
    if (!db_get(t, DB_LOG, key_slice(&key), &value)) return;
    buf_append_slice(&copy, value);
    if (copy.err) txn_fail(t, copy.err);
    if (!copy.err) {
        record_set_aside(copy.data, !n->counts);
        db_put(t, DB_LOG, key_slice(&key), buf_slice(&copy));
    }
    buf_clear(&copy);
    key_thing(&thing, feed->scope_number, &n->thing, n->arrival);
    db_delete(t, n->counts ? DB_ASIDE : DB_THINGS, key_slice(&thing));
    db_put(t, n->counts ? DB_THINGS : DB_ASIDE, key_slice(&thing), SLICE_EMPTY);
    if (n->counts) log_box_added(t, n->arrival); /* who looks for boxes passed it over */
}

static void keep_head(struct head heads[FEED_BRANCHES_MAX], size_t *count, const struct head *head)
{
    size_t i = *count;
    if (i == FEED_BRANCHES_MAX) return; /* never more: see place_of */
    for (; i > 0 && head_before(head, &heads[i - 1]); i--) heads[i] = heads[i - 1];
    heads[i] = *head;
    ++*count;
}

static void tree_keep(struct txn *t, uint32_t number, const struct tree *tree,
                      const struct log_cutting *cutting)
{
    struct feed_row *feed = feed_hot(t, number);
    struct scope_row *scope = feed ? scope_hot(t, feed->scope_number) : NULL;
    if (!scope) {
        txn_fail(t, ERR_CORRUPT);
        return;
    }
    feed->head_count = feed->aside_count = 0;
    for (size_t i = 0; i < tree->count && !t->err; i++) {
        const struct node *n = &tree->nodes[i];
        if (n->counts && !n->has_counted_child) keep_head(feed->heads, &feed->head_count, &n->head);
        if (!n->counts && !n->has_child) keep_head(feed->aside, &feed->aside_count, &n->head);
        if (n->counts == !n->was_aside) continue;
        set_mark(t, feed, n);
        feed->events += n->counts ? 1u : UINT64_MAX; /* one more, one less */
        scope->events += n->counts ? 1u : UINT64_MAX;
        cutting->touched(cutting->state, feed->scope_number, &n->thing);
    }
    feed_hot_changed(t, feed);
    scope_hot_changed(t, scope);
}

/* All of the feed, and which of it counts; `by_cuts` false: all. */
static void tree_make(struct txn *t, const struct feed_row *feed, bool by_cuts, struct tree *tree)
{
    struct slice value = SLICE_EMPTY;
    struct buf cuts = {0}; /* a copy: `value` is of a cursor that goes on */
    bool cut = by_cuts && cuts_get(t, &feed->feed.author, &value);
    if (cut) buf_append_slice(&cuts, value);
    if (cuts.err) txn_fail(t, cuts.err);
    tree_read(t, feed, tree);
    if (!t->err) tree_judge(t, feed, cut, buf_slice(&cuts), tree);
    buf_clear(&cuts);
}

static void judge_feed(struct txn *t, uint32_t number, bool by_cuts,
                       const struct log_cutting *cutting)
{
    struct feed_row feed;
    struct tree tree = {0};
    if (!feed_get(t, number, &feed)) return;
    tree_make(t, &feed, by_cuts, &tree);
    if (!t->err) tree_keep(t, number, &tree, cutting);
    free(tree.nodes);
}

void aside_judge_feed(struct txn *t, uint32_t number, const struct log_cutting *cutting)
{
    judge_feed(t, number, true, cutting);
}

bool aside_is_right(struct txn *t, const struct feed_row *feed)
{
    struct tree tree = {0};
    struct slice value;
    bool right = true;
    if (!feed->aside_count && !cuts_get(t, &feed->feed.author, &value)) return true;
    tree_make(t, feed, true, &tree);
    for (size_t i = 0; i < tree.count; i++)
        right = right && tree.nodes[i].counts == !tree.nodes[i].was_aside;
    free(tree.nodes);
    return right && !t->err;
}

/* --- what others ask ------------------------------------------------------------------------- */

/* Puts or removes the row. False: it says this already. */
static bool cuts_put(struct txn *t, const struct sign_key *author, const struct head_named *cuts,
                     size_t count)
{
    struct key key;
    struct slice held;
    struct buf value = {0};
    bool had = cuts_get(t, author, &held);
    for (size_t i = 0; i < count; i++) {
        uint8_t seq[8];
        be64_put(seq, cuts[i].seq);
        buf_append(&value, cuts[i].feed8, sizeof cuts[i].feed8);
        buf_append(&value, seq, sizeof seq);
        buf_append(&value, cuts[i].id16, sizeof cuts[i].id16);
    }
    if (value.err) txn_fail(t, value.err);
    bool same = had == (cuts != NULL) && (!had || slice_equal(held, buf_slice(&value)));
    if (!same && cuts) db_put(t, DB_LOCAL, cuts_key(&key, author), buf_slice(&value));
    if (!same && !cuts) db_delete(t, DB_LOCAL, cuts_key(&key, author));
    buf_clear(&value);
    return !same;
}

bool log_cut(struct txn *t, const struct sign_key *author, const struct head_named *cuts,
             size_t count, const struct log_cutting *cutting)
{
    struct feed_row feed;
    if (t->err || !cuts_put(t, author, cuts, count)) return false;
    t->cuts_known = false;
    uint32_t feeds = feed_count(t);
    for (uint32_t number = 1; number <= feeds && feed_get(t, number, &feed); number++)
        if (sign_key_equal(&feed.feed.author, author)) aside_judge_feed(t, number, cutting);
    return true;
}

void log_cut_lift(struct txn *t, const struct sign_key *author, uint32_t scope_number,
                  const struct log_cutting *cutting)
{
    static const struct head_named of_no_feed = {.seq =
                                                     UINT64_MAX}; /* unlike any that log_cut sets */
    struct feed_row feed;
    if (t->err || !cuts_put(t, author, &of_no_feed, 1)) return;
    t->cuts_known = false;
    uint32_t feeds = feed_count(t);
    for (uint32_t number = 1; number <= feeds && feed_get(t, number, &feed); number++)
        if (feed.scope_number == scope_number && sign_key_equal(&feed.feed.author, author))
            judge_feed(t, number, false, cutting);
}

bool log_cut_next(struct txn *t, struct sign_key *after)
{
    struct key key;
    struct slice found, value;
    key_local(&key, TABLE_CUTS, slice_of(after->bytes, sizeof after->bytes));
    key.bytes[key.size++] = 0;
    if (!db_find(t, DB_LOCAL, key_slice(&key), &found, &value)) return false;
    if (found.size != 1 + sizeof after->bytes || found.data[0] != TABLE_CUTS) return false;
    memcpy(after->bytes, found.data + 1, sizeof after->bytes);
    return true;
}

uint64_t aside_next(struct aside_cursor *c)
{
    struct slice found, value;
    if (!db_find(c->txn, DB_ASIDE, slice_of(c->after, c->after_size ? c->after_size : 1), &found,
                 &value) ||
        found.size != THING_KEY_SIZE)
        return 0;
    memcpy(c->after, found.data, found.size);
    c->after_size = found.size + 1; /* its last byte is 0: the next key */
    return be64_get(found.data + THING_KEY_SIZE - 8);
}

uint64_t aside_of_thing(struct txn *t, uint32_t scope_number, const struct thing_id *thing,
                        uint64_t after)
{
    struct key key;
    struct slice found, value;
    key_thing(&key, scope_number, thing, after + 1);
    if (!db_find(t, DB_ASIDE, key_slice(&key), &found, &value) || found.size != THING_KEY_SIZE ||
        memcmp(found.data, key.bytes, THING_KEY_SIZE - 8) != 0)
        return 0;
    return be64_get(found.data + THING_KEY_SIZE - 8);
}

bool aside_has(struct txn *t, uint32_t scope_number, const struct thing_id *thing, uint64_t arrival)
{
    struct key key;
    struct slice value;
    key_thing(&key, scope_number, thing, arrival);
    return db_get(t, DB_ASIDE, key_slice(&key), &value);
}

uint64_t aside_count(struct txn *t)
{
    return db_entries(t, DB_ASIDE);
}
