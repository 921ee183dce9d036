#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS 3600000

struct fixture {
    char home[64];
    struct store *store;
    struct txn *t;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct store_identity identity = {.generation = {1}};
    const struct store_options options = {.map_size = MIB(16)};
    if (!f || crypto_init()) return -1;
    strcpy(f->home, "/tmp/sidan-clock-XXXXXX");
    if (!mkdtemp(f->home) || store_create(f->home, &identity) ||
        store_open(&f->store, f->home, &options) || txn_begin(f->store, true, &f->t))
        return -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];
    txn_abort(f->t);
    store_close(f->store);
    static const char *const names[] = {"store/data.mdb", "store/lock.mdb", "store/reserve",
                                        "store",          "reserve",        ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", f->home, names[i]);
        if (unlink(path)) rmdir(path);
    }
    free(f);
    return 0;
}

/* A laptop an hour after boot, whose clock stands in 2015. */
static struct clock_machine laptop(void)
{
    return (struct clock_machine){.wall_ms = UINT64_C(1420070400000),
                                  .boot_ms = HOUR_MS,
                                  .boot_id = "11111111-2222-3333-4444-555555555555"};
}

static void pass(struct clock_machine *m, uint64_t ms)
{
    m->wall_ms += ms;
    m->boot_ms += ms;
}

static void nobody_vouches_for_a_fresh_boot(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    clock_read_on(f->t, &m, &r);
    assert_false(r.trusted);
    assert_int_equal(r.wall_ms, m.wall_ms);
    assert_int_equal(r.offset_ms, 0);
    assert_string_equal(r.source, "none");
}

static void a_time_service_is_trusted_before_all(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    clock_learn_on(f->t, &m, m.wall_ms + HOUR_MS, m.wall_ms);
    m.synchronised = true;
    clock_read_on(f->t, &m, &r);
    assert_true(r.trusted);
    assert_int_equal(r.offset_ms, 0);
    assert_string_equal(r.source, "time service");
}

static void a_hub_corrects_a_clock_that_is_years_behind(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    const uint64_t hub_ms = UINT64_C(1795420811000);
    clock_learn_on(f->t, &m, hub_ms, m.wall_ms);
    pass(&m, 5 * HOUR_MS);
    clock_read_on(f->t, &m, &r);
    assert_true(r.trusted);
    assert_int_equal(r.wall_ms, hub_ms + 5 * HOUR_MS);
    assert_int_equal(r.offset_ms, (int64_t)(r.wall_ms - m.wall_ms));
    assert_string_equal(r.source, "hub");
}

static void the_hubs_time_stands_when_the_machine_is_set(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    clock_learn_on(f->t, &m, m.wall_ms + 10000, m.wall_ms);
    const uint64_t right_ms = m.wall_ms + 10000;
    m.wall_ms += 48 * UINT64_C(3600000); /* somebody turned it two days on */
    clock_read_on(f->t, &m, &r);
    assert_int_equal(r.wall_ms, right_ms);
    assert_true(r.offset_ms < 0);
}

static void a_persons_word_ends_when_the_machine_is_set(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    clock_vouch_on(f->t, &m);
    pass(&m, HOUR_MS);
    m.wall_ms += 1500; /* suspend shifts a little */
    clock_read_on(f->t, &m, &r);
    assert_true(r.trusted);
    assert_int_equal(r.offset_ms, 0);
    assert_string_equal(r.source, "person");
    m.wall_ms -= HOUR_MS;
    clock_read_on(f->t, &m, &r);
    assert_false(r.trusted);
}

static void nothing_lasts_beyond_the_boot(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop(), next = laptop();
    struct clock_reading r;
    next.boot_id[0] = '9';
    clock_vouch_on(f->t, &m);
    clock_read_on(f->t, &next, &r);
    assert_false(r.trusted);
    clock_learn_on(f->t, &m, m.wall_ms + HOUR_MS, m.wall_ms);
    clock_read_on(f->t, &next, &r);
    assert_false(r.trusted);
    assert_int_equal(r.offset_ms, 0);
    next.boot_id[0] = 0; /* a machine that does not say which boot this is */
    clock_vouch_on(f->t, &next);
    clock_read_on(f->t, &next, &r);
    assert_false(r.trusted);
}

static void the_last_word_counts(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    clock_vouch_on(f->t, &m);
    clock_learn_on(f->t, &m, m.wall_ms + HOUR_MS, m.wall_ms);
    clock_read_on(f->t, &m, &r);
    assert_string_equal(r.source, "hub");
    m.wall_ms += HOUR_MS; /* the person set it right and says so */
    clock_vouch_on(f->t, &m);
    clock_read_on(f->t, &m, &r);
    assert_string_equal(r.source, "person");
    assert_int_equal(r.wall_ms, m.wall_ms);
}

static void a_damaged_row_vouches_for_nothing(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m = laptop();
    struct clock_reading r;
    meta_put(f->t, "clock", slice_of_text("11111111-2222-3333-4444-555555555555p"));
    clock_read_on(f->t, &m, &r);
    assert_false(r.trusted);
}

static void this_machine_can_be_read(void **state)
{
    struct fixture *f = *state;
    struct clock_machine m;
    struct clock_reading r;
    clock_machine_read(&m);
    assert_int_equal(strlen(m.boot_id), 36);
    assert_true(m.wall_ms > UINT64_C(1577836800000)); /* 2020 */
    clock_vouch(f->t);
    clock_read(f->t, &r);
    assert_true(r.trusted);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(nobody_vouches_for_a_fresh_boot),
        CASE(a_time_service_is_trusted_before_all),
        CASE(a_hub_corrects_a_clock_that_is_years_behind),
        CASE(the_hubs_time_stands_when_the_machine_is_set),
        CASE(a_persons_word_ends_when_the_machine_is_set),
        CASE(nothing_lasts_beyond_the_boot),
        CASE(the_last_word_counts),
        CASE(a_damaged_row_vouches_for_nothing),
        CASE(this_machine_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
