/* Who signs for the township, one after the other, and whose keys are whose: folds of the roster's
 * own things, whatever order their events come in. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rotation.h"
#include "tests/support/township.h"

#define NODES 6

static struct township town;
static struct township_node nodes[NODES];
static struct township_device second, second_recovery, third, third_recovery, thief;

static void person(struct township_device *d, unsigned number)
{
    *d = (struct township_device){.roles = 0};
    township_signer(&d->signer, number);
}

/* The same device by another signing key, whose feeds begin anew. */
static struct township_device with_key(const struct township_device *d, unsigned number)
{
    struct township_device renewed = {.roles = d->roles, .thing = d->thing};
    memcpy(renewed.village, d->village, sizeof renewed.village);
    township_signer(&renewed.signer, number);
    return renewed;
}

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    person(&second, 11);
    person(&second_recovery, 12);
    person(&third, 13);
    person(&third_recovery, 14);
    person(&thief, 15);
    for (size_t i = 0; i < NODES; i++) township_node_open(&nodes[i], &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < NODES; i++) township_node_close(&nodes[i]);
    township_end(&town);
    return 0;
}

/* --- what is recorded ---------------------------------------------------------------------- */

static const struct thing_id *township_thing(void)
{
    return &town.events[0]->subject;
}

/* The head of a device's feed in `town`, as `heads` names it. */
static void head_of(char out[128], const struct township_device *d)
{
    const struct township_feed *f = &d->feeds[0];
    struct feed_id id;
    char feed[17], event[33];
    feed_id_of(&id, &f->feed);
    hex_encode(feed, id.bytes, 8);
    hex_encode(event, f->head.bytes, 16);
    snprintf(out, 128, "[{\"$bin\":\"%s\"},%u,{\"$bin\":\"%s\"}]", feed, (unsigned)f->seq, event);
}

static const struct event *replace_naming(struct township_device *by,
                                          const struct township_device *key,
                                          const struct township_device *recovery, uint32_t depth,
                                          const char *heads)
{
    char body[1024], keys[2][65];
    hex_encode(keys[0], key->signer.key.bytes, 32);
    hex_encode(keys[1], recovery->signer.key.bytes, 32);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"recovery\":\"%s\",\"heads\":[%s]}", keys[0],
             keys[1], heads);
    return township_record(&town, by,
                           &(struct township_act){.kind = "authority.replaced",
                                                  .scope = "town",
                                                  .subject = township_thing(),
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body});
}

static const struct event *replace(struct township_device *by, const struct township_device *key,
                                   const struct township_device *recovery, uint32_t depth)
{
    char head[128];
    head_of(head, &town.authority);
    return replace_naming(by, key, recovery, depth, head);
}

static const struct event *change_office(struct township_device *by, uint8_t first, uint32_t depth)
{
    char body[128], key[65];
    hex_encode(key, (struct box_key){{first, 7}}.bytes, 32);
    snprintf(body, sizeof body, "{\"office\":\"%s\"}", key);
    return township_record(&town, by,
                           &(struct township_act){.kind = "office.rotated",
                                                  .scope = "town",
                                                  .subject = township_thing(),
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body});
}

/* `key`, `transport`: NULL where it stays; `prover` signs the proof. */
static const struct event *rotate(struct township_device *by, const struct thing_id *thing,
                                  const struct signer *key, const struct box_key *transport,
                                  const struct signer *prover, uint32_t depth)
{
    char body[1024], parts[3][140] = {"", "", ""};
    struct signature proof;
    struct rotation r = {.township = town.authority.signer.key, .device = *thing};
    r.has_key = key != NULL;
    r.has_transport = transport != NULL;
    if (key) r.key = key->key;
    if (transport) r.transport = *transport;
    rotation_sign(&proof, &r, prover);
    hex_encode(parts[0], r.key.bytes, 32);
    hex_encode(parts[1], r.transport.bytes, 32);
    hex_encode(parts[2], proof.bytes, 64);
    int size = snprintf(body, sizeof body, "{\"proof\":\"%s\"", parts[2]);
    if (key) size += snprintf(body + size, sizeof body - (size_t)size, ",\"key\":\"%s\"", parts[0]);
    if (transport)
        size +=
            snprintf(body + size, sizeof body - (size_t)size, ",\"transport\":\"%s\"", parts[1]);
    snprintf(body + size, sizeof body - (size_t)size, "}");
    return township_record(&town, by,
                           &(struct township_act){.kind = "device.rotated",
                                                  .scope = "town",
                                                  .subject = thing,
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .body = body});
}

/* --- what a node makes of it --------------------------------------------------------------- */

static const struct roster *roster_of(struct township_node *n, struct txn **t)
{
    const struct roster *roster;
    assert_int_equal(txn_begin(n->store, false, t), OK);
    assert_int_equal(views_roster(n->views, *t, &roster), OK);
    return roster;
}

static struct hash digest_of(struct township_node *n)
{
    struct txn *t;
    struct views_digest digest;
    const struct scope scope = scope_town();
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    assert_int_equal(views_digest(t, &scope, &digest), OK);
    txn_abort(t);
    return digest.digest;
}

static enum effect effect_of(struct township_node *n, const struct event *e)
{
    struct txn *t;
    struct history h;
    enum effect effect = EFFECT_EXT;
    uint32_t scope = township_node_scope(n, e->feed.scope.text);
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    assert_int_equal(views_history(n->views, t, scope, &e->subject, &h), OK);
    for (size_t i = 0; i < h.count; i++)
        if (event_id_equal(&h.items[i].event.id, &e->id)) effect = h.items[i].effect;
    history_clear(&h);
    txn_abort(t);
    return effect;
}

/* What a key says that nobody of the roster has. */
static bool stands_aside(struct township_node *n, const struct event *e)
{
    struct txn *t;
    struct feed_row feed;
    uint8_t id8[8];
    memcpy(id8, e->id.bytes, sizeof id8);
    assert_int_equal(txn_begin(n->store, false, &t), OK);
    assert_true(feed_find(t, &e->feed, &feed));
    const bool aside = log_is_aside(t, log_find(t, feed.number, e->seq, id8));
    txn_abort(t);
    return aside;
}

/* The founding first, for nothing is taken before it; then all else, singly and by chance. A feed
 * goes in its own order. */
static void take_by_chance(struct township_node *n, unsigned seed)
{
    struct event **left = calloc(town.event_count, sizeof *left);
    size_t count = 0;
    srandom(seed);
    for (size_t i = 0; i < town.event_count; i++) left[count++] = town.events[i];
    while (count) {
        size_t at = (size_t)random() % count;
        for (size_t i = 0; i < at; i++)
            if (feed_equal(&left[i]->feed, &left[at]->feed)) at = i;
        township_node_take(n, &left[at], 1);
        memmove(&left[at], &left[at + 1], (--count - at) * sizeof *left);
    }
    free(left);
    township_node_settle(n);
}

static void all_agree(void)
{
    township_node_take_all(&nodes[0], &town);
    township_node_settle(&nodes[0]);
    struct hash expected = digest_of(&nodes[0]);
    for (unsigned i = 1; i < NODES; i++) {
        take_by_chance(&nodes[i], i);
        struct hash found = digest_of(&nodes[i]);
        assert_memory_equal(&found, &expected, sizeof found);
    }
}

/* --- the authority ------------------------------------------------------------------------- */

static void the_recovery_key_names_the_next_authority(void **state)
{
    (void)state;
    const struct event *e = replace(&town.recovery, &second, &second_recovery, 1);
    all_agree();
    assert_int_equal(effect_of(&nodes[0], e), EFFECT_COUNTS);
    struct txn *t;
    const struct roster *r = roster_of(&nodes[0], &t);
    assert_int_equal(r->authority_count, 2);
    assert_true(sign_key_equal(&roster_authority(r)->key, &second.signer.key));
    assert_true(sign_key_equal(&roster_authority(r)->recovery, &second_recovery.signer.key));
    assert_true(roster_is_authority(r, &town.authority.signer.key)); /* what it did counts */
    assert_int_equal(roster_roles(r, &second.signer.key), ROLE_AUTHORITY);
    assert_int_equal(roster_roles(r, &town.recovery.signer.key), ROLE_RECOVERY);
    const struct scope all = scope_town(), office = scope_office();
    assert_true(roster_may_author(r, &second_recovery.signer.key, &all));
    assert_false(roster_may_author(r, &second.signer.key, &office));
    assert_int_equal(r->authorities[0].cut_count, 1);
    assert_int_equal(r->cuts[r->authorities[0].cuts_at].seq, town.authority.feeds[0].seq);
    txn_abort(t);
}

static void the_new_authority_invites_and_its_successor_too(void **state)
{
    (void)state;
    char head[128];
    struct signer invite;
    replace(&town.recovery, &second, &second_recovery, 1);
    struct township_device founder = town.authority;
    town.authority = second;
    township_signer(&invite, 77);
    const struct event *invited =
        township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'B');
    head_of(head, &town.authority);
    second = town.authority;
    town.authority = founder;
    replace_naming(&second_recovery, &third, &third_recovery, 2, head);
    all_agree();
    struct txn *t;
    const struct roster *r = roster_of(&nodes[1], &t);
    assert_int_equal(r->authority_count, 3);
    assert_true(sign_key_equal(&roster_authority(r)->key, &third.signer.key));
    assert_non_null(roster_invite(r, &invite.key));
    txn_abort(t);
    assert_int_equal(effect_of(&nodes[1], invited), EFFECT_COUNTS);
}

static void of_two_that_one_recovery_key_names_the_first_stands(void **state)
{
    (void)state;
    const struct event *first = replace(&town.recovery, &second, &second_recovery, 1);
    struct township_device copy = {.signer = town.recovery.signer}; /* the sheet, typed elsewhere */
    const struct event *late = replace(&copy, &third, &third_recovery, 1);
    struct signer invite;
    struct township_device founder = town.authority;
    town.authority = third; /* whom nobody follows */
    township_signer(&invite, 78);
    const struct event *lost =
        township_invite(&town, &invite, &town.hub.signer.key, "431322111201", ROLE_VILLAGE, 'B');
    town.authority = founder;
    all_agree();
    assert_int_equal(effect_of(&nodes[2], first), EFFECT_COUNTS);
    assert_int_equal(effect_of(&nodes[2], late), EFFECT_IMPOSSIBLE);
    assert_true(stands_aside(&nodes[2], lost));
    struct txn *t;
    const struct roster *r = roster_of(&nodes[2], &t);
    assert_int_equal(r->authority_count, 2);
    assert_null(roster_invite(r, &invite.key));
    txn_abort(t);
}

static void nobody_else_replaces_the_authority(void **state)
{
    (void)state;
    char nothing[] = "";
    const struct event *thiefs = replace(&thief, &thief, &third_recovery, 1);
    const struct event *hubs = replace(&town.hub, &thief, &third_recovery, 1);
    const struct event *own = replace(&town.authority, &thief, &third_recovery, 1);
    const struct event *back = replace(&town.recovery, &town.authority, &third_recovery, 1);
    const struct event *same = replace(&town.recovery, &second, &second, 2);
    const struct event *unfounded =
        replace_naming(&town.recovery, &second, &second_recovery, 3, nothing);
    const struct event *good = replace(&town.recovery, &second, &second_recovery, 4);
    all_agree();
    assert_true(stands_aside(&nodes[3], thiefs));
    assert_int_equal(effect_of(&nodes[3], hubs), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[3], own), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[3], back), EFFECT_BAD_FIELD);
    assert_int_equal(effect_of(&nodes[3], same), EFFECT_BAD_FIELD);
    assert_int_equal(effect_of(&nodes[3], unfounded), EFFECT_BAD_FIELD);
    assert_int_equal(effect_of(&nodes[3], good), EFFECT_COUNTS);
}

static void the_office_key_is_changed_by_an_authority_alone(void **state)
{
    (void)state;
    const struct event *first = change_office(&town.authority, 21, 1);
    const struct event *again = change_office(&town.authority, 21, 2);
    const struct event *hubs = change_office(&town.hub, 22, 1);
    const struct event *recoverys = change_office(&town.recovery, 23, 1);
    replace(&town.recovery, &second, &second_recovery, 5);
    const struct event *news = change_office(&second, 24, 6);
    all_agree();
    assert_int_equal(effect_of(&nodes[4], first), EFFECT_COUNTS);
    assert_int_equal(effect_of(&nodes[4], again), EFFECT_IMPOSSIBLE);
    assert_int_equal(effect_of(&nodes[4], hubs), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[4], recoverys), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[4], news), EFFECT_COUNTS);
    struct txn *t;
    const struct roster *r = roster_of(&nodes[4], &t);
    assert_int_equal(r->office.bytes[0], 24);
    assert_int_equal(r->office_earlier_count, 2);
    assert_int_equal(r->offices_earlier[1].bytes[0], 21);
    txn_abort(t);
}

/* --- devices ------------------------------------------------------------------------------- */

static void a_device_changes_its_keys_and_stays_the_same_device(void **state)
{
    (void)state;
    struct township_device *d = &town.devices[0], renewed = with_key(d, 301);
    const struct box_key transports[] = {{{91, 1}}, {{92, 1}}};
    rotate(d, &d->thing, &renewed.signer, NULL, &renewed.signer, 2);
    rotate(&renewed, &d->thing, NULL, &transports[0], &renewed.signer, 3);
    const struct event *old = township_register(&town, d, "01A-0001");
    const struct event *new = township_register(&town, &renewed, "01A-0002");
    all_agree();
    assert_int_equal(effect_of(&nodes[1], old), EFFECT_COUNTS);
    assert_int_equal(effect_of(&nodes[1], new), EFFECT_COUNTS);
    struct txn *t;
    const struct roster *r = roster_of(&nodes[1], &t);
    const struct device *found = roster_device(r, &d->signer.key);
    assert_non_null(found);
    assert_ptr_equal(roster_device(r, &renewed.signer.key), found);
    assert_true(sign_key_equal(&found->first, &d->signer.key));
    assert_true(sign_key_equal(&found->key, &renewed.signer.key));
    assert_ptr_equal(roster_transport(r, &d->transport), found);
    assert_ptr_equal(roster_transport(r, &transports[0]), found);
    assert_int_equal(found->letter, 'A');
    struct sign_key key;
    assert_true(roster_key_at(r, found, 1, &key));
    assert_true(sign_key_equal(&key, &d->signer.key));
    assert_false(roster_key_at(r, found, 2, &key));
    txn_abort(t);

    /* of transport keys the newest two open the door */
    rotate(&renewed, &d->thing, NULL, &transports[1], &renewed.signer, 4);
    township_node_take_all(&nodes[0], &town);
    r = roster_of(&nodes[0], &t);
    assert_null(roster_transport(r, &d->transport));
    assert_non_null(roster_transport(r, &transports[0]));
    assert_non_null(roster_transport(r, &transports[1]));
    txn_abort(t);
}

static void a_new_key_is_taken_from_who_has_it_for_himself_alone(void **state)
{
    (void)state;
    struct township_device *d = &town.devices[0], *other = &town.devices[1];
    struct signer key;
    township_signer(&key, 302);
    const struct event *unproven = rotate(d, &d->thing, &key, NULL, &d->signer, 2);
    const struct event *anothers = rotate(d, &other->thing, &key, NULL, &key, 2);
    const struct event *hubs = rotate(&town.hub, &d->thing, &key, NULL, &key, 2);
    const struct event *nothing = rotate(d, &d->thing, NULL, NULL, &d->signer, 3);
    const struct event *same = rotate(d, &d->thing, &d->signer, NULL, &d->signer, 4);
    all_agree();
    assert_int_equal(effect_of(&nodes[2], unproven), EFFECT_BAD_FIELD);
    assert_int_equal(effect_of(&nodes[2], anothers), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[2], hubs), EFFECT_FORBIDDEN);
    assert_int_equal(effect_of(&nodes[2], nothing), EFFECT_BAD_FIELD);
    assert_int_equal(effect_of(&nodes[2], same), EFFECT_IMPOSSIBLE);
}

/* Two copies of one disk, each of which changed its key. */
static void both_copies_of_a_device_go_on_with_their_keys(void **state)
{
    (void)state;
    struct township_device *d = &town.devices[0], copy = *d;
    struct township_device renewed[2] = {with_key(d, 303), with_key(d, 304)};
    rotate(d, &d->thing, &renewed[0].signer, NULL, &renewed[0].signer, 2);
    rotate(&copy, &d->thing, &renewed[1].signer, NULL, &renewed[1].signer, 2);
    const struct event *one = township_register(&town, &renewed[0], "01A-0001");
    const struct event *two = township_register(&town, &renewed[1], "01A-0002");
    all_agree();
    assert_int_equal(effect_of(&nodes[5], one), EFFECT_COUNTS);
    assert_int_equal(effect_of(&nodes[5], two), EFFECT_COUNTS);
}

int main(void)
{
    if (crypto_init() != OK) return 1;
    const struct CMUnitTest tests[] = {
#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        STORY(the_recovery_key_names_the_next_authority),
        STORY(the_new_authority_invites_and_its_successor_too),
        STORY(of_two_that_one_recovery_key_names_the_first_stands),
        STORY(nobody_else_replaces_the_authority),
        STORY(the_office_key_is_changed_by_an_authority_alone),
        STORY(a_device_changes_its_keys_and_stays_the_same_device),
        STORY(a_new_key_is_taken_from_who_has_it_for_himself_alone),
        STORY(both_copies_of_a_device_go_on_with_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
