/*
 * A village's laptop hands over to a computer of the township what it carries for it: whole, cut at
 * any byte and in any number of contacts, altered, and never before what is urgent.
 */
#define _GNU_SOURCE /* memfd_create */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"
#include "tests/support/rng.h"

#include "node/bundle_making.h"
#include "node/courier_parts.h"
#include "node/exchange_courier.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEDS 24u
#define MAKER_SCOPE "village:431322111202"
#define REQUESTS 60u

static struct township_node maker;
static struct device_keys maker_keys;
static struct box_key transport;
static struct box_secret transport_secret;
static struct township_device *office; /* who gets it: a township device with a key of its own */
static struct bundle_id id;
static uint64_t size;

/* --- the scene --- */

/* Letters that hardly shrink. */
static void write_requests(unsigned count)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    struct rng rng = {7};
    for (unsigned i = 1; i <= count; i++) {
        char box[1200], body[64];
        size_t at = (size_t)snprintf(box, sizeof box, "{\"content\":\"");
        while (at < 1100) box[at++] = letters[rng_below(&rng, 64)];
        snprintf(box + at, sizeof box - at, "\"}");
        snprintf(body, sizeof body, "{\"number\":\"02A-%04u\",\"nature\":\"help\"}", i);
        township_record(
            &meeting.township, &meeting.township.devices[1],
            &(struct township_act){
                .kind = "request.register", .scope = MAKER_SCOPE, .body = body, .box = box});
    }
}

static void slow(struct meeting_node *n, const struct sign_key *peer)
{
    struct txn *t;
    struct peer_row row = {.device = *peer, .rate_bps = 9600, .rtt_ms = 600};
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    peer_put(t, &row);
    assert_int_equal(txn_commit(t), OK);
}

static int make_bundle(void)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    struct bundle_made made;
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    const struct bundle_making making = {.store = maker.store,
                                         .views = maker.views,
                                         .keys = &maker_keys,
                                         .wall_ms = meeting.township.time_ms,
                                         .to = office->signer.key,
                                         .read_back = true};
    assert_true(fd >= 0);
    assert_int_equal(bundle_make(fd, &making, &made), OK);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(bundle_outside_read(outside, fd), OK);
    bundle_id_of(&id, outside);
    size = made.bytes;
    return fd;
}

static void carried_by(struct meeting_node *n, int fd)
{
    struct courier_file f;
    assert_int_equal(courier_keep(&f, n->store.home, fd, MIB(64)), OK);
}

/* The township's computer stands where the hub does in other tests. */
static void begin(void)
{
    memset(&meeting.hub, 0, sizeof meeting.hub);
    memset(&meeting.village, 0, sizeof meeting.village);
    meeting.pipe = NULL;
    meeting.now_ms = 0;
    township_begin(&meeting.township, 2);
    box_pair_make(&transport, &transport_secret);
    meeting.township.transport = &transport;
    office = township_join(&meeting.township, "", ROLE_DISPATCH | ROLE_OFFICE, 'B');
    meeting.township.transport = NULL;
    meeting_node_open(&meeting.hub, office);
    meeting.hub.keys.transport_secret = transport_secret;
    meeting_node_open(&meeting.village, &meeting.township.devices[0]);
    township_node_take_all(&meeting.hub.store, &meeting.township);
    township_node_take_all(&meeting.village.store, &meeting.township);
    write_requests(REQUESTS);
    township_node_open(&maker, &meeting.township, &meeting.township.devices[1]);
    maker_keys.signer = meeting.township.devices[1].signer;
    township_node_take_all(&maker, &meeting.township);
    slow(&meeting.hub, &meeting.village.keys.signer.key);
    slow(&meeting.village, &meeting.hub.keys.signer.key);
    meeting.hub.couriers = meeting.village.couriers = true;
    meeting_node_start(&meeting.hub);
    meeting_node_start(&meeting.village);
}

static void empty_folder(const char *home)
{
    struct courier_files f;
    char path[PATH_MAX];
    assert_int_equal(courier_list(&f, home), OK);
    for (size_t i = 0; i < f.count; i++) assert_int_equal(courier_drop(home, &f.files[i].id), OK);
    courier_files_clear(&f);
    snprintf(path, sizeof path, "%s/courier", home);
    (void)rmdir(path);
}

static void end(void)
{
    empty_folder(meeting.village.store.home);
    empty_folder(meeting.hub.store.home);
    township_node_close(&maker);
    meeting_end();
}

static uint64_t in_part(void)
{
    char path[PATH_MAX];
    struct stat st;
    assert_int_equal(courier_path(path, meeting.hub.store.home, &id, ".part"), OK);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static size_t carried(void)
{
    struct courier_files f;
    assert_int_equal(courier_list(&f, meeting.village.store.home), OK);
    size_t count = f.count;
    courier_files_clear(&f);
    return count;
}

static uint64_t came(void)
{
    struct hash digest;
    return meeting_events_of(&meeting.hub, MAKER_SCOPE, &digest);
}

static bool is_noted(struct meeting_node *n, struct bundle_noted *out)
{
    struct txn *t;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    bool known = bundle_noted(t, &id, out);
    txn_abort(t);
    return known;
}

static void assert_taken(void)
{
    struct bundle_noted noted;
    assert_int_equal(came(), REQUESTS);
    assert_true(is_noted(&meeting.hub, &noted));
    assert_int_equal(noted.way, BUNDLE_BY_LINK);
    assert_false(noted.refused);
    assert_int_equal(carried(), 0);
    assert_int_equal(in_part(), 0);
    assert_null(strstr(meeting.hub.log, "damaged"));
}

static bool is_refused(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(meeting.village.store.store, false, &t), OK);
    bool refused = bundle_refused_by(t, &id, &office->signer.key);
    txn_abort(t);
    return refused;
}

static void until_carried(size_t count)
{
    for (unsigned i = 0; i < 2000 && carried() != count; i++) meeting_turns(1);
    meeting_turns(5);
}

/* --- tests --- */

static void what_is_carried_goes_over_and_is_gone_here(void **state)
{
    (void)state;
    begin();
    int fd = make_bundle();
    carried_by(&meeting.village, fd);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(came(), 0);
    uint64_t begun = pipe_bytes(meeting.pipe);
    until_carried(0);
    assert_taken();
    /* both ways, on a link of 9,600 bit/s */
    assert_in_range(pipe_bytes(meeting.pipe) - begun, size, size + size / 10 + KIB(1));
    /* the same by another courier is not fetched again */
    uint64_t before = pipe_bytes(meeting.pipe);
    carried_by(&meeting.village, fd);
    exchange_courier_stale(meeting.village.exchange);
    until_carried(0);
    assert_taken();
    assert_in_range(pipe_bytes(meeting.pipe) - before, 1, size / 10);
    close(fd);
    end();
}

static void contact(struct rng *rng)
{
    meeting_connect();
    pipe_budget(meeting.pipe, 800 + rng_below(rng, 9000));
    for (uint64_t turns = 4 + rng_below(rng, 40); turns > 0; turns--)
        meeting_turn(rng_chance(rng, 50) ? &meeting.hub : &meeting.village);
    if (rng_chance(rng, 50)) pipe_cut(meeting.pipe);
    meeting_turns(1);
    meeting_disconnect();
    struct meeting_node *nodes[] = {&meeting.hub, &meeting.village};
    for (size_t i = 0; i < 2; i++) {
        if (!rng_chance(rng, 20)) continue;
        meeting_node_stop(nodes[i]); /* the process too */
        meeting_node_start(nodes[i]);
    }
}

static void it_goes_on_at_any_byte_over_any_number_of_cuts(void **state)
{
    (void)state;
    unsigned contacts = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = {seed};
        begin();
        int fd = make_bundle();
        carried_by(&meeting.village, fd);
        close(fd);
        unsigned here = 0;
        for (uint64_t held = 0; carried() && here < 400; here++) {
            contact(&rng);
            if (came()) break;              /* it is taken in by then */
            assert_true(in_part() >= held); /* nothing is fetched twice */
            held = in_part();
        }
        contacts += here;
        meeting_connect();
        until_carried(0);
        assert_taken();
        end();
    }
    assert_true(contacts > 5 * SEEDS); /* so it was cut */
}

static void alter(const struct meeting_node *n, off_t at)
{
    char path[PATH_MAX];
    assert_int_equal(courier_path(path, n->store.home, &id, ".sidan"), OK);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void one_that_was_altered_is_refused_once_and_stays_with_its_courier(void **state)
{
    (void)state;
    begin();
    int fd = make_bundle();
    carried_by(&meeting.village, fd);
    alter(&meeting.village, (off_t)size / 2);
    meeting_connect();
    for (unsigned i = 0; i < 2000 && !is_refused(); i++) meeting_turns(1);
    assert_true(is_refused());
    assert_non_null(strstr(meeting.hub.log, "damaged"));
    assert_int_equal(carried(), 1);
    uint64_t before = pipe_bytes(meeting.pipe);
    exchange_courier_stale(meeting.village.exchange);
    meeting_turns(200);
    assert_in_range(pipe_bytes(meeting.pipe) - before, 0, 2000);
    close(fd);
    end();
}

/* What another courier began and altered spoils nothing: it is fetched whole once more. */
static void what_one_courier_altered_another_brings_whole(void **state)
{
    (void)state;
    begin();
    int fd = make_bundle();
    carried_by(&meeting.village, fd);
    alter(&meeting.village, 2000);
    meeting_connect();
    for (unsigned i = 0; i < 2000 && in_part() < size / 2; i++) meeting_turns(1);
    assert_in_range(in_part(), size / 2, size - 1);
    meeting_disconnect();
    alter(&meeting.village, 2000); /* as it was: this is the other one */
    meeting_connect();
    until_carried(0);
    assert_taken();
    close(fd);
    end();
}

static void what_is_urgent_does_not_wait_for_it(void **state)
{
    (void)state;
    begin();
    int fd = make_bundle();
    carried_by(&meeting.village, fd);
    meeting_connect();
    for (unsigned i = 0; i < 2000 && in_part() < KIB(5); i++) meeting_turns(1);
    township_register(&meeting.township, &meeting.township.devices[0], "01A-0001");
    township_node_take(&meeting.village.store,
                       meeting.township.events + meeting.township.event_count - 1, 1);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
    uint64_t then = in_part();
    struct hash digest;
    for (unsigned i = 0; i < 200 && !meeting_events_of(&meeting.hub, MEETING_VILLAGE, &digest); i++)
        meeting_turns(1);
    assert_int_equal(meeting_events_of(&meeting.hub, MEETING_VILLAGE, &digest), 1);
    assert_in_range(in_part(), then, then + KIB(4)); /* what had been asked for, at most */
    until_carried(0);
    assert_taken();
    close(fd);
    end();
}

static void who_carries_nothing_says_nothing(void **state)
{
    (void)state;
    begin();
    meeting_connect();
    meeting_sync_to_rest();
    uint64_t before = pipe_bytes(meeting.pipe);
    meeting_turns(50);
    assert_int_equal(pipe_bytes(meeting.pipe), before);
    assert_null(meeting.hub.exchange->peers->carriage);
    assert_null(meeting.village.exchange->peers->carriage);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_carried_goes_over_and_is_gone_here),
        cmocka_unit_test(it_goes_on_at_any_byte_over_any_number_of_cuts),
        cmocka_unit_test(one_that_was_altered_is_refused_once_and_stays_with_its_courier),
        cmocka_unit_test(what_one_courier_altered_another_brings_whole),
        cmocka_unit_test(what_is_urgent_does_not_wait_for_it),
        cmocka_unit_test(who_carries_nothing_says_nothing),
    };
    return crypto_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
