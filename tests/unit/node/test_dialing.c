#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/dialing.h"

#include <string.h>

/* Bad addresses fail at once, so the waits show without a network. */
static struct dialing dialing_of(size_t addresses)
{
    const struct dialing_options options = {.retry_min_s = 4, .retry_max_s = 60};
    struct dialing d;
    dialing_init(&d, &options);
    for (size_t i = 0; i < addresses; i++) dialing_add_address(&d, i ? "second" : "first");
    return d;
}

static void fail_once(struct dialing *d, uint64_t now_ms)
{
    const struct box_key hub = {{1}};
    assert_true(dialing_due(d, now_ms));
    assert_int_equal(dialing_start(d, &hub, now_ms), ERR_RANGE);
    assert_null(d->link);
}

static void without_addresses_nothing_is_ever_due(void **state)
{
    (void)state;
    struct dialing d = dialing_of(0);
    assert_false(dialing_due(&d, UINT64_MAX));
    assert_int_equal(dialing_wait_ms(&d, 0), UINT64_MAX);
    dialing_hurry(&d, false, 5);
    assert_false(dialing_due(&d, UINT64_MAX));
}

static void waits_grow_by_a_quarter_up_to_the_longest_and_half_of_them_is_chance(void **state)
{
    (void)state;
    static const uint64_t longest_ms[] = {4000, 5000, 6250, 7812, 9765, 12206};
    struct dialing d = dialing_of(1);
    uint64_t now_ms = 1000;
    for (size_t i = 0; i < sizeof longest_ms / sizeof longest_ms[0]; i++) {
        fail_once(&d, now_ms);
        uint64_t wait_ms = dialing_wait_ms(&d, now_ms);
        assert_in_range(wait_ms, longest_ms[i] / 2, longest_ms[i]);
        assert_false(dialing_due(&d, now_ms + wait_ms - 1));
        now_ms += wait_ms;
    }
    for (size_t i = 0; i < 10; i++) {
        fail_once(&d, now_ms);
        now_ms = d.next_ms;
    }
    fail_once(&d, now_ms);
    assert_in_range(dialing_wait_ms(&d, now_ms), 30000, 60000);
}

static void the_next_address_is_tried_before_the_wait(void **state)
{
    (void)state;
    struct dialing d = dialing_of(2);
    assert_string_equal(dialing_address(&d), "first");
    fail_once(&d, 0);
    assert_string_equal(dialing_address(&d), "second");
    assert_in_range(dialing_wait_ms(&d, 0), 0, 1000);
    fail_once(&d, 1000);
    assert_string_equal(dialing_address(&d), "first");
    assert_in_range(dialing_wait_ms(&d, 1000), 2000, 4000);
}

static void a_person_does_not_wait(void **state)
{
    (void)state;
    struct dialing d = dialing_of(1);
    uint64_t now_ms = 0;
    for (int i = 0; i < 8; i++) {
        fail_once(&d, now_ms);
        now_ms += dialing_wait_ms(&d, now_ms);
    }
    fail_once(&d, now_ms);
    dialing_hurry(&d, false, now_ms + 1);
    assert_true(dialing_due(&d, now_ms + 1));
    fail_once(&d, now_ms + 1); /* and the backoff begins anew */
    assert_in_range(dialing_wait_ms(&d, now_ms + 1), 2000, 4000);
}

static void a_flapping_network_does_not_make_it_hammer(void **state)
{
    (void)state;
    struct dialing d = dialing_of(1);
    uint64_t now_ms = 100000;
    for (int i = 0; i < 5; i++) {
        fail_once(&d, now_ms);
        now_ms = d.next_ms;
    }
    fail_once(&d, now_ms);
    dialing_hurry(&d, true, now_ms + 10);
    assert_int_equal(d.next_ms, now_ms + 1000);
    fail_once(&d, now_ms + 1000);
    dialing_hurry(&d, true, now_ms + 5000);
    assert_true(dialing_due(&d, now_ms + 5000));
}

static void takes_as_many_addresses_as_a_plan_has(void **state)
{
    (void)state;
    struct dialing d = dialing_of(DIAL_PLACES_MAX + 2);
    assert_int_equal(d.address_count, DIAL_PLACES_MAX);
}

/* --- with a link that is made and never ticked: nothing is sent --- */

static struct zmq_link_context *context;

static struct dialing linked(void)
{
    const struct dialing_options options = {
        .context = context, .retry_min_s = 1, .retry_max_s = 60};
    struct dialing d;
    dialing_init(&d, &options);
    dialing_add_address(&d, "tcp://127.0.0.1:1");
    return d;
}

static uint64_t wait_after(struct dialing *d, enum dialing_outcome outcome)
{
    const struct box_key hub = {{1}};
    assert_int_equal(dialing_start(d, &hub, 0), OK);
    dialing_end(d, outcome, 0);
    assert_null(d->link);
    return dialing_wait_ms(d, 0);
}

static void what_was_good_is_dialled_again_within_a_second(void **state)
{
    (void)state;
    struct dialing d = linked();
    for (int i = 0; i < 12; i++) (void)wait_after(&d, DIALING_FAILED);
    assert_in_range(wait_after(&d, DIALING_GOOD), 500, 1000);
    assert_in_range(wait_after(&d, DIALING_FAILED), 500, 1000);
    assert_in_range(wait_after(&d, DIALING_FAILED), 625, 1250);
}

static void who_is_turned_away_waits_up_to_ten_times_as_long(void **state)
{
    (void)state;
    struct dialing d = linked();
    assert_in_range(wait_after(&d, DIALING_TURNED_AWAY), 500, 1000);
    for (int i = 0; i < 40; i++) (void)wait_after(&d, DIALING_TURNED_AWAY);
    assert_in_range(wait_after(&d, DIALING_TURNED_AWAY), 300000, 600000);
    assert_in_range(wait_after(&d, DIALING_FAILED), 30000, 60000);
}

static void waits_for_the_answers_to_two_syns_and_every_fourth_time_long(void **state)
{
    (void)state;
    static const struct {
        uint64_t rtt_ms, patience_ms;
    } cases[] = {{0, 4000}, {1, 2000}, {500, 2000}, {600, 2200}, {5000, 11000}};
    struct dialing d = linked();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (d.rounds = 0, d.rtt_ms = cases[i].rtt_ms; d.rounds < 12; d.rounds++)
            assert_int_equal(dialing_patience_ms(&d), d.rounds % 4 == 3 ? 0 : cases[i].patience_ms);
}

/* --- the whole schedule, against a link that is silent --- */

enum { NIGHT_MS = 12 * 3600 * 1000, SYN_BYTES = 60, ROUND_TRIP_MS = 600 };

/* When the kernel sends an attempt's SYNs. */
static const uint64_t syn_ms[] = {0, 1000, 3000, 7000, 15000};

struct night {
    uint64_t bytes, gap_ms; /* the longest time without a SYN */
    uint64_t late_permille; /* such a time as a part of the silence before it, once above 4 s */
};
static struct night sleep_through_a_night(void)
{
    struct night n = {0};
    const struct box_key hub = {{1}};
    const struct dialing_options options = {.retry_min_s = 1, .retry_max_s = 60};
    struct dialing d;
    uint64_t last_ms = 0;
    dialing_init(&d, &options);
    dialing_add_address(&d, "bad");
    d.rtt_ms = ROUND_TRIP_MS;
    for (uint64_t now_ms = 750; now_ms < NIGHT_MS; now_ms = d.next_ms) {
        uint64_t patience_ms = dialing_patience_ms(&d) ? dialing_patience_ms(&d) : 20000;
        for (size_t i = 0; i < 5 && syn_ms[i] < patience_ms; i++) {
            uint64_t gap_ms = now_ms + syn_ms[i] - last_ms;
            if (gap_ms > n.gap_ms) n.gap_ms = gap_ms;
            if (gap_ms > 4000 && gap_ms * 1000 / last_ms > n.late_permille)
                n.late_permille = gap_ms * 1000 / last_ms;
            last_ms = now_ms + syn_ms[i];
            n.bytes += SYN_BYTES;
        }
        assert_int_equal(dialing_start(&d, &hub, now_ms + patience_ms), ERR_RANGE);
    }
    return n;
}

static void misses_no_contact_of_a_minute_and_a_dead_night_costs_little(void **state)
{
    (void)state;
    struct night n = sleep_through_a_night();
    print_message("a night of 12 hours without an answer: %llu bytes of SYNs, %llu ms between two "
                  "at most, %llu permille of the silence\n",
                  (unsigned long long)n.bytes, (unsigned long long)n.gap_ms,
                  (unsigned long long)n.late_permille);
    assert_in_range(n.gap_ms, 30000, 65000);
    assert_in_range(n.bytes, 100000, 150000);
    assert_in_range(n.late_permille, 1, 500);
}

static int open_network(void **state)
{
    (void)state;
    return crypto_init() || zmq_link_context_open(&context) ? -1 : 0;
}

static int close_network(void **state)
{
    (void)state;
    zmq_link_context_close(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_addresses_nothing_is_ever_due),
        cmocka_unit_test(waits_grow_by_a_quarter_up_to_the_longest_and_half_of_them_is_chance),
        cmocka_unit_test(the_next_address_is_tried_before_the_wait),
        cmocka_unit_test(a_person_does_not_wait),
        cmocka_unit_test(a_flapping_network_does_not_make_it_hammer),
        cmocka_unit_test(takes_as_many_addresses_as_a_plan_has),
        cmocka_unit_test(what_was_good_is_dialled_again_within_a_second),
        cmocka_unit_test(who_is_turned_away_waits_up_to_ten_times_as_long),
        cmocka_unit_test(waits_for_the_answers_to_two_syns_and_every_fourth_time_long),
        cmocka_unit_test(misses_no_contact_of_a_minute_and_a_dead_night_costs_little),
    };
    return cmocka_run_group_tests(tests, open_network, close_network) != 0;
}
