#include "tests/fault/check.h"

#include "node/home.h"
#include "node/lives.h"
#include "node/store/audit.h"
#include "node/views/views.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void judge(struct judged *j, enum verdict v,
                                                        const char *format, ...)
{
    va_list list;
    if (v < j->verdict) return;
    j->verdict = v;
    va_start(list, format);
    (void)vsnprintf(j->why, sizeof j->why, format, list);
    va_end(list);
}

static bool holds(struct txn *t, const uint8_t feed8[8], uint64_t seq, const uint8_t id8[8])
{
    struct feed_row feed;
    return feed_find_id8(t, feed8, &feed) == OK && log_find(t, feed.number, seq, id8) != 0;
}

/* Told to a person here, or held by others who can only have it from here. */
static bool is_promised(const struct known *k, int node, size_t position)
{
    if (position >= k->at[node].until) return false;
    if (k->at[node].told < position) return true;
    for (int i = 0; i < NODES_MAX; i++)
        if (k->origin == node && i != node && k->at[i].held < position) return true;
    return false;
}

static void check_promises(struct judged *j, struct txn *t, const struct world *w, int node,
                           size_t position)
{
    for (size_t i = 0; i < w->event_count; i++) {
        const struct known *k = &w->events[i];
        if (is_promised(k, node, position) && !holds(t, k->feed8, k->seq, k->id.bytes))
            j->missing++;
    }
    for (size_t i = 0; i < w->claim_count; i++) {
        const struct claim *c = &w->claims[i];
        if (c->node == node && c->from < position && position < c->until &&
            !holds(t, c->feed8, c->seq, c->id8))
            j->missing++;
    }
    if (j->missing) judge(j, IMAGE_SILENT, "%u that were told are missing", (unsigned)j->missing);
}

static void note_problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    struct judged *j = state;
    judge(j, IMAGE_NOTICED, "record %u: %s: %s", (unsigned)arrival, err_name(err), what);
}

static void check_views(struct judged *j, struct store *s)
{
    struct views *v = NULL;
    uint64_t differing = 0;
    enum err err = views_open(&v, s);
    if (!err) err = views_rebuild_finish(v, s);
    if (!err) err = views_compare(v, s, &differing, NULL, NULL);
    if (err) judge(j, IMAGE_NOTICED, "views: %s", err_name(err));
    if (differing) judge(j, IMAGE_NOTICED, "%u views differ", (unsigned)differing);
    views_close(v);
}

static void check_life(struct judged *j, struct store *s)
{
    struct life before, after;
    struct txn *t;
    bool behind = false;
    if (txn_begin(s, false, &t)) return;
    life_get(t, &before);
    txn_abort(t);
    enum err err = lives_open(s, &behind);
    if (err) judge(j, IMAGE_NOTICED, "the life of the store: %s", err_name(err));
    if (behind) judge(j, IMAGE_NOTICED, "the store is behind its side file");
    if (txn_begin(s, false, &t)) return;
    life_get(t, &after);
    txn_abort(t);
    j->new_life = after.count != before.count;
    if (j->new_life && after.cause == LIFE_ROLLED_BACK)
        judge(j, IMAGE_NOTICED, "the store was rolled back");
}

static void check_store(struct judged *j, struct store *s, const struct world *w, int node,
                        size_t position)
{
    struct audit_options options = {.problem = note_problem, .state = j};
    struct audit_result result = {0};
    struct txn *t;
    enum err err = audit_run(s, &options, &result);
    j->problems = result.problems;
    if (err) judge(j, IMAGE_NOTICED, "audit: %s", err_name(err));
    if (!err && result.problems) judge(j, IMAGE_NOTICED, "%s", "audit: problems");
    check_views(j, s);
    j->sound = j->verdict < IMAGE_NOTICED;
    check_life(j, s);
    bool noticed = j->verdict == IMAGE_NOTICED || j->new_life;
    if (txn_begin(s, false, &t)) {
        judge(j, IMAGE_BAD, "the store cannot be read");
        return;
    }
    check_promises(j, t, w, node, position);
    if (noticed && j->verdict == IMAGE_SILENT) j->verdict = IMAGE_NOTICED;
    txn_abort(t);
}

void check_image(struct judged *out, const struct world *w, int node, size_t position,
                 const char *path)
{
    struct device_keys keys;
    struct store *s = NULL;
    bool begun = w->begun[node] < position;
    *out = (struct judged){.verdict = IMAGE_WHOLE};
    if (!w->is_home[node]) { /* a folder in which one is made */
        out->verdict = IMAGE_NOT_BEGUN;
        return;
    }
    enum err err = home_load_keys(path, &keys);
    const char *what = "keys";
    if (!err) {
        what = "store";
        err = store_open(&s, path, NULL);
    }
    if (!err && home_state(path) != HOME_JOINED && begun) {
        what = "home";
        err = ERR_NOT_JOINED;
    }
    device_keys_wipe(&keys);
    if (err) {
        /* A key alone is a home that `join` or `init` goes on with. */
        bool fresh = !begun && (err == ERR_NOT_JOINED || err == ERR_NOT_FOUND);
        judge(out, fresh ? IMAGE_NOT_BEGUN : IMAGE_NOTICED, "%s: %s", what, err_name(err));
    } else {
        check_store(out, s, w, node, position);
    }
    store_close(s);
}
