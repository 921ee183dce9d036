#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/neighbour_plan.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <string.h>

/* A hub, laptops 1A and 1B of village 1, 2A of village 2, a desk of the township, and a standby. */
static struct township town;
static struct township_node node;
static struct txn *txn;
static const struct roster *roster;
static struct township_device *second, *desk;

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    second = township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    desk = township_join(&town, "", ROLE_DISPATCH, 'C');
    township_join(&town, "", ROLE_HUB | ROLE_DISPATCH, 'D');
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    if (txn_begin(node.store, false, &txn)) return -1;
    return views_roster(node.views, txn, &roster) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    txn_abort(txn);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const struct sign_key nobody;

static const struct device *as(const struct township_device *d)
{
    return roster_device(roster, &d->signer.key);
}

/* Whom the laptop `self` tries at an address so named, in order. */
static size_t tried(const struct device *self, const char *name, const struct sign_key *met,
                    const struct device *out[16])
{
    struct settings_peer peer = {.address = "tcp://192.168.1.7:7300"};
    size_t count = 0;
    snprintf(peer.name, sizeof peer.name, "%s", name);
    for (const struct device *d; (d = neighbour_candidate(roster, self, &peer, met, count));) {
        assert_in_range(count, 0, 15);
        out[count++] = d;
    }
    return count;
}

static void without_a_name_all_are_tried_the_own_village_first(void **state)
{
    (void)state;
    const struct device *out[16];
    assert_int_equal(tried(as(&town.devices[0]), "", &nobody, out), 3);
    assert_ptr_equal(out[0], as(second));
    assert_true((out[1] == as(desk) && out[2] == as(&town.devices[1])) ||
                (out[2] == as(desk) && out[1] == as(&town.devices[1])));
}

static void who_was_met_there_is_tried_first(void **state)
{
    (void)state;
    const struct device *out[16];
    assert_int_equal(tried(as(&town.devices[0]), "", &town.devices[1].signer.key, out), 3);
    assert_ptr_equal(out[0], as(&town.devices[1]));
    assert_ptr_equal(out[1], as(second));
}

static void a_name_means_a_device_or_a_village(void **state)
{
    (void)state;
    const struct device *out[16], *self = as(&town.devices[0]);
    char id[13];
    hex_encode(id, town.devices[1].signer.key.bytes, 6);
    const char *const names[] = {town.devices[1].village, "2号", "2号村委会", id};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(tried(self, names[i], &nobody, out), 1);
        assert_ptr_equal(out[0], as(&town.devices[1]));
    }
    assert_int_equal(tried(self, "1号", &nobody, out), 1); /* not itself */
    assert_ptr_equal(out[0], as(second));
    assert_int_equal(tried(self, "laptop", &nobody, out), 3); /* all are called so here */
    assert_int_equal(tried(self, "3号", &nobody, out), 0);
    id[5] = 0;
    assert_int_equal(tried(self, id, &nobody, out), 0); /* too short to mean one */
}

/* Who was met there and is not meant any more is not tried. */
static void a_name_is_stronger_than_who_was_met(void **state)
{
    (void)state;
    const struct device *out[16];
    assert_int_equal(tried(as(&town.devices[0]), "2号", &second->signer.key, out), 1);
    assert_ptr_equal(out[0], as(&town.devices[1]));
}

static void hubs_have_no_neighbours_and_are_none(void **state)
{
    (void)state;
    const struct device *out[16];
    assert_int_equal(tried(as(&town.hub), "", &nobody, out), 0);
    assert_int_equal(tried(NULL, "", &nobody, out), 0);
    size_t count = tried(as(desk), "", &nobody, out);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) assert_false(device_is_hub(out[i]));
}

static void who_was_revoked_is_tried_no_more(void **state)
{
    const struct device *out[16];
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .scope = "town",
                                           .subject = &second->thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = "{\"reason\":\"lost\",\"heads\":[]}"});
    txn_abort(txn);
    township_node_take(&node, &town.events[town.event_count - 1], 1);
    assert_int_equal(txn_begin(node.store, false, &txn), OK);
    assert_int_equal(views_roster(node.views, txn, &roster), OK);
    assert_int_equal(tried(as(&town.devices[0]), "", &second->signer.key, out), 2);
    (void)state;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_name_all_are_tried_the_own_village_first),
        CASE(who_was_met_there_is_tried_first),
        CASE(a_name_means_a_device_or_a_village),
        CASE(a_name_is_stronger_than_who_was_met),
        CASE(hubs_have_no_neighbours_and_are_none),
        CASE(who_was_revoked_is_tried_no_more),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
