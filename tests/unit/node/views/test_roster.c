#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/township.h"

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 3);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const struct roster *roster_of(struct txn **t)
{
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, t), OK);
    assert_int_equal(views_roster(node.views, *t, &roster), OK);
    return roster;
}

static void reads_the_township_its_villages_and_devices(void **state)
{
    (void)state;
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_true(r->founded);
    assert_string_equal(r->township_name, "琅塘镇");
    assert_int_equal(r->village_count, 3);
    assert_int_equal(r->device_count, 4);
    const struct village *village = roster_village(r, "431322111202");
    assert_non_null(village);
    assert_int_equal(village->number, 2);
    assert_null(roster_village(r, "431322111999"));

    const struct device *hub = roster_hub(r);
    assert_non_null(hub);
    assert_true(sign_key_equal(&hub->key, &town.hub.signer.key));
    assert_true(device_is_township(hub));
    const struct device *d = roster_device(r, &town.devices[1].signer.key);
    assert_non_null(d);
    assert_int_equal(d->state, DEVICE_JOINED);
    assert_string_equal(d->village, "431322111202");
    assert_int_equal(d->letter, 'A');
    assert_ptr_equal(roster_transport(r, &town.devices[1].transport), d);
    txn_abort(t);
}

static void a_village_is_renamed_and_closed_for_good(void **state)
{
    (void)state;
    const struct event *e = NULL;
    for (size_t i = 0; i < town.event_count && !e; i++)
        if (slice_is_text(town.events[i]->kind, "village.put")) e = town.events[i];
    assert_non_null(e);
    struct township_act act = {.kind = "village.renamed", .subject = &e->subject, .depth = 1};
    act.seen = 1;
    act.body = "{\"name\":\"新村村委会\",\"short_name\":\"新村\",\"pinyin\":\"Xincun\"}";
    township_record(&town, &town.authority, &act);
    township_record(&town, &town.hub, &act); /* no right to it */
    act.kind = "village.closed";
    act.depth = act.seen = 2;
    act.body = "{\"reason\":\"并村\"}";
    township_record(&town, &town.authority, &act);
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    const struct village *village = roster_village(r, "431322111201");
    assert_string_equal(village->name, "新村村委会");
    assert_string_equal(village->short_name, "新村");
    assert_string_equal(village->pinyin, "Xincun");
    assert_int_equal(village->number, 1);
    assert_true(village->closed);
    assert_false(roster_village(r, "431322111202")->closed);
    const struct scope scope = scope_of_village("431322111201");
    assert_true(
        roster_may_author(r, &town.devices[0].signer.key, &scope)); /* what is open is done */
    txn_abort(t);
}

static void knows_no_stranger(void **state)
{
    (void)state;
    township_node_take_all(&node, &town);
    struct txn *t;
    struct signer stranger;
    static const struct box_key no_transport;
    static const struct sign_key no_key;
    const struct roster *r = roster_of(&t);
    township_signer(&stranger, 9999);
    assert_null(roster_device(r, &stranger.key));
    assert_null(roster_device(r, &no_key));
    assert_null(roster_invite(r, &no_key));
    assert_null(roster_transport(r, &no_transport));
    assert_int_equal(roster_roles(r, &stranger.key), 0);
    struct scope scope = scope_town();
    assert_false(roster_may_author(r, &stranger.key, &scope));
    txn_abort(t);
}

static void lets_each_device_hold_and_author_only_its_scopes(void **state)
{
    (void)state;
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    struct scope all = scope_town(), office = scope_office();
    struct scope own = scope_of_village("431322111201"), other = scope_of_village("431322111202");
    const struct sign_key *key = &town.devices[0].signer.key;
    const struct device *d = roster_device(r, key), *hub = roster_hub(r);
    assert_true(device_may_hold(d, &all) && device_may_hold(d, &own));
    assert_false(device_may_hold(d, &other) || device_may_hold(d, &office));
    assert_true(device_may_hold(hub, &other) && device_may_hold(hub, &office));
    assert_true(roster_may_author(r, key, &all) && roster_may_author(r, key, &own));
    assert_true(roster_may_author(r, key, &office));
    assert_false(roster_may_author(r, key, &other));
    assert_true(roster_may_author(r, &hub->key, &other));
    assert_true(roster_may_author(r, &r->township, &all));
    assert_false(roster_may_author(r, &r->township, &own));
    assert_int_equal(roster_roles(r, &r->township), ROLE_AUTHORITY);
    assert_int_equal(roster_roles(r, key), ROLE_VILLAGE);
    txn_abort(t);
}

static void a_mirror_authors_nothing(void **state)
{
    (void)state;
    struct township_device *mirror = township_join(&town, "", ROLE_MIRROR, 'B');
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    struct scope all = scope_town();
    assert_non_null(roster_device(r, &mirror->signer.key));
    assert_false(roster_may_author(r, &mirror->signer.key, &all));
    assert_true(device_may_hold(roster_device(r, &mirror->signer.key), &all));
    txn_abort(t);
}

static void gives_a_village_device_no_role_of_the_township(void **state)
{
    (void)state;
    struct township_device *d =
        township_join(&town, "431322111201", ROLE_VILLAGE | ROLE_HUB | ROLE_AUTHORITY, 'B');
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_int_equal(roster_roles(r, &d->signer.key), ROLE_VILLAGE);
    txn_abort(t);
}

static void admits_an_open_invite_until_it_expires_or_is_used(void **state)
{
    (void)state;
    struct signer invite, laptop;
    struct txn *t;
    township_signer(&invite, 500);
    township_signer(&laptop, 501);
    struct box_key transport;
    memcpy(transport.bytes, invite.key.bytes, 32);
    const struct event *e =
        township_invite(&town, &invite, &town.hub.signer.key, "431322111203", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    const struct roster *r = roster_of(&t);
    assert_non_null(roster_invite(r, &invite.key));
    assert_non_null(roster_invite_transport(r, &transport, 1794999999999));
    assert_null(roster_invite_transport(r, &transport, 1795000000000));
    assert_null(roster_transport(r, &transport));
    txn_abort(t);

    township_accept(&town, &town.hub, &invite, &laptop, &e->subject, 1, 1);
    township_node_take_all(&node, &town);
    r = roster_of(&t);
    assert_non_null(roster_invite_transport(r, &transport, 1)); /* a second use is to be seen */
    assert_int_equal(roster_device(r, &laptop.key)->state, DEVICE_JOINED);
    assert_false(roster_invite(r, &invite.key)->stolen);
    txn_abort(t);
}

static void shows_a_second_use_of_an_invite_as_stolen(void **state)
{
    (void)state;
    struct signer invite, thief;
    township_signer(&invite, 1000); /* of devices[0] */
    township_signer(&thief, 600);
    township_accept(&town, &town.hub, &invite, &thief, &town.devices[0].thing, 2, 2);
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    const struct box_key transport = roster_invite(r, &invite.key)->invite_transport;
    assert_null(roster_invite_transport(r, &transport, 1)); /* it is known: nobody else comes in */
    assert_null(roster_device(r, &thief.key));
    assert_true(roster_device(r, &town.devices[0].signer.key)->stolen);
    assert_false(roster_device(r, &town.devices[1].signer.key)->stolen);
    txn_abort(t);
}

static void the_same_join_twice_is_one_device_and_no_theft(void **state)
{
    (void)state;
    struct signer invite;
    township_signer(&invite, 1000);
    township_accept(&town, &town.hub, &invite, &town.devices[0].signer, &town.devices[0].thing, 2,
                    2);
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_false(roster_device(r, &town.devices[0].signer.key)->stolen);
    txn_abort(t);
}

static void refuses_a_join_by_another_hub_or_with_a_foreign_signature(void **state)
{
    (void)state;
    struct signer invite, wrong, laptop;
    township_signer(&invite, 700);
    township_signer(&wrong, 701);
    township_signer(&laptop, 702);
    struct township_device *second = township_join(&town, "", ROLE_HUB, 'B');
    const struct event *e =
        township_invite(&town, &invite, &town.hub.signer.key, "431322111203", ROLE_VILLAGE, 'B');
    township_accept(&town, second, &invite, &laptop, &e->subject, 1, 1);
    township_accept(&town, &town.devices[0], &invite, &laptop, &e->subject, 1, 1);
    township_accept(&town, &town.hub, &wrong, &laptop, &e->subject, 1, 1);
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_null(roster_device(r, &laptop.key));
    assert_int_equal(roster_invite(r, &invite.key)->state, DEVICE_INVITED);
    txn_abort(t);
}

static void counts_only_the_authority_that_founded_the_store(void **state)
{
    (void)state;
    struct signer invite;
    township_signer(&invite, 800);
    char body[64] = "{\"reason\":\"lost\"}";
    township_record(&town, &town.hub,
                    &(struct township_act){.kind = "device.revoked",
                                           .subject = &town.devices[0].thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = body});
    township_record(&town, &town.devices[0],
                    &(struct township_act){.kind = "township.founded",
                                           .scope = "town",
                                           .body =
                                               "{\"name\":\"假镇\",\"recovery\":\"00000000000000"
                                               "00000000000000000000000000000000000000000000000"
                                               "000\",\"office\":\"0000000000000000000000000000"
                                               "000000000000000000000000000000000000\"}"});
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_string_equal(r->township_name, "琅塘镇");
    assert_int_equal(roster_device(r, &town.devices[0].signer.key)->state, DEVICE_JOINED);
    txn_abort(t);
}

static void a_revoked_device_keeps_its_acts_and_loses_its_links(void **state)
{
    (void)state;
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .subject = &town.devices[0].thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = "{\"reason\":\"lost\"}"});
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    const struct device *d = roster_device(r, &town.devices[0].signer.key);
    struct scope own = scope_of_village(town.devices[0].village);
    assert_int_equal(d->state, DEVICE_REVOKED);
    assert_int_equal(roster_roles(r, &d->key), ROLE_VILLAGE);
    assert_false(device_may_hold(d, &own));
    assert_null(roster_transport(r, &town.devices[0].transport));
    txn_abort(t);
}

static void revocation_beats_a_join_that_did_not_know_of_it(void **state)
{
    (void)state;
    struct signer invite, laptop;
    township_signer(&invite, 500);
    township_signer(&laptop, 501);
    const struct event *e =
        township_invite(&town, &invite, &town.hub.signer.key, "431322111203", ROLE_VILLAGE, 'B');
    township_accept(&town, &town.hub, &invite, &laptop, &e->subject, 1, 1);
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .subject = &e->subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = "{\"reason\":\"lost\"}"});
    township_node_take_all(&node, &town);
    struct txn *t;
    const struct roster *r = roster_of(&t);
    assert_int_equal(roster_invite(r, &invite.key)->state, DEVICE_REVOKED);
    assert_null(roster_transport(r, &roster_invite(r, &invite.key)->transport));
    /* what it did until then keeps its author */
    assert_int_equal(roster_roles(r, &laptop.key), ROLE_VILLAGE);
    txn_abort(t);
}

static void its_version_changes_with_every_change(void **state)
{
    (void)state;
    struct txn *t;
    township_node_take(&node, town.events, town.event_count);
    struct hash before = roster_of(&t)->version;
    txn_abort(t);
    township_join(&town, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    assert_false(hash_equal(&before, &roster_of(&t)->version));
    txn_abort(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_the_township_its_villages_and_devices),
        TEST(a_village_is_renamed_and_closed_for_good),
        TEST(knows_no_stranger),
        TEST(lets_each_device_hold_and_author_only_its_scopes),
        TEST(a_mirror_authors_nothing),
        TEST(gives_a_village_device_no_role_of_the_township),
        TEST(admits_an_open_invite_until_it_expires_or_is_used),
        TEST(shows_a_second_use_of_an_invite_as_stolen),
        TEST(the_same_join_twice_is_one_device_and_no_theft),
        TEST(refuses_a_join_by_another_hub_or_with_a_foreign_signature),
        TEST(counts_only_the_authority_that_founded_the_store),
        TEST(a_revoked_device_keeps_its_acts_and_loses_its_links),
        TEST(revocation_beats_a_join_that_did_not_know_of_it),
        TEST(its_version_changes_with_every_change),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
