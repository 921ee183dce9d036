#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/csv.h"
#include "common/limits.h"

/* What was read, one line a row: "line:cell|cell" or "line:!ERR". */
static bool keep(void *state, const struct csv_row *row, enum err err)
{
    struct buf *out = state;
    buf_printf(out, "%d:", (int)row->line);
    if (err) buf_printf(out, "!%s", err_name(err));
    for (size_t i = 0; i < row->count && !err; i++) {
        if (i > 0) buf_append_byte(out, '|');
        buf_append_slice(out, row->cells[i]);
    }
    buf_append_byte(out, '\n');
    return true;
}

static void reads_as(const char *file, const char *rows)
{
    struct buf out = {0};
    assert_int_equal(csv_read(slice_of_text(file), keep, &out), OK);
    assert_string_equal(buf_text(&out), rows);
    buf_clear(&out);
}

static void reads_rows_with_their_lines(void **state)
{
    (void)state;
    reads_as("a,b\n1, 2 \n\n3,4", "1:a|b\n2:1|2\n4:3|4\n");
    reads_as("a,b\r\n1,\r\n", "1:a|b\n2:1|\n");
    reads_as("", "");
}

static void counts_lines_within_quotes(void **state)
{
    (void)state;
    reads_as("a,b\n\"one\ntwo\",\"say \"\"hi\"\", now\"\n3,4\n",
             "1:a|b\n2:one\ntwo|say \"hi\", now\n4:3|4\n");
}

static void takes_a_byte_order_mark_for_nothing(void **state)
{
    (void)state;
    reads_as(CSV_MARK "村庄,内容\n龙湾,水管\n", "1:村庄|内容\n2:龙湾|水管\n");
}

static void reads_gb18030_as_spreadsheets_write_it(void **state)
{
    (void)state;
    reads_as("\xb4\xe5\xd7\xaf\n\xc1\xfa\xcd\xe5\n", "1:村庄\n2:龙湾\n");
}

static void refuses_what_is_in_neither_encoding(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(csv_read(slice_of_text("a\xff\xff\n"), keep, &out), ERR_MALFORMED);
    assert_int_equal(out.size, 0);
}

static void loses_one_row_to_a_stray_quote_and_not_the_rest(void **state)
{
    (void)state;
    reads_as("a,b\n1,\"x\n3,4\n5,6\n", "1:a|b\n2:!ERR_MALFORMED\n3:3|4\n4:5|6\n");
}

static void goes_on_after_a_cell_that_is_too_long(void **state)
{
    (void)state;
    struct buf file = {0}, out = {0};
    buf_append_text(&file, "a,b\n1,");
    for (size_t i = 0; i <= LINE_SIZE_MAX; i++) buf_append_byte(&file, 'x');
    buf_append_text(&file, "\n3,4\n");
    assert_int_equal(csv_read(buf_slice(&file), keep, &out), OK);
    assert_string_equal(buf_text(&out), "1:a|b\n2:!ERR_LIMIT\n3:3|4\n");
    buf_clear(&file);
    buf_clear(&out);
}

static void marks_a_row_of_too_many_cells(void **state)
{
    (void)state;
    struct buf file = {0}, out = {0};
    for (int i = 0; i < CSV_COLUMNS_MAX; i++) buf_append_text(&file, ",");
    buf_append_text(&file, "\n1,2\n");
    assert_int_equal(csv_read(buf_slice(&file), keep, &out), OK);
    assert_string_equal(buf_text(&out), "1:!ERR_LIMIT\n2:1|2\n");
    buf_clear(&file);
    buf_clear(&out);
}

static bool stop(void *state, const struct csv_row *row, enum err err)
{
    (void)row;
    (void)err;
    ++*(int *)state;
    return false;
}

static void stops_when_asked_to(void **state)
{
    (void)state;
    int rows = 0;
    assert_int_equal(csv_read(slice_of_text("a\nb\nc\n"), stop, &rows), OK);
    assert_int_equal(rows, 1);
}

static void reads_back_what_it_writes(void **state)
{
    (void)state;
    static const char *const cells[] = {"plain",      "",        "with, comma", "\"quoted\"",
                                        "two\nlines", " blank ", "村庄"};
    struct buf file = {0}, out = {0};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        csv_write_cell(&file, slice_of_text(cells[i]), i == 0);
    buf_append_text(&file, "\r\n");
    assert_int_equal(csv_read(buf_slice(&file), keep, &out), OK);
    assert_string_equal(buf_text(&out),
                        "1:plain||with, comma|\"quoted\"|two\nlines| blank |村庄\n");
    buf_clear(&file);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows_with_their_lines),
        cmocka_unit_test(counts_lines_within_quotes),
        cmocka_unit_test(takes_a_byte_order_mark_for_nothing),
        cmocka_unit_test(reads_gb18030_as_spreadsheets_write_it),
        cmocka_unit_test(refuses_what_is_in_neither_encoding),
        cmocka_unit_test(loses_one_row_to_a_stray_quote_and_not_the_rest),
        cmocka_unit_test(goes_on_after_a_cell_that_is_too_long),
        cmocka_unit_test(marks_a_row_of_too_many_cells),
        cmocka_unit_test(stops_when_asked_to),
        cmocka_unit_test(reads_back_what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
