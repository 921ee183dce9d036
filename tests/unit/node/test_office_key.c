#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/office_key.h"
#include "node/views/views.h"
#include "tests/support/township.h"

static struct township town;
static struct township_node node;
static struct device_keys keys;
static struct box_key office;
static struct box_secret secret;
static char body[1024];

/* The keys of a second hub, which the authority enrols with `given` as the office's secret. */
static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.hub);
    township_signer(&keys.signer, 77);
    box_pair_make(&keys.transport, &keys.transport_secret);
    box_pair_make(&office, &secret);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const char *hex(char *out, const uint8_t *bytes, size_t size)
{
    hex_encode(out, bytes, size);
    return out;
}

static void enrol(const struct box_key *transport, const void *given, size_t size)
{
    char key[65], box[65], sealed_hex[256];
    struct buf sealed = {0};
    assert_int_equal(crypto_seal(&sealed, transport, slice_of(given, size)), OK);
    snprintf(body, sizeof body,
             "{\"key\":\"%s\",\"transport\":\"%s\",\"name\":\"hub 2\",\"roles\":508,"
             "\"letter\":\"B\",\"office_secret\":\"%s\"}",
             hex(key, keys.signer.key.bytes, 32), hex(box, keys.transport.bytes, 32),
             hex(sealed_hex, sealed.data, sealed.size));
    buf_clear(&sealed);
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "device.enrol", .body = body});
    township_node_take_all(&node, &town);
}

/* By the roster as it is, but with this office key. */
static enum err open_key(struct box_secret *out)
{
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    struct roster own = *roster;
    own.office = office;
    enum err err = office_key_open(t, &own, &keys, out);
    txn_abort(t);
    return err;
}

static void a_hub_that_was_given_it_opens_it(void **state)
{
    (void)state;
    struct box_secret opened;
    enrol(&keys.transport, secret.bytes, sizeof secret.bytes);
    assert_int_equal(open_key(&opened), OK);
    assert_memory_equal(opened.bytes, secret.bytes, sizeof secret.bytes);
}

static void a_device_that_was_not_given_it_has_none(void **state)
{
    (void)state;
    struct box_secret opened;
    township_node_take_all(&node, &town);
    assert_int_equal(open_key(&opened), ERR_NOT_FOUND); /* not in the roster */
    keys.signer = town.hub.signer;                      /* enrolled without one */
    assert_int_equal(open_key(&opened), ERR_NOT_FOUND);
}

static void refuses_a_secret_that_is_not_the_offices(void **state)
{
    (void)state;
    struct box_secret opened, other;
    struct box_key other_key;
    box_pair_make(&other_key, &other);
    enrol(&keys.transport, other.bytes, sizeof other.bytes);
    assert_int_equal(open_key(&opened), ERR_CORRUPT);
}

static void refuses_one_that_was_sealed_to_another_device(void **state)
{
    (void)state;
    struct box_secret opened, other;
    struct box_key other_key;
    box_pair_make(&other_key, &other);
    enrol(&other_key, secret.bytes, sizeof secret.bytes);
    assert_int_equal(open_key(&opened), ERR_CORRUPT);
}

/* --- handed over by the hub ---------------------------------------------------------------- */

static struct device_keys join_pc(uint32_t roles, char letter)
{
    struct device_keys pc;
    box_pair_make(&pc.transport, &pc.transport_secret);
    town.transport = &pc.transport;
    pc.signer = township_join(&town, "", roles, letter)->signer;
    town.transport = NULL;
    township_node_take_all(&node, &town);
    return pc;
}

static enum err open_as(const struct device_keys *pc, struct box_secret *out)
{
    const struct device_keys hub = keys;
    keys = *pc;
    enum err err = open_key(out);
    keys = hub;
    return err;
}

/* At the hub, by the roster as it is but with this office key. How many were given it. */
static unsigned hand_over(void)
{
    const struct clock_reading clock = {.wall_ms = town.time_ms, .trusted = true};
    const struct recorder_options options = {
        .store = node.store, .views = node.views, .signer = &town.hub.signer};
    struct recorder *recorder;
    const struct roster *roster;
    unsigned given;
    assert_int_equal(recorder_open(&recorder, &options), OK);
    assert_int_equal(recorder_begin(recorder, &clock), OK);
    assert_int_equal(views_roster(node.views, recorder_txn(recorder), &roster), OK);
    struct roster own = *roster;
    own.office = office;
    assert_int_equal(office_key_give(recorder, &own, &keys, &given), OK);
    assert_null(office_key_lacking(recorder_txn(recorder), &own));
    assert_int_equal(recorder_commit(recorder), OK);
    recorder_close(recorder);
    return given;
}

static void an_office_pc_opens_what_the_hub_gave_it(void **state)
{
    (void)state;
    struct box_secret opened;
    enrol(&keys.transport, secret.bytes, sizeof secret.bytes);
    const struct device_keys pc = join_pc(ROLE_DISPATCH, 'C');
    assert_int_equal(open_as(&pc, &opened), ERR_NOT_FOUND);
    assert_int_equal(hand_over(), 1);
    assert_int_equal(open_as(&pc, &opened), OK);
    assert_memory_equal(opened.bytes, secret.bytes, sizeof secret.bytes);
    assert_int_equal(hand_over(), 0); /* once */
}

static void only_who_may_open_sealed_records_is_given_it(void **state)
{
    (void)state;
    struct box_secret opened;
    enrol(&keys.transport, secret.bytes, sizeof secret.bytes);
    const struct device_keys mirror = join_pc(ROLE_MIRROR, 'C'),
                             finance = join_pc(ROLE_FINANCE, 'D');
    struct device_keys village = {.signer = town.devices[0].signer};
    box_pair_make(&village.transport, &village.transport_secret);
    assert_int_equal(hand_over(), 0);
    assert_int_equal(open_as(&mirror, &opened), ERR_NOT_FOUND);
    assert_int_equal(open_as(&finance, &opened), ERR_NOT_FOUND);
    assert_int_equal(open_as(&village, &opened), ERR_NOT_FOUND);
}

/* After a change of the office key what was given before says nothing. */
static void another_office_key_is_given_anew(void **state)
{
    (void)state;
    struct box_secret opened;
    const struct box_secret first = secret;
    enrol(&keys.transport, secret.bytes, sizeof secret.bytes);
    const struct device_keys pc = join_pc(ROLE_OFFICE, 'C');
    assert_int_equal(hand_over(), 1);
    box_pair_make(&office, &secret);
    township_signer(&keys.signer, 78);
    enrol(&keys.transport, secret.bytes, sizeof secret.bytes);
    assert_int_equal(open_as(&pc, &opened), ERR_NOT_FOUND);
    assert_int_equal(hand_over(), 1);
    assert_int_equal(open_as(&pc, &opened), OK);
    assert_memory_equal(opened.bytes, secret.bytes, sizeof secret.bytes);
    assert_memory_not_equal(opened.bytes, first.bytes, sizeof first.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_hub_that_was_given_it_opens_it),
        TEST(a_device_that_was_not_given_it_has_none),
        TEST(refuses_a_secret_that_is_not_the_offices),
        TEST(refuses_one_that_was_sealed_to_another_device),
        TEST(an_office_pc_opens_what_the_hub_gave_it),
        TEST(only_who_may_open_sealed_records_is_given_it),
        TEST(another_office_key_is_given_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
