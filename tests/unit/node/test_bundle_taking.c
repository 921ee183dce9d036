#define _GNU_SOURCE /* memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "node/store/local.h"
#include "node/towns.h"
#include "tests/support/store.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VILLAGES = 3, FRAMES_MAX = 64 };

static struct township town;
static struct township_node hub, laptop;
static struct device_keys hub_keys, laptop_keys, enemy_keys;
static struct box_key transport;
static struct slice frames[FRAMES_MAX]; /* of the bundle that was read apart last; owned */
static size_t frame_count;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    box_pair_make(&transport, &laptop_keys.transport_secret);
    laptop_keys.transport = transport;
    town.transport = NULL;
    township_begin(&town, VILLAGES);
    town.transport = &transport;
    struct township_device *d = township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    laptop_keys.signer = d->signer;
    hub_keys.signer = town.hub.signer;
    enemy_keys.signer = town.devices[1].signer;
    township_node_open(&hub, &town, &town.hub);
    township_node_open(&laptop, &town, d);
    for (unsigned i = 1; i <= 5; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i);
        township_register(&town, &town.devices[0], number);
        township_register(&town, &town.devices[1], number);
    }
    township_node_take_all(&hub, &town);
    return 0;
}

static void forget_frames(void)
{
    for (size_t i = 0; i < frame_count; i++) free((void *)(uintptr_t)frames[i].data);
    frame_count = 0;
}

static int tear_down(void **state)
{
    (void)state;
    forget_frames();
    township_node_close(&hub);
    township_node_close(&laptop);
    township_end(&town);
    return 0;
}

static int file_new(void)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* From the hub to the laptop, at this time. */
static int made_at(uint64_t wall_ms)
{
    int fd = file_new();
    struct bundle_made made;
    const struct bundle_making making = {.store = hub.store,
                                         .views = hub.views,
                                         .keys = &hub_keys,
                                         .wall_ms = wall_ms,
                                         .to = laptop_keys.signer.key,
                                         .read_back = true};
    assert_int_equal(bundle_make(fd, &making, &made), OK);
    assert_int_equal(made.left, 0);
    return fd;
}

static struct bundle_taken take_or_look(int fd, bool look)
{
    struct bundle_taken taken;
    const struct bundle_taking taking = {.store = laptop.store,
                                         .views = laptop.views,
                                         .keys = &laptop_keys,
                                         .wall_ms = 5000,
                                         .look = look};
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(bundle_take(fd, &taking, &taken), OK);
    return taken;
}

static struct bundle_taken take(int fd)
{
    return take_or_look(fd, false);
}

static struct bundle_taken take_and_close(int fd)
{
    struct bundle_taken taken = take(fd);
    close(fd);
    return taken;
}

static void take_apart(int fd)
{
    const struct bundle_key key = {&laptop_keys.transport, &laptop_keys.transport_secret};
    struct bundle_reader *r;
    struct bundle_head head;
    struct slice hello, frame;
    forget_frames();
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(bundle_open(&r, fd, &key, 1, &head, &hello), OK);
    for (bool end = false; !end;) {
        assert_int_equal(bundle_next(r, &frame, &end), OK);
        if (end) break;
        uint8_t *copy = malloc(frame.size);
        assert_true(copy && frame_count < FRAMES_MAX);
        memcpy(copy, frame.data, frame.size);
        frames[frame_count++] = slice_of(copy, frame.size);
    }
    bundle_reader_close(r);
}

struct forged {
    const struct signer *signer;
    struct sign_key from;
    uint64_t number;
    uint8_t generation[8];
    const struct have_entry *have;
    size_t have_count;
    bool backwards;
};
/* The frames of the bundle that was taken apart, in one that this signer made. */
static int forge(const struct forged *f)
{
    struct bundle_writer *w;
    struct buf hello = {0};
    uint64_t size;
    int fd = file_new();
    struct bundle_head head = {.township = town.authority.signer.key,
                               .from = f->from,
                               .to = laptop_keys.signer.key,
                               .number = f->number};
    struct frame_hello h = {.protocol_min = 1, .protocol_max = 1, .have_count = f->have_count};
    memcpy(h.generation, f->generation, sizeof h.generation);
    frame_hello_write(&hello, &h, f->have);
    assert_int_equal(bundle_begin(&w, fd, &transport, &head, buf_slice(&hello), f->signer), OK);
    for (size_t i = 0; i < frame_count; i++)
        assert_int_equal(bundle_put(w, frames[f->backwards ? frame_count - 1 - i : i]), OK);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    buf_clear(&hello);
    return fd;
}

/* The highest number that this device is known to hold of any feed; 0: nothing is known of it. */
static uint64_t have_of(const struct sign_key *device, size_t *count)
{
    struct txn *t;
    struct peer_row row;
    uint64_t seq = 0;
    *count = 0;
    assert_int_equal(txn_begin(laptop.store, false, &t), OK);
    if (peer_get(t, device, &row)) {
        *count = row.have_count;
        for (size_t i = 0; i < row.have_count; i++)
            if (row.have[i].seq > seq) seq = row.have[i].seq;
        peer_row_clear(&row);
    }
    txn_abort(t);
    return seq;
}

/* --- */

/* Judged when all runs are taken, so also what stands before them; of two that cannot both be true
 * both are kept, and the second file brings the proof. */
static void what_hubs_signed_goes_along(void **state)
{
    (void)state;
    struct town_kept k, a, b;
    struct txn *t;
    assert_int_equal(txn_begin(hub.store, true, &t), OK);
    assert_int_equal(towns_sign(hub.views, t, &hub_keys, 100), OK);
    assert_int_equal(txn_commit(t), OK);
    assert_false(take_and_close(made_at(1000)).two_faces);
    assert_int_equal(txn_begin(laptop.store, false, &t), OK);
    assert_true(towns_get(t, &town.hub.signer.key, (uint8_t[8]){1}, &k));
    txn_abort(t);
    assert_int_equal(k.state.number, 100);
    /* the hub's other face: the same number over one head less */
    struct town_kept other = k;
    other.count--;
    town_digest(&other.state.digest, other.heads, other.count);
    assert_int_equal(town_sign(&other.state, &town.authority.signer.key, &hub_keys.signer), OK);
    assert_int_equal(txn_begin(hub.store, true, &t), OK);
    towns_put(t, &other);
    assert_int_equal(txn_commit(t), OK);
    assert_true(take_and_close(made_at(2000)).two_faces);
    assert_false(take_and_close(made_at(3000)).two_faces); /* nothing new */
    assert_int_equal(txn_begin(laptop.store, false, &t), OK);
    assert_true(towns_split_get(t, &town.hub.signer.key, &a, &b));
    txn_abort(t);
    assert_int_equal(a.count, b.count + 1);
    town_kept_clear(&a);
    town_kept_clear(&b);
    town_kept_clear(&k);
}

static void what_is_for_the_village_comes_once(void **state)
{
    (void)state;
    int fd = made_at(1000);
    struct bundle_taken taken = take(fd);
    assert_true(taken.verified && !taken.damaged);
    assert_true(taken.refused == 0 && taken.known == 0);
    assert_int_equal(test_events_held(laptop.store), taken.fresh);
    /* the roster, and of the requests those of its village alone */
    assert_int_equal(taken.fresh, town.event_count - 5);
    taken = take(fd);
    assert_int_equal(taken.fresh, 0);
    assert_int_equal(taken.known, town.event_count - 5);
    close(fd);
}

static void same(const struct bundle_taken *a, const struct bundle_taken *b)
{
    assert_int_equal(a->fresh, b->fresh);
    assert_int_equal(a->known, b->known);
    assert_int_equal(a->refused, b->refused);
    assert_int_equal(a->bytes, b->bytes);
    assert_true(a->verified && b->verified && !a->damaged && !b->damaged);
}

static void looking_says_what_taking_would(void **state)
{
    (void)state;
    /* more than one run of the village's, each after the one before */
    for (unsigned i = 6; i <= 4500; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i);
        township_register(&town, &town.devices[0], number);
    }
    township_node_take_all(&hub, &town);
    int fd = made_at(1000);
    const struct bundle_taken looked = take_or_look(fd, true);
    assert_int_equal(test_events_held(laptop.store), 0);
    struct bundle_taken taken = take(fd);
    same(&looked, &taken);
    assert_int_equal(taken.fresh, test_events_held(laptop.store));
    const struct bundle_taken again = take_or_look(fd, true);
    taken = take(fd);
    same(&again, &taken);
    assert_int_equal(again.fresh, 0);
    close(fd);
}

static void runs_wait_for_what_makes_their_authors_known(void **state)
{
    (void)state;
    int fd = made_at(1000);
    take_apart(fd);
    const struct forged f = {
        .signer = &hub_keys.signer, .from = hub_keys.signer.key, .number = 7, .backwards = true};
    int other = forge(&f);
    struct bundle_taken taken = take(other);
    assert_true(taken.verified && taken.refused == 0);
    assert_int_equal(taken.fresh, town.event_count - 5);
    close(other);
    close(fd);
}

static void runs_of_nobody_known_are_refused_in_the_end(void **state)
{
    (void)state;
    int fd = made_at(1000);
    take_apart(fd);
    const struct slice last = frames[frame_count - 1]; /* the village's; its authors are before */
    for (size_t i = 0; i + 1 < frame_count; i++) free((void *)(uintptr_t)frames[i].data);
    frames[0] = last;
    frame_count = 1;
    const struct forged f = {.signer = &hub_keys.signer, .from = hub_keys.signer.key, .number = 7};
    int other = forge(&f);
    struct bundle_taken taken = take(other);
    assert_true(taken.refused == 5 && taken.fresh == 0 && taken.refused_named);
    assert_int_equal(taken.why, ERR_UNKNOWN_AUTHOR);
    assert_int_equal(test_events_held(laptop.store), 0);
    close(other);
    close(fd);
}

static void a_village_brings_nothing_of_anothers(void **state)
{
    (void)state;
    int fd = made_at(1000);
    take_apart(fd);
    const struct forged f = {
        .signer = &enemy_keys.signer, .from = enemy_keys.signer.key, .number = 7};
    int other = forge(&f);
    struct bundle_taken taken = take(other);
    assert_int_equal(taken.refused, 5);
    assert_int_equal(taken.why, ERR_FORBIDDEN);
    assert_int_equal(taken.fresh, town.event_count - 10);
    assert_int_equal(take(fd).fresh, 5); /* the hub may */
    close(other);
    close(fd);
}

/* A receipt of the hub in a bundle of a village's: it says nothing for the village. */
static void a_receipt_counts_from_its_signer_alone(void **state)
{
    (void)state;
    struct buf frame = {0};
    int fd = made_at(1000);
    struct bundle_taken taken = take(fd);
    assert_int_equal(taken.receipts, 0); /* it has written nothing yet */
    take_apart(fd);
    const struct store_identity *self = store_identity(hub.store);
    struct receipt_parties parties = {.township = self->township,
                                      .receiver = hub_keys.signer.key,
                                      .addressee = laptop_keys.signer.key};
    memcpy(parties.generation, self->generation, sizeof parties.generation);
    struct receipt_entry entry = {.seq = 1, .id = town.events[0]->id};
    struct feed_id id;
    feed_id_of(&id, &town.events[0]->feed);
    memcpy(entry.feed8, id.bytes, sizeof entry.feed8);
    struct frame_receipt r = {.counter = 9, .time_ms = 10, .entry_count = 1};
    frame_receipt_write(&frame, &r, &entry, &parties, &hub_keys.signer);
    assert_int_equal(frame.err, OK);
    forget_frames();
    frames[0] = slice_of(frame.data, frame.size);
    frame_count = 1;
    struct forged f = {.signer = &enemy_keys.signer, .from = enemy_keys.signer.key, .number = 8};
    memcpy(f.generation, self->generation, sizeof f.generation);
    int other = forge(&f);
    assert_int_equal(take(other).receipts, 0);
    close(other);
    f.signer = &hub_keys.signer;
    f.from = hub_keys.signer.key;
    f.number = 2000;
    f.generation[0] ^= 1; /* of another life of the hub's store */
    other = forge(&f);
    assert_int_equal(take(other).receipts, 0);
    close(other);
    f.number++;
    f.generation[0] ^= 1;
    other = forge(&f);
    assert_int_equal(take(other).receipts, 1);
    close(other);
    frame_count = 0;
    buf_clear(&frame);
    close(fd);
}

static void what_a_device_holds_only_it_can_say(void **state)
{
    (void)state;
    size_t count;
    int fd = made_at(1000);
    take(fd);
    const uint64_t seq = have_of(&hub_keys.signer.key, &count);
    assert_true(seq > 0 && count > 0);
    const struct have_entry lie = {.seq = 4000, .feed.id8 = {1}, .id8 = {2}};
    struct forged f = {.signer = &enemy_keys.signer,
                       .from = hub_keys.signer.key,
                       .number = 5000,
                       .have = &lie,
                       .have_count = 1};
    forget_frames();
    int other = forge(&f);
    assert_false(take(other).verified);
    size_t now;
    assert_int_equal(have_of(&hub_keys.signer.key, &now), seq);
    assert_int_equal(now, count);
    close(other);
    close(fd);
}

static void an_older_bundle_takes_nothing_back(void **state)
{
    (void)state;
    size_t count, now;
    int old = made_at(1000);
    township_register(&town, &town.devices[0], "01A-0006");
    township_node_take_all(&hub, &town);
    int newer = made_at(2000);
    take(newer);
    const uint64_t seq = have_of(&hub_keys.signer.key, &count);
    struct bundle_taken taken = take(old);
    assert_true(taken.fresh == 0 && taken.refused == 0);
    assert_int_equal(have_of(&hub_keys.signer.key, &now), seq);
    assert_int_equal(now, count);
    /* of another life of its store: nothing but this is known of it */
    const struct have_entry one = {.seq = 1, .feed.id8 = {1}, .id8 = {2}};
    struct forged f = {.signer = &hub_keys.signer,
                       .from = hub_keys.signer.key,
                       .number = 3000,
                       .generation = {77},
                       .have = &one,
                       .have_count = 1};
    forget_frames();
    int again = forge(&f);
    take(again);
    assert_int_equal(have_of(&hub_keys.signer.key, &now), 1);
    assert_int_equal(now, 1);
    close(again);
    close(old);
    close(newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_hubs_signed_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_for_the_village_comes_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looking_says_what_taking_would, set_up, tear_down),
        cmocka_unit_test_setup_teardown(runs_wait_for_what_makes_their_authors_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(runs_of_nobody_known_are_refused_in_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_village_brings_nothing_of_anothers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_receipt_counts_from_its_signer_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_device_holds_only_it_can_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_bundle_takes_nothing_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
