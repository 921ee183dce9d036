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

static void waits_double_up_to_the_longest_with_half_of_it_chance(void **state)
{
    (void)state;
    static const uint64_t longest_ms[] = {4000, 8000, 16000, 32000, 60000, 60000, 60000};
    struct dialing d = dialing_of(1);
    uint64_t now_ms = 1000;
    for (size_t i = 0; i < sizeof longest_ms / sizeof longest_ms[0]; i++) {
        fail_once(&d, now_ms);
        uint64_t wait_ms = dialing_wait_ms(&d, now_ms);
        assert_in_range(wait_ms, longest_ms[i] / 2, longest_ms[i]);
        assert_false(dialing_due(&d, now_ms + wait_ms - 1));
        now_ms += wait_ms;
    }
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

static void takes_as_many_addresses_as_an_invite_has(void **state)
{
    (void)state;
    struct dialing d = dialing_of(INVITE_ADDRESSES_MAX + 2);
    assert_int_equal(d.address_count, INVITE_ADDRESSES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_addresses_nothing_is_ever_due),
        cmocka_unit_test(waits_double_up_to_the_longest_with_half_of_it_chance),
        cmocka_unit_test(the_next_address_is_tried_before_the_wait),
        cmocka_unit_test(a_person_does_not_wait),
        cmocka_unit_test(a_flapping_network_does_not_make_it_hammer),
        cmocka_unit_test(takes_as_many_addresses_as_an_invite_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
