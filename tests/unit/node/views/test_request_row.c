#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "node/views/request_row.h"

#define TEXT(text) slice_of_text(text)

/* Every member is another value, so that two that change places are seen. */
static const struct request full_of_numbers = {
    .state = REQUEST_SUSPENDED,
    .village = "431322111201",
    .urgency = 3,
    .township = true,
    .registered_ms = 101,
    .due_ms = 102,
    .next_due_ms = 103,
    .review_ms = 104,
    .supervised = 2,
    .both_changed = true,
    .supports[1].reported = true,
    .support_count = 2,
    .next_due_provisional = true,
    .rules = 12,
    .received_ms = 105,
    .accepted_ms = 106,
    .issued_ms = 107,
    .signed_ms = 108,
    .contacted_ms = 109,
    .reported_ms = 110,
    .closed_ms = 111,
    .escalated_ms = 112,
    .timing = {1, 2, 0, 2, 1},
    .untrusted = true,
    .suspended_since_ms = 113,
    .suspended_total_ms = 114,
    .extend_to_ms = 115,
    .extended = true,
    .rounds = 13,
    .objections = 14,
    .signer_by = {{1}},
    .has_reporter = true,
    .reporter_has_by = true,
    .reporter = {{2}},
    .reporter_by = {{3}},
    .callbacks_failed = 15,
    .failed_first_day = 16,
    .failed_last_day = 17,
    .callback_reached = true,
    .solved = SOLVED_NO,
    .contacted_in_time = TIMING_LATE,
    .rating = 4,
    .public = true,
    .merged_into = {{5}},
    .events = 18,
    .effective = 19,
};

static struct request full(void)
{
    struct request r = full_of_numbers;
    r.number = TEXT("01A-0001");
    r.official_number = TEXT("2025-0001");
    r.channel = TEXT("visit");
    r.nature = TEXT("help");
    r.category = TEXT("0103");
    r.class = TEXT("general");
    r.holder = TEXT("水利站");
    r.channel_ref = TEXT("A-7");
    r.supports[0].unit = TEXT("民政办");
    r.supports[1].unit = TEXT("派出所");
    r.result = TEXT("solved");
    r.archive_number = TEXT("2025-7");
    return r;
}

static struct slice written(struct buf *out, const struct request *r)
{
    buf_reset(out);
    request_row_write(out, r);
    assert_int_equal(out->err, OK);
    return buf_slice(out);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct buf a = {0}, b = {0};
    const struct request rows[] = {full(), {.state = REQUEST_REGISTERED}};
    for (size_t i = 0; i < 2; i++) {
        struct request r;
        struct slice row = written(&a, &rows[i]);
        assert_int_equal(request_row_read(&r, row), OK);
        assert_true(slice_equal(written(&b, &r), row));
        assert_int_equal(r.state, rows[i].state);
        assert_int_equal(r.escalated_ms, rows[i].escalated_ms);
        assert_int_equal(r.effective, rows[i].effective);
        assert_memory_equal(r.timing, rows[i].timing, sizeof r.timing);
    }
    buf_clear(&a);
    buf_clear(&b);
}

static void a_brief_reading_has_what_lists_need_and_leaves_the_rest(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct request before = full(), r = {.rounds = 77, .village = "999999999999"};
    assert_int_equal(request_row_read_brief(&r, written(&bytes, &before)), OK);
    assert_int_equal(r.state, REQUEST_SUSPENDED);
    assert_string_equal(r.village, "431322111201");
    assert_true(slice_equal(r.number, before.number) && slice_equal(r.holder, before.holder));
    assert_int_equal(request_next_moment(&r), 104);
    assert_true(r.both_changed && r.township && r.supervised == 2 && r.urgency == 3);
    assert_int_equal(r.rounds, 77);
    struct request none = {.state = REQUEST_REGISTERED};
    assert_int_equal(request_row_read_brief(&r, written(&bytes, &none)), OK);
    assert_string_equal(r.village, "");
    buf_clear(&bytes);
}

static void a_cut_or_changed_row_is_refused(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct request before = full(), r;
    struct slice row = written(&bytes, &before);
    for (size_t size = 0; size < row.size; size++)
        assert_int_equal(request_row_read(&r, slice_of(row.data, size)), ERR_CORRUPT);
    buf_append_byte(&bytes, 0);
    assert_int_equal(request_row_read(&r, buf_slice(&bytes)), ERR_CORRUPT);
    bytes.data[0]--; /* an array of one less */
    assert_int_equal(request_row_read(&r, buf_slice(&bytes)), ERR_CORRUPT);
    assert_int_equal(request_row_read_brief(&r, buf_slice(&bytes)), ERR_CORRUPT);
    buf_clear(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_brief_reading_has_what_lists_need_and_leaves_the_rest),
        cmocka_unit_test(a_cut_or_changed_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
