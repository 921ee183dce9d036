#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/recorder.h"
#include "node/views/request.h"
#include "tests/support/rng.h"
#include "tests/support/township.h"

/* What the recorder makes is folded onto the row that the thing has; the row must be that of a
 * whole fold. */

#define SCOPE "village:431322111201"
enum { ROUNDS = 150, REQUESTS = 4, BATCH = 5 };

static struct township town;
static struct township_node node;

struct act {
    const char *kind, *body, *box;
};
static const struct act acts[] = {
    {"request.accept", "{\"class\":\"simple\"}", NULL},
    {"order.issue", "{\"unit\":\"村委会\"}", NULL},
    {"order.issue", "{\"unit\":\"水利站\",\"signed_by\":\"000102030405060708090a0b0c0d0e0f\"}",
     NULL},
    {"order.sign", "{}", NULL},
    {"order.object", "{\"reason\":\"not_duty\"}", "{\"why\":\"不是本单位的职责范围\"}"},
    {"order.object_decide", "{\"agree\":true}", "{\"why\":\"同意\"}"},
    {"contact.log", "{\"method\":\"phone\",\"reached\":true}", NULL},
    {"contact.log", "{\"method\":\"phone\",\"reached\":false}", NULL},
    {"progress.note", "{}", "{\"note\":\"已到现场\"}"},
    {"order.report", "{\"solved\":\"yes\"}", "{\"measure\":\"已修好\"}"},
    {"callback.record", "{\"attempt\":1,\"method\":\"phone\",\"reached\":true,\"solved\":\"yes\"}",
     NULL},
    {"request.close", "{\"result\":\"solved\"}", NULL},
    {"supervise.issue", "{\"level\":1,\"reason\":\"overdue\"}", "{\"why\":\"超期\"}"},
    {"subject.export", "{}", NULL},
};
#define ACTS (sizeof acts / sizeof acts[0])

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    return 0;
}

/* What the other side does meanwhile, without knowing all: it may lie anywhere in the order. */
static void other_side_acts(struct rng *rng, struct township_device *d,
                            const struct thing_id *thing)
{
    const struct act *act = &acts[rng_below(rng, ACTS)];
    size_t before = town.event_count;
    uint32_t depth = 1 + (uint32_t)rng_below(rng, 12) + (rng_chance(rng, 30) ? 65 : 0);
    township_record(&town, d,
                    &(struct township_act){.kind = act->kind,
                                           .scope = SCOPE,
                                           .subject = thing,
                                           .depth = depth,
                                           .seen = depth + (uint32_t)rng_below(rng, 3),
                                           .body = act->body,
                                           .box = act->box});
    township_node_take(&node, &town.events[before], town.event_count - before);
}

static bool person_acts(struct recorder *r, const struct act *act, const struct thing_id *thing,
                        const struct thing_id *by)
{
    struct buf body = {0}, box = {0};
    struct recorded out;
    struct kind_problem problem;
    const struct kind *kind = kind_find(slice_of_text(act->kind));
    const struct draft d = {
        .kind = act->kind,
        .scope = scope_of_village("431322111201"),
        .lane = LANE_NORMAL,
        .subject = *thing,
        .has_by = by != NULL,
        .by = by ? *by : (struct thing_id){{0}},
        .body = township_pack(&body, act->body, kind),
        .box = act->box ? township_pack(&box, act->box, kind) : SLICE_EMPTY,
    };
    bool recorded = recorder_add(r, &d, &out, &problem) == OK;
    buf_clear(&body);
    buf_clear(&box);
    return recorded;
}

static unsigned batch(struct recorder *r, struct rng *rng, const struct thing_id *thing,
                      uint64_t wall_ms)
{
    const struct clock_reading now = {
        .wall_ms = wall_ms, .trusted = rng_chance(rng, 75), .source = "none"};
    unsigned recorded = 0;
    assert_int_equal(recorder_begin(r, &now), OK);
    for (size_t i = 0; i < BATCH; i++) {
        const struct thing_id by = {{(uint8_t)rng_below(rng, 3)}};
        const struct act *act = &acts[rng_below(rng, ACTS)];
        recorded += person_acts(r, act, thing, by.bytes[0] ? &by : NULL);
    }
    assert_int_equal(recorder_commit(r), OK);
    return recorded;
}

static struct recorder *recorder_of(const struct township_device *d)
{
    struct recorder *r;
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &d->signer};
    assert_int_equal(recorder_open(&r, &options), OK);
    return r;
}

static void play(struct township_device *here, struct township_device *there, uint64_t seed)
{
    struct rng rng = {seed};
    struct thing_id things[REQUESTS];
    uint64_t differing;
    unsigned recorded = 0;
    township_node_open(&node, &town, here);
    for (size_t i = 0; i < REQUESTS; i++)
        things[i] = township_register(&town, &town.devices[0], "01A-0001")->subject;
    township_node_take_all(&node, &town);
    struct recorder *r = recorder_of(here);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const struct thing_id *thing = &things[rng_below(&rng, REQUESTS)];
        if (rng_chance(&rng, 30)) other_side_acts(&rng, there, thing);
        recorded += batch(r, &rng, thing, UINT64_C(1790000000000) + round * 60000);
        assert_int_equal(views_compare(node.views, node.store, &differing, NULL, NULL), OK);
        if (differing) fail_msg("seed %llu, round %u", (unsigned long long)seed, round);
    }
    assert_true(recorded > ROUNDS);
    recorder_close(r);
}

static void acts_in_a_village_fold_as_the_whole_thing_does(void **state)
{
    (void)state;
    play(&town.devices[0], &town.hub, 1);
}

static void acts_at_the_township_fold_as_the_whole_thing_does(void **state)
{
    (void)state;
    play(&town.hub, &town.devices[0], 2);
}

static void a_number_given_by_the_hub_is_noted(void **state)
{
    (void)state;
    const struct clock_reading now = {.wall_ms = UINT64_C(1790000000000), .trusted = true};
    const struct act accept = {"request.accept",
                               "{\"class\":\"general\",\"official_no\":\"2026-0007\"}", NULL};
    struct thing_id thing = township_register(&town, &town.devices[0], "01A-0001")->subject;
    char number[16];
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    struct recorder *r = recorder_of(&town.hub);
    assert_int_equal(recorder_begin(r, &now), OK);
    assert_true(person_acts(r, &accept, &thing, NULL));
    assert_int_equal(request_next_official(recorder_txn(r), 2026, number), OK);
    assert_string_equal(number, "2026-0008");
    recorder_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(acts_in_a_village_fold_as_the_whole_thing_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(acts_at_the_township_fold_as_the_whole_thing_does, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_number_given_by_the_hub_is_noted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
