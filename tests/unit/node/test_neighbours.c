/* A laptop dials an address on its LAN, over real links: who is there, who is not, who dials back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/neighbours.h"
#include "tests/support/meeting.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 20000u

/* Three laptops with keys of their own: two of village 1, one of village 2. */
enum { FIRST, SECOND, OTHER, LAPTOPS };
static struct laptop {
    struct township_device *device;
    struct box_key key;
    struct box_secret secret;
    struct meeting_node node;
} laptops[LAPTOPS];

static struct zmq_link_context *context;
static struct link *listener;
static struct meeting_node *listening;
static struct settings settings;
static struct neighbours neighbours; /* of the first laptop */

static void join(struct laptop *l, const char *village, char letter)
{
    box_pair_make(&l->key, &l->secret);
    meeting.township.transport = &l->key;
    l->device = township_join(&meeting.township, village, ROLE_VILLAGE, letter);
    meeting.township.transport = NULL;
}

static void open_node(struct laptop *l)
{
    memset(&l->node, 0, sizeof l->node);
    meeting_node_open(&l->node, l->device);
    l->node.keys.transport_secret = l->secret;
    for (size_t i = 0; i < meeting.township.event_count; i++)
        if (scope_class(&meeting.township.events[i]->feed.scope) == SCOPE_TOWN)
            township_node_take(&l->node.store, &meeting.township.events[i], 1);
    meeting_node_start(&l->node);
}

static int set_up(void **state)
{
    (void)state;
    memset(&meeting, 0, sizeof meeting);
    township_begin(&meeting.township, 2);
    const char *one = meeting.township.devices[0].village;
    const char *two = meeting.township.devices[1].village;
    join(&laptops[FIRST], one, 'B');
    join(&laptops[SECOND], one, 'C');
    join(&laptops[OTHER], two, 'B');
    for (size_t i = 0; i < LAPTOPS; i++) open_node(&laptops[i]);
    return zmq_link_context_open(&context) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    neighbours_close(&neighbours);
    if (listener) exchange_remove_link(listening->exchange, listener);
    if (listener) listener->ops->close(listener);
    listener = NULL;
    for (size_t i = 0; i < LAPTOPS; i++) {
        meeting_node_stop(&laptops[i].node);
        township_node_close(&laptops[i].node.store);
    }
    zmq_link_context_close(context);
    township_end(&meeting.township);
    return 0;
}

/* --- the two ends --- */

static enum link_admission admit(void *state, const struct box_key *key)
{
    struct meeting_node *n = state;
    return exchange_admit(n->exchange, key, 1);
}

/* The address where it listens; `l` may be a stranger's, with another key than its laptop has. */
static const char *listen_as(struct laptop *l, const struct box_secret *secret)
{
    listening = &l->node;
    assert_int_equal(
        zmq_link_listen(&listener, context, "tcp://127.0.0.1:0", secret, admit, listening), OK);
    assert_int_equal(exchange_add_link(listening->exchange, listener, false), OK);
    return zmq_link_address(listener);
}

static void begin(const char *peers)
{
    struct settings_problem problem;
    struct buf text = {0};
    const struct dial_context options = {.store = laptops[FIRST].node.store.store,
                                         .views = laptops[FIRST].node.store.views,
                                         .exchange = laptops[FIRST].node.exchange,
                                         .context = context,
                                         .keys = &laptops[FIRST].node.keys,
                                         .settings = &settings};
    buf_printf(&text, "retry_min_s = 1\nretry_max_s = 1\npeers = %s\n", peers);
    assert_int_equal(settings_parse(&settings, buf_slice(&text), &problem), OK);
    neighbours_init(&neighbours, &options);
    buf_clear(&text);
}

static struct exchange_time now(void)
{
    return (struct exchange_time){.now_ms = clock_monotonic_ms(),
                                  .clock = {.wall_ms = meeting.township.time_ms, .trusted = true}};
}

static void turn(void)
{
    struct exchange_time time = now();
    bool more;
    int fds[SETTINGS_PEERS_MAX];
    struct pollfd polled[SETTINGS_PEERS_MAX + 1];
    neighbours_before_turn(&neighbours, &time);
    assert_int_equal(exchange_turn(laptops[FIRST].node.exchange, &time, &more), OK);
    neighbours_after_turn(&neighbours, &time);
    if (listener) zmq_link_tick(listener, time.now_ms);
    if (listening) assert_int_equal(exchange_turn(listening->exchange, &time, &more), OK);
    size_t count = neighbours_fds(&neighbours, fds);
    for (size_t i = 0; i < count; i++) polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    polled[count] = (struct pollfd){.fd = listener ? zmq_link_fd(listener) : -1, .events = POLLIN};
    poll(polled, count + 1, 5);
}

static bool is_connected_to(const struct laptop *l)
{
    return exchange_meets(laptops[FIRST].node.exchange, &l->device->signer.key, NULL);
}

static const struct neighbour_row *row(void)
{
    static struct neighbour_row out;
    struct txn *t;
    assert_int_equal(txn_begin(laptops[FIRST].node.store.store, false, &t), OK);
    neighbour_get(t, settings.peers[0].address, &out);
    txn_abort(t);
    return &out;
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;                                    \
        while (!(condition) && clock_monotonic_ms() < until_ms) turn();                            \
        assert_true(condition);                                                                    \
    } while (0)

/* --- stories --- */

/* 2A, 2B and 1A, 1C may be there: it is the one that is tried last. */
static void an_address_without_a_name_finds_who_is_there_and_knows_him_then(void **state)
{
    (void)state;
    begin(listen_as(&laptops[OTHER], &laptops[OTHER].secret));
    UNTIL(is_connected_to(&laptops[OTHER]));
    UNTIL(row()->last_ok_ms);
    assert_memory_equal(&row()->device, &laptops[OTHER].device->signer.key, 32);
    assert_int_equal(row()->failures, 0); /* keys that did not fit are no failure */
    uint64_t refused = zmq_link_counts(listener).refused;
    assert_true(refused >= 2); /* laptops of the own village went first */
    neighbours_finish(&neighbours);
    UNTIL(!is_connected_to(&laptops[OTHER]));
    UNTIL(is_connected_to(&laptops[OTHER])); /* it is made again, by the key that fits */
    assert_int_equal(zmq_link_counts(listener).refused, refused);
}

static void a_name_is_dialled_by_its_key_alone(void **state)
{
    (void)state;
    char named[ADDRESS_SIZE_MAX], id[13];
    hex_encode(id, laptops[OTHER].device->signer.key.bytes, 6);
    snprintf(named, sizeof named, "%s=%s", id, listen_as(&laptops[OTHER], &laptops[OTHER].secret));
    begin(named);
    UNTIL(is_connected_to(&laptops[OTHER]));
    assert_int_equal(zmq_link_counts(listener).refused, 0);
}

static void a_stranger_at_the_address_is_told_nothing_and_tried_seldom(void **state)
{
    (void)state;
    struct box_key key;
    struct box_secret secret;
    box_pair_make(&key, &secret);
    begin(listen_as(&laptops[OTHER], &secret));
    UNTIL(row()->failures);
    assert_int_equal(row()->last_ok_ms, 0);
    assert_int_equal(row()->last_error, ERR_UNREACHABLE);
    assert_false(is_connected_to(&laptops[OTHER]));
    assert_int_equal(exchange_peers(listening->exchange, &(struct exchange_peer){0}, 1), 0);
    uint64_t tried = zmq_link_counts(listener).refused;
    assert_int_equal(tried, 4); /* each who may be there once */
    assert_true(neighbours_wait_ms(&neighbours, clock_monotonic_ms()) > 0);
}

static void an_address_where_nobody_listens_is_remembered_as_not_reached(void **state)
{
    (void)state;
    listening = NULL;
    begin("tcp://127.0.0.1:1");
    UNTIL(row()->failures == 2);
    assert_int_equal(row()->last_error, ERR_UNREACHABLE);
    assert_true(row()->next_attempt_ms > 0);
    assert_int_equal(row()->last_ok_ms, 0);
}

static void a_name_that_the_roster_does_not_have_is_told_and_nobody_is_dialled(void **state)
{
    (void)state;
    char named[ADDRESS_SIZE_MAX];
    snprintf(named, sizeof named, "nobody=%s", listen_as(&laptops[OTHER], &laptops[OTHER].secret));
    begin(named);
    UNTIL(row()->failures);
    assert_int_equal(row()->last_error, ERR_NOT_FOUND);
    assert_int_equal(zmq_link_counts(listener).refused, 0);
}

static void revoke_first_at(struct laptop *l)
{
    township_record(&meeting.township, &meeting.township.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .scope = "town",
                                           .subject = &laptops[FIRST].device->thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = "{\"reason\":\"stolen\",\"heads\":[]}"});
    township_node_take(&l->node.store, &meeting.township.events[meeting.township.event_count - 1],
                       1);
    struct exchange_time time = now();
    assert_int_equal(exchange_refresh(l->node.exchange, &time), OK);
}

/* Who denies showed who he is: the keys of others are not tried on him. */
static void who_is_denied_tries_nobody_elses_key(void **state)
{
    (void)state;
    char named[ADDRESS_SIZE_MAX];
    revoke_first_at(&laptops[SECOND]);
    snprintf(named, sizeof named, "1号=%s", listen_as(&laptops[SECOND], &laptops[SECOND].secret));
    begin(named);
    UNTIL(row()->failures);
    assert_int_equal(row()->last_error, ERR_FORBIDDEN);
    assert_int_equal(row()->last_ok_ms, 0);
}

/* --- both dial --- */

/* As if the listener had dialled: a link in memory between the two. */
struct back {
    struct pipe *pipe;
    struct link *dialled, *listening;
};

static struct back dial_back(struct laptop *from)
{
    struct back b;
    pipe_open(&b.pipe, &b.dialled, &from->key, &b.listening, &laptops[FIRST].key);
    assert_int_equal(exchange_add_link(from->node.exchange, b.dialled, true), OK);
    assert_int_equal(exchange_add_link(laptops[FIRST].node.exchange, b.listening, false), OK);
    return b;
}

static void back_end(struct back *b, struct laptop *from)
{
    exchange_remove_link(from->node.exchange, b->dialled);
    exchange_remove_link(laptops[FIRST].node.exchange, b->listening);
    pipe_close(b->pipe);
}

static void who_is_connected_already_is_not_dialled_until_he_is_gone(void **state)
{
    (void)state;
    char named[ADDRESS_SIZE_MAX];
    snprintf(named, sizeof named, "%s=%s", laptops[OTHER].device->village,
             listen_as(&laptops[OTHER], &laptops[OTHER].secret));
    struct back b = dial_back(&laptops[OTHER]);
    begin("");
    UNTIL(is_connected_to(&laptops[OTHER]));
    begin(named); /* 2A and 2B are meant; 2A's key does not fit, 2B is here */
    uint64_t end_ms = clock_monotonic_ms() + 2000;
    while (clock_monotonic_ms() < end_ms) turn();
    struct exchange_peer peers[4];
    assert_int_equal(exchange_peers(laptops[FIRST].node.exchange, peers, 4), 1);
    back_end(&b, &laptops[OTHER]);
    UNTIL(is_connected_to(&laptops[OTHER]));
}

/* Which of the two is this one's, where the other dials as well while a link of ours is there. */
static void both_dial(struct laptop *peer, bool ours_stays)
{
    char named[ADDRESS_SIZE_MAX], id[13];
    const uint8_t *mine = laptops[FIRST].device->signer.key.bytes;
    hex_encode(id, peer->device->signer.key.bytes, 6);
    assert_int_equal(memcmp(mine, peer->device->signer.key.bytes, 32) < 0, ours_stays);
    snprintf(named, sizeof named, "%s=%s", id, listen_as(peer, &peer->secret));
    begin(named);
    UNTIL(is_connected_to(peer));
    struct back b = dial_back(peer);
    UNTIL(neighbours.at[0].twice || !neighbours.at[0].dialing.link);
    uint64_t end_ms = clock_monotonic_ms() + 1500; /* longer than a sign of life takes */
    while (clock_monotonic_ms() < end_ms) turn();
    assert_int_equal(neighbours.at[0].dialing.link != NULL, ours_stays);
    assert_true(exchange_meets(laptops[FIRST].node.exchange, &peer->device->signer.key,
                               neighbours.at[0].dialing.link));
    back_end(&b, peer);
}

static void of_two_links_the_one_that_the_greater_key_dialled_is_ended(void **state)
{
    (void)state;
    both_dial(&laptops[SECOND], false);
}

static void of_two_links_the_one_that_the_lesser_key_dialled_stays(void **state)
{
    (void)state;
    both_dial(&laptops[OTHER], true);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_address_without_a_name_finds_who_is_there_and_knows_him_then),
        CASE(a_name_is_dialled_by_its_key_alone),
        CASE(a_stranger_at_the_address_is_told_nothing_and_tried_seldom),
        CASE(an_address_where_nobody_listens_is_remembered_as_not_reached),
        CASE(a_name_that_the_roster_does_not_have_is_told_and_nobody_is_dialled),
        CASE(who_is_denied_tries_nobody_elses_key),
        CASE(who_is_connected_already_is_not_dialled_until_he_is_gone),
        CASE(of_two_links_the_one_that_the_greater_key_dialled_is_ended),
        CASE(of_two_links_the_one_that_the_lesser_key_dialled_stays),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
