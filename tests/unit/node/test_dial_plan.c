#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/dial_plan.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <string.h>

/* The founding hub, two standbys, a laptop. */
static struct township town;
static struct township_node node;
static struct township_device *standby, *third;

static void listens(const struct township_device *d, const char *addresses)
{
    char body[256];
    snprintf(body, sizeof body, "{\"addresses\":[%s]}", addresses);
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.listens",
                                           .scope = "town",
                                           .subject = &d->thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = body});
}

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 1);
    standby = township_join(&town, "", ROLE_HUB | ROLE_DISPATCH, 'C');
    third = township_join(&town, "", ROLE_HUB, 'D');
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void open_at(const struct township_device *self)
{
    township_node_open(&node, &town, self);
    township_node_take_all(&node, &town);
}

static struct dial_plan plan(const char *first, const char *second)
{
    const char *given[] = {first, second};
    struct dial_plan out;
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    dial_plan_make(&out, t, roster, given, second ? 2 : first ? 1 : 0);
    assert_int_equal(txn_error(t), OK);
    txn_abort(t);
    return out;
}

static void expects(const struct dial_plan *p, size_t i, const char *address,
                    const struct township_device *hub)
{
    assert_true(i < p->count);
    assert_string_equal(p->places[i].address, address);
    assert_memory_equal(&p->places[i].device, &hub->signer.key, sizeof hub->signer.key);
    assert_memory_equal(&p->places[i].transport, &hub->transport, sizeof hub->transport);
}

static bool was_before(const struct township_device *a, const struct township_device *b)
{
    return memcmp(&a->thing, &b->thing, sizeof a->thing) < 0;
}

static void the_configured_come_first_then_the_rosters_each_once(void **state)
{
    (void)state;
    listens(standby, "\"tcp://10.8.0.2:7300\",\"nonsense\",\"tcp://10.8.0.3:7300\"");
    open_at(&town.devices[0]);
    struct dial_plan p = plan("tcp://10.8.0.1:7300", "tcp://10.8.0.3:7300");
    assert_int_equal(p.count, 3);
    expects(&p, 0, "tcp://10.8.0.1:7300", &town.hub); /* who let it in */
    expects(&p, 1, "tcp://10.8.0.3:7300", standby);   /* as the roster says */
    expects(&p, 2, "tcp://10.8.0.2:7300", standby);
    assert_false(p.nobody);
}

static void without_any_address_there_is_nowhere_but_somebody(void **state)
{
    (void)state;
    open_at(&town.devices[0]);
    struct dial_plan p = plan(NULL, NULL);
    assert_int_equal(p.count, 0);
    assert_false(p.nobody);
}

/* So no two dial each other. */
static void a_hub_dials_those_that_were_there_before_it(void **state)
{
    (void)state;
    struct township_device *all[] = {&town.hub, standby, third};
    for (size_t i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof text, "\"tcp://10.8.0.%zu:7300\"", i + 1);
        listens(all[i], text);
    }
    for (size_t i = 0; i < 3; i++) {
        size_t before = 0;
        open_at(all[i]);
        struct dial_plan p = plan(NULL, NULL);
        for (size_t k = 0; k < 3; k++) {
            if (k == i || !was_before(all[k], all[i])) continue;
            bool found = false;
            for (size_t n = 0; n < p.count; n++)
                found |= sign_key_equal(&p.places[n].device, &all[k]->signer.key);
            assert_true(found);
            before++;
        }
        assert_int_equal(p.count, before);
        assert_int_equal(p.nobody, before == 0);
        if (i < 2) township_node_close(&node);
    }
}

static void who_was_revoked_is_dialled_no_more(void **state)
{
    (void)state;
    listens(standby, "\"tcp://10.8.0.2:7300\"");
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .scope = "town",
                                           .subject = &standby->thing,
                                           .depth = 3,
                                           .seen = 3,
                                           .body = "{\"reason\":\"stolen\",\"heads\":[]}"});
    open_at(&town.devices[0]);
    assert_int_equal(plan(NULL, NULL).count, 0);
    struct dial_plan p = plan("tcp://10.8.0.2:7300", NULL);
    assert_int_equal(p.count, 1);
    expects(&p, 0, "tcp://10.8.0.2:7300", &town.hub);
}

/* Who has just joined knows its hub by the invite alone. */
static void without_a_roster_the_invite_says_who_it_is(void **state)
{
    (void)state;
    struct txn *t;
    township_node_open(&node, &town, &town.devices[0]);
    assert_true(plan("tcp://10.8.0.1:7300", NULL).nobody);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    meta_put(t, "hub_device", slice_of(standby->signer.key.bytes, 32));
    meta_put(t, "hub_transport", slice_of(standby->transport.bytes, 32));
    assert_int_equal(txn_commit(t), OK);
    struct dial_plan p = plan("tcp://10.8.0.1:7300", NULL);
    assert_int_equal(p.count, 1);
    expects(&p, 0, "tcp://10.8.0.1:7300", standby);
}

static void what_has_no_room_is_left_out(void **state)
{
    (void)state;
    struct township_device *hubs[] = {&town.hub, standby, third,
                                      township_join(&town, "", ROLE_HUB, 'E')};
    for (unsigned i = 0; i < 4; i++) {
        char text[160] = "";
        for (unsigned k = 0; k < 4; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s\"tcp://10.8.%u.%u:7300\"",
                     k ? "," : "", i, k);
        listens(hubs[i], text);
    }
    open_at(&town.devices[0]);
    struct dial_plan p = plan("tcp://10.9.0.1:7300", "tcp://10.9.0.2:7300");
    assert_int_equal(p.count, DIAL_PLACES_MAX); /* of 18 */
    expects(&p, 0, "tcp://10.9.0.1:7300", &town.hub);
    expects(&p, 1, "tcp://10.9.0.2:7300", &town.hub);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_configured_come_first_then_the_rosters_each_once),
        CASE(without_any_address_there_is_nowhere_but_somebody),
        CASE(a_hub_dials_those_that_were_there_before_it),
        CASE(who_was_revoked_is_dialled_no_more),
        CASE(without_a_roster_the_invite_says_who_it_is),
        CASE(what_has_no_room_is_left_out),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
