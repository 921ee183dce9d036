/*
 * The enrolled enemy on a stick: bundles that a village of the roster makes by hand, with its real
 * keys, for a hub that an honest village syncs with. What it can send by a link, too, is in
 * test_enemy; here is what only a file can say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/run_taking.h"
#include "tests/support/attacks.h"

#include <string.h>
#include <unistd.h>

#define NOTE                                                                                       \
    "{\"number\":\"01A-0001\",\"channel\":\"visit\",\"received\":1763859600000,"                   \
    "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}"

static int begin(void **state)
{
    int result = enemy_begin(state);
    assert_the_honest_village_is_served();
    enemy_stick_begin();
    return result;
}

/* Of the enemy's own, good. */
static void adds_a_request(void)
{
    enemy_says(&(struct township_act){
        .kind = "request.register", .body = NOTE, .box = "{\"content\":\"路灯不亮\"}"});
}

static void adds_hello(const struct have_entry *have, size_t count)
{
    struct buf frame = {0};
    struct have_entry sorted[4];
    struct frame_hello h = hello_of_enemy();
    memcpy(sorted, have, count * sizeof *have);
    h.have_count = count;
    have_digest(h.have8, sorted, count);
    frame_hello_write(&frame, &h, sorted);
    enemy_sends(&frame);
}

static struct have_entry head_of_the_authority(uint64_t seq)
{
    const struct event *first = scene.township.events[0];
    struct have_entry e = {.seq = seq, .id8 = {9}};
    struct feed_id id;
    feed_id_of(&id, &first->feed);
    memcpy(e.feed.id8, id.bytes, sizeof e.feed.id8);
    return e;
}

/* What the hub believes of a device: heads, the highest number, the newest bundle. */
struct believed {
    size_t heads;
    uint64_t seq, bundle;
};
static struct believed believed_of(const struct sign_key *device)
{
    struct believed b = {0};
    struct peer_row row;
    struct txn *t;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    if (peer_get(t, device, &row)) {
        b.heads = row.have_count;
        b.bundle = row.bundle;
        for (size_t i = 0; i < row.have_count; i++)
            if (row.have[i].seq > b.seq) b.seq = row.have[i].seq;
        peer_row_clear(&row);
    }
    txn_abort(t);
    return b;
}

static void same(struct believed a, struct believed b)
{
    assert_true(a.heads == b.heads && a.seq == b.seq && a.bundle == b.bundle);
}

static void taken(const struct enemy_stick_from *f)
{
    enemy_stick_taken(enemy_stick_file(f));
    assert_int_equal(scene.stick.err, OK);
}

static void ends_well(void)
{
    assert_the_honest_village_is_served();
    assert_int_equal(hub_holds("town"), scene.township.roster_count);
}

/* --- */

static void what_another_is_said_to_hold_is_not_believed(void **state)
{
    (void)state;
    const struct sign_key *honest = &scene.honest.keys.signer.key;
    const struct believed before = believed_of(honest);
    const struct have_entry all = head_of_the_authority(4000);
    adds_hello(&all, 1);
    adds_a_request();
    taken(&(struct enemy_stick_from){.from = honest, .number = 99});
    assert_false(scene.stick.taken.verified);
    same(believed_of(honest), before);
    /* its own record, which is good, is no business of the village that it speaks for */
    assert_int_equal(scene.stick.taken.refused, 1);
    assert_int_equal(scene.stick.taken.why, ERR_FORBIDDEN);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    ends_well();
}

static void another_townships_file_changes_nothing(void **state)
{
    (void)state;
    adds_a_request();
    enemy_stick_taken(
        enemy_stick_file(&(struct enemy_stick_from){.township = &scene.enemy->signer.key}));
    assert_int_equal(scene.stick.err, ERR_FOREIGN);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    ends_well();
}

static void a_number_that_goes_back_brings_records_and_no_words(void **state)
{
    (void)state;
    const struct have_entry few = head_of_the_authority(1), many = head_of_the_authority(3);
    adds_hello(&many, 1);
    taken(&(struct enemy_stick_from){.number = 5});
    const struct believed before = believed_of(&scene.enemy->signer.key);
    assert_true(before.seq == 3 && before.bundle == 5);
    enemy_stick_clear();
    adds_hello(&few, 1);
    adds_a_request();
    taken(&(struct enemy_stick_from){.number = 4});
    assert_int_equal(scene.stick.taken.fresh, 1);
    same(believed_of(&scene.enemy->signer.key), before);
    /* nor does a newer one take back what it held in the same store */
    taken(&(struct enemy_stick_from){.number = 6});
    assert_int_equal(believed_of(&scene.enemy->signer.key).seq, 3);
    ends_well();
}

static void the_last_number_of_all_silences_its_maker_alone(void **state)
{
    (void)state;
    const struct believed honest = believed_of(&scene.honest.keys.signer.key);
    taken(&(struct enemy_stick_from){.number = FRAME_UINT_MAX});
    enemy_stick_clear();
    const struct have_entry one = head_of_the_authority(1);
    adds_hello(&one, 1);
    adds_a_request();
    taken(&(struct enemy_stick_from){.number = FRAME_UINT_MAX});
    assert_int_equal(scene.stick.taken.fresh, 1); /* records go by themselves */
    assert_int_equal(believed_of(&scene.enemy->signer.key).heads, 0);
    same(believed_of(&scene.honest.keys.signer.key), honest);
    ends_well();
}

/* They are proofs against who signed them; what he holds his HELLO says. */
static void receipts_that_shrink_take_nothing_back(void **state)
{
    (void)state;
    const struct attack shrinking = {.number = 300};
    const struct have_entry many = head_of_the_authority(3);
    adds_hello(&many, 1);
    taken(&(struct enemy_stick_from){.number = 1});
    const struct believed before = believed_of(&scene.enemy->signer.key);
    receipt_that_shrinks(&shrinking);
    taken(&(struct enemy_stick_from){.number = 2});
    assert_int_equal(scene.stick.taken.receipts, 16); /* more are not looked at */
    assert_int_equal(scene.stick.taken.receipts_bad, 0);
    const struct believed after = believed_of(&scene.enemy->signer.key);
    assert_true(after.heads == before.heads && after.seq == before.seq);
    ends_well();
}

static void the_same_again_is_nothing_new(void **state)
{
    (void)state;
    adds_a_request();
    int old = enemy_stick_file(&(struct enemy_stick_from){.number = 1});
    adds_a_request();
    taken(&(struct enemy_stick_from){.number = 2});
    assert_int_equal(scene.stick.taken.fresh, 2);
    enemy_stick_taken(old);
    assert_int_equal(scene.stick.err, OK);
    assert_true(scene.stick.taken.fresh == 0 && scene.stick.taken.known == 1);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 2);
    ends_well();
}

static void two_in_one_file_are_one_and_a_damage(void **state)
{
    (void)state;
    uint8_t bytes[8192];
    adds_a_request();
    int fd = enemy_stick_file(&(struct enemy_stick_from){0});
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    assert_true(size > 0 && size < (ssize_t)sizeof bytes);
    assert_int_equal(pwrite(fd, bytes, (size_t)size, size), size);
    enemy_stick_taken(fd);
    assert_int_equal(scene.stick.err, OK);
    assert_true(scene.stick.taken.damaged && scene.stick.taken.fresh == 1);
    ends_well();
}

static void a_frame_over_the_limit_ends_the_file(void **state)
{
    (void)state;
    static const uint8_t frame[FRAME_SIZE_MAX + 1] = {0x91, 99};
    uint64_t size;
    int fd;
    adds_a_request();
    struct bundle_writer *w = enemy_stick_open(&(struct enemy_stick_from){0}, &fd);
    assert_int_equal(bundle_put(w, slice_of(frame, sizeof frame)), OK);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    enemy_stick_taken(fd);
    assert_int_equal(scene.stick.err, OK);
    assert_true(scene.stick.taken.damaged && scene.stick.taken.fresh == 1);
    ends_well();
}

/* Of a later version each of them might be. */
static void frames_without_end_cost_their_time_alone(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0x91, 99};
    uint64_t size;
    int fd;
    struct bundle_writer *w = enemy_stick_open(&(struct enemy_stick_from){0}, &fd);
    for (unsigned i = 0; i < 1000000; i++)
        assert_int_equal(bundle_put(w, slice_of(frame, sizeof frame)), OK);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    const long memory = attack_memory_begin();
    enemy_stick_taken(fd);
    assert_int_equal(scene.stick.err, OK);
    assert_true(!scene.stick.taken.damaged && scene.stick.taken.verified);
    assert_int_equal(scene.stick.taken.bytes, 2000000);
    attack_assert_memory(memory);
    ends_well();
}

/* Runs of an author that nobody makes known, more than may wait for that. */
static void runs_that_wait_without_end_are_refused(void **state)
{
    (void)state;
    struct signer stranger;
    struct buf frame = {0};
    uint8_t box[3000];
    uint64_t size;
    int fd;
    township_signer(&stranger, 900);
    adds_a_request();
    struct bundle_writer *w = enemy_stick_open(&(struct enemy_stick_from){0}, &fd);
    crypto_random(box, sizeof box);
    struct frame_run f = {
        .run = {.count = 1, .raw_size = 4000, .payload = slice_of(box, sizeof box)},
        .feed = {.whole = true, .feed = feed_in(scene.enemy, "town")}};
    f.feed.feed.author = stranger.key;
    frame_run_write(&frame, &f);
    assert_int_equal(frame.err, OK);
    for (unsigned i = 0; i < 10000; i++) assert_int_equal(bundle_put(w, buf_slice(&frame)), OK);
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    buf_clear(&frame);
    const long memory = attack_memory_begin();
    enemy_stick_taken(fd);
    assert_int_equal(scene.stick.err, OK);
    assert_true(scene.stick.taken.fresh == 1 && scene.stick.taken.refused == 10000);
    assert_int_equal(scene.stick.taken.why, ERR_UNKNOWN_AUTHOR);
    attack_assert_memory(memory);
    ends_well();
}

/* Looked at and not taken, the same costs no more. */
static void what_is_looked_at_is_bounded_too(void **state)
{
    (void)state;
    enum { RUNS = 6000 };
    uint64_t size;
    int fd;
    struct bundle_writer *w = enemy_stick_open(&(struct enemy_stick_from){0}, &fd);
    for (unsigned i = 0; i < RUNS; i++) {
        /* each with a feed of its own: more heads than are remembered */
        struct frame_run f;
        struct buf frame = {0};
        struct bad_run r;
        struct odd o = {.feed = feed_in(scene.enemy, ENEMY_SCOPE)};
        o.feed.has_epoch = true;
        be64_put(o.feed.epoch, i + 1);
        const struct event e = odd_event(&o);
        run_begin(&r, &e, 1);
        f = r.frame;
        frame_run_write(&frame, &f);
        assert_int_equal(bundle_put(w, buf_slice(&frame)), OK);
        buf_clear(&frame);
        buf_clear(&r.raw);
        buf_clear(&r.payload);
        buf_clear(&scene.headers[--scene.odd_count]);
    }
    assert_int_equal(bundle_finish(w, &size), OK);
    bundle_writer_close(w);
    const long memory = attack_memory_begin();
    enemy_stick_looked_at(fd);
    assert_int_equal(scene.stick.err, OK);
    assert_int_equal(scene.stick.taken.fresh, RUN_LOOK_HEADS_MAX);
    assert_int_equal(scene.stick.taken.refused, RUNS - RUN_LOOK_HEADS_MAX);
    attack_assert_memory(memory);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    ends_well();
}

/* Whoever was revoked is not heard: his records go by where he was cut off. */
static void a_revoked_device_is_not_believed(void **state)
{
    (void)state;
    const struct event *counts = enemy_says(&(struct township_act){
        .kind = "request.register", .body = NOTE, .box = "{\"content\":\"路灯不亮\"}"});
    int before = enemy_stick_file(&(struct enemy_stick_from){.number = 1});
    enemy_stick_taken(before);
    assert_int_equal(scene.stick.taken.fresh, 1);
    attack_revoke(scene.enemy, counts);
    enemy_stick_clear();
    const struct have_entry lie = head_of_the_authority(4000);
    adds_hello(&lie, 1);
    const struct believed was = believed_of(&scene.enemy->signer.key);
    adds_a_request();
    adds_a_request();
    taken(&(struct enemy_stick_from){.number = 2});
    assert_true(scene.stick.taken.verified && scene.stick.taken.receipts == 0);
    assert_int_equal(scene.stick.taken.fresh, 2);
    same(believed_of(&scene.enemy->signer.key), was);
    struct txn *t;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_int_equal(aside_count(t), 2);
    txn_abort(t);
    assert_the_honest_village_is_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_another_is_said_to_hold_is_not_believed, begin,
                                        enemy_end),
        cmocka_unit_test_setup_teardown(another_townships_file_changes_nothing, begin, enemy_end),
        cmocka_unit_test_setup_teardown(a_number_that_goes_back_brings_records_and_no_words, begin,
                                        enemy_end),
        cmocka_unit_test_setup_teardown(the_last_number_of_all_silences_its_maker_alone, begin,
                                        enemy_end),
        cmocka_unit_test_setup_teardown(receipts_that_shrink_take_nothing_back, begin, enemy_end),
        cmocka_unit_test_setup_teardown(the_same_again_is_nothing_new, begin, enemy_end),
        cmocka_unit_test_setup_teardown(two_in_one_file_are_one_and_a_damage, begin, enemy_end),
        cmocka_unit_test_setup_teardown(a_frame_over_the_limit_ends_the_file, begin, enemy_end),
        cmocka_unit_test_setup_teardown(frames_without_end_cost_their_time_alone, begin, enemy_end),
        cmocka_unit_test_setup_teardown(runs_that_wait_without_end_are_refused, begin, enemy_end),
        cmocka_unit_test_setup_teardown(what_is_looked_at_is_bounded_too, begin, enemy_end),
        cmocka_unit_test_setup_teardown(a_revoked_device_is_not_believed, begin, enemy_end),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
