#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

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

/* Text is written as this cell, and read back as it was. */
static void writes_as(const char *text, const char *cell)
{
    struct buf file = {0}, out = {0}, read = {0};
    csv_write_cell(&file, slice_of_text(text), true);
    assert_string_equal(buf_text(&file), cell);
    csv_write_cell(&file, slice_of_text("x"), false);
    buf_append_text(&file, CSV_ROW_END);
    assert_int_equal(csv_read(buf_slice(&file), keep, &out), OK);
    buf_printf(&read, "1:%s|x\n", text);
    assert_string_equal(buf_text(&out), buf_text(&read));
    buf_clear(&file);
    buf_clear(&out);
    buf_clear(&read);
}

static void lets_no_text_become_a_formula(void **state)
{
    (void)state;
    writes_as("=1+1", "'=1+1");
    writes_as("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"");
    writes_as("+8613812341234", "'+8613812341234");
    writes_as("-2+3", "'-2+3");
    writes_as("--5", "'--5");
    writes_as("@SUM(A1)", "'@SUM(A1)");
    writes_as("\t=1", "\"'\t=1\"");
    writes_as("\r=1", "\"'\r=1\"");
    writes_as("-5", "-5");
    writes_as("-0.5", "-0.5");
    writes_as("三组=四组", "三组=四组");
}

static void gives_an_apostrophe_of_the_text_back(void **state)
{
    (void)state;
    writes_as("'=1", "''=1");
    writes_as("''", "'''");
    writes_as("''=1", "'''=1");
    writes_as("'", "'");
    writes_as("'甲", "'甲");
}

static void keeps_codes_and_phones_text(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "0102",
        "13812341234",
        "431322111201",
        "0738-3212345",
        "03E-0127",
        "1e5",
        "1234567890e12345",
        "72/81",
        "2026-11",
        "2026-0001",
        "3-2",
        "1.2.3",
        "12345678901",
        "00.5",
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, "%s\t", codes[i]);
        writes_as(codes[i], cell);
    }
}

static void leaves_plain_numbers_and_dates_to_the_spreadsheet(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "0",        "81",    "1234567890", "3190.50", "88.9%", "2026-11-23", "2026-11-23T15:20",
        "03A-0127", "15:20", "e",          "—"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) writes_as(plain[i], plain[i]);
}

static void takes_guards_off_that_a_spreadsheet_saved(void **state)
{
    (void)state;
    reads_as("a,b\r\n\"0102\t\",\"'=1,5\"\r\n", "1:a|b\n2:0102|=1,5\n");
    reads_as("\"two\t\",'plain\n", "1:two\t|'plain\n");
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
        cmocka_unit_test(lets_no_text_become_a_formula),
        cmocka_unit_test(gives_an_apostrophe_of_the_text_back),
        cmocka_unit_test(keeps_codes_and_phones_text),
        cmocka_unit_test(leaves_plain_numbers_and_dates_to_the_spreadsheet),
        cmocka_unit_test(takes_guards_off_that_a_spreadsheet_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
