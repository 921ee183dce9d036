#define _GNU_SOURCE /* memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "node/store/local.h"
#include "tests/support/store.h"
#include "tests/support/bulk.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PARTS = 16 };

static struct township town;
static struct township_node hub, laptop;
static struct township_device *second; /* whose laptop it is; another one is of its village, too */
static struct device_keys hub_keys, laptop_keys;
static struct box_key transport;
static int files[PARTS];
static struct bundle_made made[PARTS];
static struct bundle_plan plan;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    box_pair_make(&transport, &laptop_keys.transport_secret);
    laptop_keys.transport = transport;
    town.transport = NULL;
    township_begin(&town, 2);
    town.transport = &transport;
    second = township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    laptop_keys.signer = second->signer;
    hub_keys.signer = town.hub.signer;
    township_node_open(&hub, &town, &town.hub);
    township_node_open(&laptop, &town, second);
    plan = (struct bundle_plan){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < plan.parts; i++) close(files[i]);
    township_node_close(&hub);
    township_node_close(&laptop);
    township_end(&town);
    return 0;
}

static struct bundle_making from_hub(uint64_t size_max)
{
    return (struct bundle_making){.store = hub.store,
                                  .views = hub.views,
                                  .keys = &hub_keys,
                                  .wall_ms = 1000,
                                  .to = laptop_keys.signer.key,
                                  .read_back = true,
                                  .size_max = size_max};
}

static int file_new(void)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* All parts, and what holds of any of them. */
static void export(uint64_t size_max)
{
    struct bundle_maker *m;
    const struct bundle_making making = from_hub(size_max);
    uint64_t bytes = 0;
    assert_int_equal(bundle_maker_open(&m, &making, &plan), OK);
    assert_in_range(plan.parts, 1, PARTS);
    for (uint32_t i = 0; i < plan.parts; i++) {
        files[i] = file_new();
        assert_int_equal(bundle_maker_next(m, files[i], &made[i]), OK);
        assert_int_equal(made[i].left, 0);
        assert_true(made[i].bytes <= size_max);
        assert_int_equal(lseek(files[i], 0, SEEK_END), made[i].bytes);
        if (i) assert_int_equal(made[i].number, made[i - 1].number + 1);
        bytes += made[i].bytes;
    }
    bundle_maker_close(m);
    assert_in_range(bytes, plan.bytes * 99 / 100, plan.bytes);
}

static struct bundle_taken take(unsigned part)
{
    struct bundle_taken taken;
    const struct bundle_taking taking = {
        .store = laptop.store, .views = laptop.views, .keys = &laptop_keys, .wall_ms = 5000};
    assert_int_equal(lseek(files[part], 0, SEEK_SET), 0);
    assert_int_equal(bundle_take(files[part], &taking, &taken), OK);
    assert_true(taken.verified && !taken.damaged);
    return taken;
}

/* --- */

static void what_fits_is_one_file(void **state)
{
    (void)state;
    bulk_record(&town, &town.devices[0], KIB(100));
    township_node_take_all(&hub, &town);
    export(BUNDLE_PART_SIZE_MIN);
    assert_int_equal(plan.parts, 1);
    assert_int_equal(take(0).refused, 0);
    assert_int_equal(test_events_held(laptop.store), test_events_held(hub.store));
}

/* Two feeds that together are too long: each has a file, and the roster is in both. */
static void a_feed_that_fits_is_not_cut_and_any_file_may_come_first(void **state)
{
    (void)state;
    bulk_record(&town, &town.devices[0], KIB(350));
    bulk_record(&town, second, KIB(350));
    township_node_take_all(&hub, &town);
    export(BUNDLE_PART_SIZE_MIN);
    assert_int_equal(plan.parts, 2);
    assert_int_equal(made[0].events + made[1].events, test_events_held(hub.store));
    struct bundle_taken taken = take(1);
    assert_int_equal(taken.refused, 0);
    assert_true(taken.fresh > made[1].events); /* the roster */
    assert_true(test_events_held(laptop.store) < test_events_held(hub.store));
    taken = take(0);
    assert_int_equal(taken.refused, 0);
    assert_int_equal(test_events_held(laptop.store), test_events_held(hub.store));
}

static void a_feed_that_is_longer_than_a_file_goes_on_in_the_next(void **state)
{
    (void)state;
    bulk_record(&town, &town.devices[0], KIB(200));
    bulk_record(&town, second, KIB(1400));
    township_node_take_all(&hub, &town);
    export(BUNDLE_PART_SIZE_MIN);
    assert_in_range(plan.parts, 4, 6);
    for (unsigned i = plan.parts; i-- > 0;) (void)take(i);
    assert_true(test_events_held(laptop.store) < test_events_held(hub.store));
    /* taken again, in their order, nothing is missing */
    for (unsigned i = 0; i < plan.parts; i++) assert_int_equal(take(i).refused, 0);
    assert_int_equal(test_events_held(laptop.store), test_events_held(hub.store));
}

static void what_comes_before_is_named_where_it_is_not_here(void **state)
{
    (void)state;
    bulk_record(&town, second, KIB(1200));
    township_node_take_all(&hub, &town);
    export(BUNDLE_PART_SIZE_MIN);
    assert_int_equal(plan.parts, 3); /* no more than it takes */
    struct bundle_taken taken = take(2);
    assert_true(taken.refused > 0 && !taken.refused_named); /* nothing of it is here */
    assert_int_equal(taken.why, ERR_BASE);
    assert_int_equal(take(0).refused, 0);
    taken = take(2);
    assert_true(taken.refused > 0 && taken.refused_named);
    assert_int_equal(taken.why, ERR_BASE);
}

/* Where one file is all there is, as on a pipe, the number of those that did not fit is told. */
static void one_file_says_how_much_is_left(void **state)
{
    (void)state;
    bulk_record(&town, &town.devices[0], KIB(800));
    township_node_take_all(&hub, &town);
    const struct bundle_making making = from_hub(BUNDLE_PART_SIZE_MIN);
    int fd = file_new();
    assert_int_equal(bundle_make(fd, &making, &made[0]), OK);
    assert_true(made[0].left > 0);
    assert_int_equal(made[0].events + made[0].left, test_events_held(hub.store));
    close(fd);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct bundle_maker *m;
    const struct bundle_making making = from_hub(BUNDLE_PART_SIZE_MIN - 1);
    assert_int_equal(bundle_maker_open(&m, &making, &plan), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fits_is_one_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_feed_that_fits_is_not_cut_and_any_file_may_come_first,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_feed_that_is_longer_than_a_file_goes_on_in_the_next,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_before_is_named_where_it_is_not_here, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_file_says_how_much_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_are_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
