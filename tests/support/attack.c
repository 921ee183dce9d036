#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attack.h"

#include "node/store/audit.h"
#include "node/views/request.h"

#include <stdio.h>
#include <string.h>

#define SCOPES_MAX 16
/* What one peer may make the hub hold at a time, and what all of this makes LMDB map. */
#define MEMORY_MAX_KIB (16 * 1024)

/* --- the hub before and after -------------------------------------------------------------- */

struct held_scope {
    char text[32];
    struct hash events, views;
    uint64_t count;
};

struct hub_state {
    struct held_scope scopes[SCOPES_MAX]; /* without the honest village's, which grows */
    size_t scope_count;
    struct hash roster; /* its version */
    uint64_t arrivals, events, aside, requests;
    uint64_t refusals;
};

static bool count_request(void *state, const struct thing_key *key, const struct request *r)
{
    uint64_t *count = state;
    (void)key;
    if (strcmp(r->village, ENEMY_SCOPE + strlen("village:")) == 0) ++*count;
    return true;
}

static void read_scope(struct txn *t, uint32_t number, struct hub_state *out)
{
    struct scope_row row;
    struct views_digest views;
    assert_true(scope_get(t, number, &row));
    if (strcmp(row.scope.text, HONEST_SCOPE) == 0) return;
    assert_true(out->scope_count < SCOPES_MAX);
    struct held_scope *s = &out->scopes[out->scope_count++];
    snprintf(s->text, sizeof s->text, "%s", row.scope.text);
    assert_int_equal(views_digest(t, &row.scope, &views), OK);
    s->views = views.digest;
    assert_int_equal(audit_events_digest(scene.hub.store.store, number, &s->events, &s->count), OK);
    out->events += s->count;
}

static void read_hub(struct hub_state *out)
{
    struct txn *t;
    const struct roster *roster;
    const struct request_filter all = {.any_state = true};
    struct peer_row row;
    *out = (struct hub_state){0};
    township_node_settle(&scene.hub.store);
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    for (uint32_t i = 1; i <= scope_count(t); i++) read_scope(t, i, out);
    assert_int_equal(views_roster(scene.hub.store.views, t, &roster), OK);
    out->roster = roster->version;
    out->arrivals = log_count(t);
    out->aside = aside_count(t);
    assert_int_equal(requests_each(t, &all, count_request, &out->requests), OK);
    if (peer_get(t, &scene.enemy->signer.key, &row)) {
        out->refusals = row.refusals;
        peer_row_clear(&row);
    }
    txn_abort(t);
}

static void assert_scopes_unchanged(const struct hub_state *before, const struct hub_state *after)
{
    assert_int_equal(after->scope_count, before->scope_count);
    for (size_t i = 0; i < before->scope_count; i++) {
        assert_string_equal(after->scopes[i].text, before->scopes[i].text);
        assert_int_equal(after->scopes[i].count, before->scopes[i].count);
        assert_memory_equal(&after->scopes[i].events, &before->scopes[i].events,
                            sizeof(struct hash));
        assert_memory_equal(&after->scopes[i].views, &before->scopes[i].views, sizeof(struct hash));
    }
}

/* --- what was kept ------------------------------------------------------------------------- */

/* The history of the thing last asked for: a flood is often of one thing. */
struct kept_thing {
    struct thing_key key;
    struct history history;
};

static enum effect effect_of(struct txn *t, struct kept_thing *kept, uint64_t arrival,
                             const struct event *e)
{
    struct scope_row scope;
    assert_true(scope_find(t, &e->feed.scope, &scope));
    if (kept->key.scope_number != scope.number || !thing_id_equal(&kept->key.thing, &e->subject)) {
        history_clear(&kept->history);
        kept->key = (struct thing_key){.scope_number = scope.number, .thing = e->subject};
        assert_int_equal(
            views_history(scene.hub.store.views, t, scope.number, &e->subject, &kept->history), OK);
    }
    const struct history *h = &kept->history;
    for (size_t i = 0; i < h->count; i++)
        if (h->items[i].arrival == arrival) return h->items[i].effect;
    assert_true(h->total > h->count); /* later than THING_EVENTS_MAX */
    return EFFECT_LIMIT;
}

/* Of all that came since and is the enemy's: how much counts, and what the last is marked with. */
static unsigned effects_since(uint64_t arrivals, enum effect *last)
{
    struct txn *t;
    struct kept_thing kept = {0};
    unsigned count = 0;
    *last = EFFECT_COUNTS;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    for (uint64_t i = arrivals + 1; i <= log_count(t); i++) {
        struct event e;
        assert_int_equal(log_read(t, i, &e), OK);
        if (!sign_key_equal(&e.feed.author, &scene.enemy->signer.key) || log_is_aside(t, i))
            continue;
        *last = effect_of(t, &kept, i, &e);
        if (*last == EFFECT_COUNTS) count++;
    }
    history_clear(&kept.history);
    txn_abort(t);
    return count;
}

/* --- memory -------------------------------------------------------------------------------- */

static long status_kib(const char *name)
{
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %ld", &kib);
    if (f) fclose(f);
    return kib;
}

/* From here on the kernel counts the most that is resident anew; -1 where it cannot. */
long attack_memory_begin(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "we");
    bool cleared = f && fputs("5", f) >= 0;
    if (f && fclose(f) != 0) cleared = false;
    return cleared ? status_kib("VmRSS") : -1;
}

void attack_assert_memory(long before_kib)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)before_kib;
#else
    if (before_kib >= 0) assert_in_range(status_kib("VmHWM"), 0, before_kib + MEMORY_MAX_KIB);
#endif
}

/* --- the runner ---------------------------------------------------------------------------- */

static bool has_session(void)
{
    struct exchange_peer peers[4];
    size_t count = exchange_peers(scene.hub.exchange, peers, 4);
    for (size_t i = 0; i < count; i++)
        if (sign_key_equal(&peers[i].device, &scene.enemy->signer.key)) return true;
    return false;
}

static unsigned refusals_logged(void)
{
    unsigned count = 0;
    for (const char *at = scene.hub.log; (at = strstr(at, "refused: ")) != NULL; at++) count++;
    return count;
}

static void assert_end(const struct attack *a)
{
    const bool refused = a->end == REFUSED || a->end == TURNED_AWAY;
    assert_int_equal(scene.refused, refused ? a->code : 0);
    assert_int_equal(refusals_logged(), refused);
    assert_false(scene.foreign);
    if (a->end == ASKED) assert_true(scene.got[FRAME_WANT] > 0);
    if (a->end == LEFT) assert_false(has_session());
    if (a->end == KEPT || a->end == UNANSWERED || a->end == ASKED) assert_true(has_session());
}

/* What must be so afterwards, whatever brought it. */
static void assert_left(const struct attack *a, const struct hub_state *was, long memory)
{
    static struct hub_state after;
    const struct hub_state before = *was;
    enum effect mark;
    read_hub(&after);
    assert_int_equal(after.refusals, a->end == REFUSED && !scene.stick.used);
    assert_int_equal(after.events + after.aside, before.events + before.aside + a->held);
    assert_int_equal(after.aside, before.aside + a->aside);
    assert_int_equal(effects_since(before.arrivals, &mark), a->count);
    assert_int_equal(mark, a->mark);
    if (!a->held) assert_scopes_unchanged(&before, &after);
    if (!a->others) assert_memory_equal(&after.roster, &before.roster, sizeof after.roster);
    if (!a->count && !a->others) assert_int_equal(after.requests, before.requests);
    attack_assert_memory(memory);
}

void attack_run(void **state)
{
    const struct attack *a = *state;
    static struct hub_state before;
    long memory = attack_memory_begin();
    read_hub(&before);
    a->play(a);
    turns(6);
    assert_end(a);
    assert_the_honest_village_is_served();
    assert_end(a);
    assert_left(a, &before, memory);
}

/* There is nobody to refuse: what it leaves is the same as by a link. */
void attack_run_by_stick(void **state)
{
    const struct attack *a = *state;
    static struct hub_state before;
    long memory = attack_memory_begin();
    read_hub(&before);
    enemy_stick_begin();
    a->play(a);
    assert_the_honest_village_is_served(); /* and nothing is under way */
    enemy_stick_taken(enemy_stick_file(&(struct enemy_stick_from){0}));
    assert_int_equal(scene.stick.err, OK);
    assert_true(scene.stick.taken.verified);
    if (a->code == REFUSE_SIGNATURE) assert_int_equal(scene.stick.taken.receipts, 0);
    assert_the_honest_village_is_served();
    assert_left(a, &before, memory);
}

int attack_begin(void **state)
{
    void *row = *state;
    int result = enemy_begin(state);
    *state = row;
    return result;
}
