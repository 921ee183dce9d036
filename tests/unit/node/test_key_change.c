#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/key_change.h"
#include "proto/rotation.h"
#include "tests/support/township.h"

static struct township town;
static struct township_node node;
static char folder[] = "/tmp/sidan-keys-XXXXXX";
static struct device_keys keys;
static struct device_pair pairs[2];

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    strcpy(folder, "/tmp/sidan-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(home_make_keys(folder, &keys), OK);
    for (size_t i = 0; i < 2; i++) {
        struct sign_seed seed;
        sign_seed_make(&seed);
        signer_from_seed(&pairs[i].signer, &seed);
        box_pair_make(&pairs[i].transport, &pairs[i].transport_secret);
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[sizeof folder + 16];
    (void)state;
    snprintf(path, sizeof path, "%s/device.key", folder);
    unlink(path);
    rmdir(folder);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

/* The hub says that this is its transport key from now on. */
static const struct event *change_transport(const struct box_key *transport, uint32_t depth)
{
    char body[512], key[65], proof_hex[129];
    struct signature proof;
    const struct rotation r = {.township = town.authority.signer.key,
                               .device = town.hub.thing,
                               .has_transport = true,
                               .transport = *transport};
    rotation_sign(&proof, &r, &town.hub.signer);
    hex_encode(key, transport->bytes, 32);
    hex_encode(proof_hex, proof.bytes, 64);
    snprintf(body, sizeof body, "{\"transport\":\"%s\",\"proof\":\"%s\"}", key, proof_hex);
    return township_record(&town, &town.hub,
                           &(struct township_act){.kind = "device.rotated",
                                                  .scope = "town",
                                                  .subject = &town.hub.thing,
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body});
}

/* The device says that it holds this event. */
static void tell(struct txn *t, const struct township_device *d, const struct event *e)
{
    struct feed_id id;
    struct peer_have have = {.seq = e->seq};
    struct peer_row row = {.device = d->signer.key, .have_count = 1, .have = &have};
    feed_id_of(&id, &e->feed);
    memcpy(have.feed8, id.bytes, sizeof have.feed8);
    memcpy(have.id8, e->id.bytes, sizeof have.id8);
    peer_put(t, &row);
}

static const struct device *hub_of(struct txn *t, const struct roster **r)
{
    assert_int_equal(views_roster(node.views, t, r), OK);
    return roster_hub(*r);
}

static bool serves(const struct box_key *key)
{
    struct txn *t;
    const struct roster *r;
    struct box_key served;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct device *hub = hub_of(t, &r);
    key_change_served(t, r, hub, town.time_ms, &served);
    txn_abort(t);
    return box_key_equal(&served, key);
}

static void a_key_that_no_event_told_of_is_held_and_not_used(void **state)
{
    (void)state;
    struct device_keys read;
    const struct sign_key first = keys.signer.key;
    assert_int_equal(home_add_keys(folder, &keys, &pairs[0]), OK);
    assert_true(sign_key_equal(&keys.signer.key, &first));
    assert_int_equal(home_load_keys(folder, &read), OK);
    assert_int_equal(read.held_count, 2);
    assert_true(sign_key_equal(&read.signer.key, &first));
    assert_non_null(device_keys_signer(&read, &pairs[0].signer.key));
    assert_non_null(device_keys_transport(&read, &pairs[0].transport));
    assert_null(device_keys_signer(&read, &pairs[1].signer.key));
    device_keys_wipe(&read);
}

static void the_newest_key_that_roster_and_file_have_is_used(void **state)
{
    (void)state;
    const struct roster *r;
    struct txn *t;
    keys.signer = town.hub.signer;
    keys.transport = town.hub.transport;
    keys.held_count = 0;
    change_transport(&pairs[0].transport, 1);
    change_transport(&pairs[1].transport, 2); /* by another copy: its secret is not here */
    township_node_take_all(&node, &town);
    assert_int_equal(home_add_keys(folder, &keys, &pairs[0]), OK);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct device *hub = hub_of(t, &r);
    assert_true(device_keys_use(&keys, r, hub));
    assert_true(box_key_equal(&keys.transport, &pairs[0].transport));
    assert_memory_equal(&keys.transport_secret, &pairs[0].transport_secret,
                        sizeof keys.transport_secret);
    assert_true(sign_key_equal(&keys.signer.key, &town.hub.signer.key));
    assert_false(device_keys_use(&keys, r, hub));
    txn_abort(t);
}

static void a_process_that_runs_on_reads_the_file_again(void **state)
{
    (void)state;
    const struct roster *r;
    struct txn *t;
    struct device_keys running = keys;
    bool changed = true;
    change_transport(&pairs[0].transport, 1);
    township_node_take_all(&node, &town);
    assert_int_equal(home_add_keys(folder, &keys, &pairs[0]), OK);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct device *hub = hub_of(t, &r);
    assert_int_equal(key_change_follow(&running, folder, r, hub, &changed), OK);
    assert_true(changed);
    assert_true(box_key_equal(&running.transport, &pairs[0].transport));
    assert_int_equal(key_change_follow(&running, folder, r, hub, &changed), OK);
    assert_false(changed);
    txn_abort(t);
}

static void the_old_key_is_served_until_everybody_was_told(void **state)
{
    (void)state;
    struct txn *t;
    const struct event *e = change_transport(&pairs[0].transport, 1);
    township_node_take_all(&node, &town);
    assert_true(serves(&town.hub.transport));
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    tell(t, &town.devices[0], e);
    assert_int_equal(txn_commit(t), OK);
    assert_true(serves(&town.hub.transport));
    const struct roster *r;
    size_t at = 0;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct device *hub = hub_of(t, &r);
    const struct device *untold = key_change_untold(t, r, hub, town.time_ms, &at);
    assert_non_null(untold);
    assert_true(sign_key_equal(&untold->first, &town.devices[1].signer.key));
    assert_null(key_change_untold(t, r, hub, town.time_ms, &at));
    txn_abort(t);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    tell(t, &town.devices[1], e);
    assert_int_equal(txn_commit(t), OK);
    assert_true(serves(&pairs[0].transport));
}

static void an_open_invite_from_before_holds_the_old_key(void **state)
{
    (void)state;
    struct txn *t;
    struct signer invite;
    township_signer(&invite, 88);
    township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'B');
    const struct event *e = change_transport(&pairs[0].transport, 1);
    township_signer(&invite, 89);
    township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'C');
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    for (size_t i = 0; i < 2; i++) tell(t, &town.devices[i], e);
    assert_int_equal(txn_commit(t), OK);
    assert_true(serves(&town.hub.transport));
    town.time_ms = UINT64_C(1795000000001); /* both have expired */
    assert_true(serves(&pairs[0].transport));
}

/* Who is invited then knows that key alone, and at first the hub has told it nothing. */
static void once_the_new_key_is_served_it_is_for_good(void **state)
{
    (void)state;
    struct signer invite;
    struct txn *t;
    const struct event *e = change_transport(&pairs[0].transport, 1);
    township_node_take_all(&node, &town);
    assert_int_equal(key_change_note_due(node.store, node.views, town.time_ms), OK);
    assert_true(serves(&town.hub.transport)); /* nobody was told: there is nothing to note */
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    for (size_t i = 0; i < 2; i++) tell(t, &town.devices[i], e);
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(key_change_note_due(node.store, node.views, town.time_ms), OK);
    const size_t before = town.event_count;
    township_signer(&invite, 88);
    township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take(&node, town.events + before, town.event_count - before);
    assert_true(serves(&pairs[0].transport));
    const size_t joined = town.event_count;
    (void)township_join(&town, "431322111201", ROLE_VILLAGE, 'C');
    township_node_take(&node, town.events + joined, town.event_count - joined);
    assert_true(serves(&pairs[0].transport));
}

static void an_invite_from_between_holds_the_old_key(void **state)
{
    (void)state;
    struct signer invite;
    struct txn *t;
    const struct event *e = change_transport(&pairs[0].transport, 1);
    township_signer(&invite, 88); /* it names the key that is served now, the old one */
    township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    for (size_t i = 0; i < 2; i++) tell(t, &town.devices[i], e);
    assert_int_equal(txn_commit(t), OK);
    assert_true(serves(&town.hub.transport));
}

static void a_person_may_say_that_nobody_is_waited_for(void **state)
{
    (void)state;
    struct txn *t;
    change_transport(&pairs[0].transport, 1);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    key_change_note(t, &pairs[0].transport);
    assert_int_equal(txn_commit(t), OK);
    assert_true(serves(&pairs[0].transport));
}

static void a_peer_is_dialled_by_both_keys_of_both_sides(void **state)
{
    (void)state;
    struct txn *t;
    const struct roster *r;
    struct dial_keys dial[DIAL_KEYS_MAX];
    change_transport(&pairs[0].transport, 1);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct device *hub = hub_of(t, &r);
    const struct device *village = roster_device(r, &town.devices[0].signer.key);
    keys.transport = village->transport;
    size_t count = key_change_dial(dial, t, r, &hub->first, &hub->transport, village, &keys);
    assert_int_equal(count, 2);
    assert_true(box_key_equal(&dial[0].peer, &pairs[0].transport));
    assert_true(box_key_equal(&dial[1].peer, &town.hub.transport));
    txn_abort(t);
}

int main(void)
{
    if (crypto_init() != OK) return 1;
    const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        TEST(a_key_that_no_event_told_of_is_held_and_not_used),
        TEST(the_newest_key_that_roster_and_file_have_is_used),
        TEST(a_process_that_runs_on_reads_the_file_again),
        TEST(the_old_key_is_served_until_everybody_was_told),
        TEST(an_open_invite_from_before_holds_the_old_key),
        TEST(once_the_new_key_is_served_it_is_for_good),
        TEST(an_invite_from_between_holds_the_old_key),
        TEST(a_person_may_say_that_nobody_is_waited_for),
        TEST(a_peer_is_dialled_by_both_keys_of_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
