#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/audit.h"
#include "node/store/erase.h"
#include "proto/rotation.h"
#include "tests/support/rng.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whoever holds or held a key says at random what the roster hears: revocations with heads of all
 * kinds, right, of others, of none; keys in succession, proven and not; forks; orders to erase.
 * Whatever comes first at a node, and whether its views are made anew: the same counts, the same
 * stands aside, no box is there that an order covers, and the store is sound. (Which boxes are
 * there is another matter: what an order destroyed that does not count any more is gone.)
 *
 *   STORY=7 build/unit/node/test_trust_random      one story again
 *   STORIES=600 build/unit/node/test_trust_random  more of them
 */
enum { STORIES = 24, STEPS = 60, ORDERS = 3, PENS_MAX = 64, TEXT_MAX = 2048 };

static struct township town;
static struct township_device pens[PENS_MAX]; /* each with the ends of its own feeds */
static size_t pen_count, copies;
static const struct event *requests[STEPS];
static size_t request_count;
static struct rng rng;
static char failing[32];

static const char *const scopes[] = {"town", "village:431322111201", "village:431322111202"};
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

/* --- what is said --- */

static struct township_device *some_pen(void)
{
    return &pens[rng_below(&rng, pen_count)];
}

static struct thing_id some_device(void)
{
    const struct township_device *of[] = {&town.hub, &town.devices[0], &town.devices[1]};
    return of[rng_below(&rng, COUNT_OF(of))]->thing;
}

/* The key of somebody, or a new one that writes from now on. */
static struct signer some_key(void)
{
    if (pen_count == PENS_MAX || rng_chance(&rng, 25)) return some_pen()->signer;
    struct township_device *pen = &pens[pen_count];
    *pen = *some_pen();
    pen->feed_count = 0;
    memset(pen->feeds, 0, sizeof pen->feeds);
    township_signer(&pen->signer, 5000 + (unsigned)pen_count++);
    return pen->signer;
}

static size_t put_head(char *out, size_t size)
{
    const struct event *e = town.events[rng_below(&rng, town.event_count)];
    struct feed_id feed;
    char feed8[17], id16[33];
    uint64_t seq = e->seq;
    struct event_id id = e->id;
    feed_id_of(&feed, &e->feed);
    if (rng_chance(&rng, 10)) seq = rng_chance(&rng, 50) ? 0 : INT64_MAX;
    if (rng_chance(&rng, 10)) id.bytes[rng_below(&rng, 16)] ^= 1;
    if (rng_chance(&rng, 10)) feed.bytes[rng_below(&rng, 8)] ^= 1;
    hex_encode(feed8, feed.bytes, 8);
    hex_encode(id16, id.bytes, 16);
    return (size_t)snprintf(out, size, "[{\"$bin\":\"%s\"},%llu,{\"$bin\":\"%s\"}]", feed8,
                            (unsigned long long)seq, id16);
}

static void put_heads(char out[TEXT_MAX])
{
    size_t size = 0;
    out[size++] = '[';
    for (uint64_t left = rng_below(&rng, 8); left > 0; left--) {
        size += put_head(out + size, TEXT_MAX - size);
        if (left > 1) out[size++] = ',';
    }
    out[size++] = ']';
    out[size] = '\0';
}

static const struct event *say(struct township_device *pen, const char *kind,
                               const struct thing_id *subject, const char *body, const char *box)
{
    const bool town_wide = strncmp(kind, "request.", 8) != 0 && strncmp(kind, "subject.", 8) != 0;
    const struct township_act act = {.kind = kind,
                                     .scope = town_wide ? "town" : scopes[1 + rng_below(&rng, 2)],
                                     .subject = subject,
                                     .depth = (uint32_t)rng_below(&rng, 6),
                                     .seen = 6,
                                     .by = &town.hub.thing,
                                     .body = body,
                                     .box = box};
    struct township_act founding = act;
    founding.depth = founding.seen = 0;
    return township_record(&town, pen, subject ? &act : &founding);
}

static void revoke(struct township_device *pen)
{
    char heads[TEXT_MAX], body[TEXT_MAX + 64];
    const struct thing_id of = some_device();
    put_heads(heads);
    snprintf(body, sizeof body, "{\"reason\":\"stolen\",\"heads\":%s}", heads);
    say(pen, "device.revoked", &of, body, NULL);
}

static void replace(struct township_device *pen)
{
    char heads[TEXT_MAX], key[65], recovery[65], body[TEXT_MAX + 256];
    const struct signer next = some_key(), next_recovery = some_key();
    hex_encode(key, next.key.bytes, 32);
    hex_encode(recovery, next_recovery.key.bytes, 32);
    put_heads(heads);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"recovery\":\"%s\",\"heads\":%s}", key, recovery,
             heads);
    say(pen, "authority.replaced", &town.events[0]->subject, body, NULL);
}

static void rotate(struct township_device *pen)
{
    char key[65], proof_hex[129], body[512];
    const struct thing_id of = rng_chance(&rng, 70) ? pen->thing : some_device();
    const struct signer next = some_key(), other = some_key();
    const bool signing = rng_chance(&rng, 70), right = rng_chance(&rng, 80);
    struct rotation r = {.township = town.authority.signer.key,
                         .device = of,
                         .has_key = signing,
                         .has_transport = !signing,
                         .key = next.key};
    struct signature proof;
    memcpy(r.transport.bytes, next.key.bytes, sizeof r.transport.bytes);
    rotation_sign(&proof, &r, !right ? &other : signing ? &next : &pen->signer);
    hex_encode(key, next.key.bytes, 32);
    hex_encode(proof_hex, proof.bytes, 64);
    snprintf(body, sizeof body, "{\"%s\":\"%s\",\"proof\":\"%s\"}", signing ? "key" : "transport",
             key, proof_hex);
    say(pen, "device.rotated", &of, body, NULL);
}

static void rotate_office(struct township_device *pen)
{
    char key[65], body[128];
    const struct signer next = some_key();
    hex_encode(key, next.key.bytes, 32);
    snprintf(body, sizeof body, "{\"office\":\"%s\"}", key);
    say(pen, "office.rotated", &town.events[0]->subject, body, NULL);
}

static void go_on(struct township_device *pen)
{
    char heads[TEXT_MAX], body[TEXT_MAX + 64];
    put_heads(heads);
    snprintf(body, sizeof body, "{\"cause\":\"copied\",\"heads\":%s}", heads);
    say(pen, "feed.continued", NULL, body, NULL);
}

static void note(struct township_device *pen)
{
    requests[request_count++] = say(pen, "request.register", NULL,
                                    "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":"
                                    "1763859600000,"
                                    "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}",
                                    "{\"name\":\"村民甲\",\"content\":\"路灯坏了\"}");
}

static void erase(struct township_device *pen)
{
    char second[33], body[128];
    if (request_count == 0) return;
    const struct event *of = requests[rng_below(&rng, request_count)];
    hex_encode(second, town.devices[0].thing.bytes, 16);
    snprintf(body, sizeof body, "{\"basis\":\"withdrawn\",\"second\":\"%s\"}", second);
    const struct township_act act = {.kind = "subject.erase",
                                     .scope = of->feed.scope.text,
                                     .subject = &of->subject,
                                     .depth = (uint32_t)rng_below(&rng, 6),
                                     .seen = 6,
                                     .by = &town.hub.thing,
                                     .body = body};
    township_record(&town, pen, &act);
}

/* Two copies of one key. */
static void copy(struct township_device *pen)
{
    if (pen_count < PENS_MAX && copies++ % 3 == 0) pens[pen_count++] = *pen;
}

static void tell_story(uint64_t seed)
{
    static void (*const steps[])(struct township_device *) = {
        revoke, replace, rotate, rotate_office, go_on, note, note, note, erase, copy};
    const struct township_device *first[] = {&town.authority, &town.recovery, &town.hub,
                                             &town.devices[0], &town.devices[1]};
    rng = (struct rng){.state = seed};
    snprintf(failing, sizeof failing, "STORY=%llu", (unsigned long long)seed);
    township_begin(&town, 2);
    pen_count = request_count = copies = 0;
    for (size_t i = 0; i < COUNT_OF(first); i++) pens[pen_count++] = *first[i];
    for (int i = 0; i < STEPS; i++) steps[rng_below(&rng, COUNT_OF(steps))](some_pen());
    for (int i = 0; i < 4; i++) revoke(&pens[0]);
    replace(&pens[1]);
}

/* --- what comes of it --- */

struct outcome {
    struct hash events[COUNT_OF(scopes)], views[COUNT_OF(scopes)];
    uint64_t counted, aside;
};

static void problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    (void)state;
    print_error("%s: arrival %llu: %s (%s)\n", failing, (unsigned long long)arrival, what,
                err_text(err));
}

static struct outcome outcome_of(struct township_node *n)
{
    const struct audit_options options = {.all_signatures = true, .problem = problem};
    struct outcome out = {.counted = 0};
    struct audit_result audit;
    struct txn *t;
    township_node_settle(n);
    assert_int_equal(audit_run(n->store, &options, &audit), OK);
    assert_int_equal(audit.problems, 0);
    for (size_t i = 0; i < COUNT_OF(scopes); i++) {
        const uint32_t number = township_node_scope(n, scopes[i]);
        struct scope scope;
        struct views_digest digest;
        uint64_t counted = 0;
        if (number)
            assert_int_equal(audit_events_digest(n->store, number, &out.events[i], &counted), OK);
        out.counted += counted;
        assert_int_equal(scope_parse(&scope, slice_of_text(scopes[i])), OK);
        assert_int_equal(txn_begin(n->store, false, &t), OK);
        assert_int_equal(views_digest(t, &scope, &digest), OK);
        txn_abort(t);
        out.views[i] = digest.digest;
    }
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    out.aside = aside_count(t);
    for (uint64_t arrival = 1; arrival <= log_count(t); arrival++) {
        struct event e;
        struct erased row;
        assert_int_equal(log_read_any(t, arrival, &e), OK);
        struct scope_row scope;
        assert_true(scope_find(t, &e.feed.scope, &scope));
        const struct thing_key key = {scope.number, e.subject};
        assert_false(e.box.size > 0 && erased_get(t, &key, &row) && row.whole);
    }
    txn_abort(t);
    return out;
}

static void assert_same(const struct outcome *a, const struct outcome *b, const char *what)
{
    bool same = a->counted == b->counted && a->aside == b->aside;
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        same = same && hash_equal(&a->events[i], &b->events[i]) &&
               hash_equal(&a->views[i], &b->views[i]);
    if (!same)
        fail_msg("%s, %s: %llu count and %llu do, %llu and %llu stand aside", failing, what,
                 (unsigned long long)a->counted, (unsigned long long)b->counted,
                 (unsigned long long)a->aside, (unsigned long long)b->aside);
}

static bool follows(const bool *taken, const struct event *e)
{
    if (e->seq == 1) return true;
    for (size_t k = 0; k < town.event_count; k++)
        if (taken[k] && event_id_equal(&town.events[k]->id, &e->prev)) return true;
    return false;
}

/* `drawn` false: as it was said. */
static void take_in_some_order(struct township_node *n, bool drawn)
{
    static bool taken[256];
    memset(taken, 0, sizeof taken);
    assert_true(town.event_count <= COUNT_OF(taken));
    for (size_t left = town.event_count, next = 0; left > 0;) {
        const size_t i = drawn ? (size_t)rng_below(&rng, town.event_count) : next++;
        if (taken[i] || !follows(taken, town.events[i])) continue;
        township_node_take(n, &town.events[i], 1);
        taken[i] = true;
        left--;
    }
}

static void whatever_comes_first_the_same_counts(void **state)
{
    (void)state;
    const char *one = getenv("STORY"), *many = getenv("STORIES");
    const uint64_t first_seed = one ? strtoull(one, NULL, 10) : 1;
    const uint64_t last_seed = one ? first_seed : many ? strtoull(many, NULL, 10) : STORIES;
    uint64_t aside = 0;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        struct township_node n;
        tell_story(seed);
        township_node_open(&n, &town, &town.hub);
        take_in_some_order(&n, false);
        const struct outcome first = outcome_of(&n);
        township_node_close(&n);
        aside += first.aside;
        for (int order = 0; order < ORDERS; order++) {
            township_node_open(&n, &town, &town.hub);
            take_in_some_order(&n, true);
            struct outcome other = outcome_of(&n);
            assert_same(&first, &other, "in another order");
            assert_int_equal(views_rebuild(n.views, n.store, NULL, NULL), OK);
            other = outcome_of(&n);
            assert_same(&first, &other, "made anew");
            township_node_close(&n);
        }
        township_end(&town);
    }
    assert_true(one || aside > last_seed); /* or nothing was tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_first_the_same_counts),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
