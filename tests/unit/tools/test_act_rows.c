#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "tools/act_rows.h"

/* Persons by their first letter: "a" is 6161..., "?" is nobody. */
static int person(void *state, const struct field *column, const char *text, const char **out)
{
    (void)column;
    struct cli *cli = state;
    if (*text == '?') return EXIT_NOT_FOUND;
    char hex[33];
    uint8_t id[16];
    memset(id, *text, sizeof id);
    hex_encode(hex, id, sizeof id);
    *out = cli_format(cli, "%s", hex);
    return EXIT_OK;
}

/* Reads the texts into rows of attendance and compares with "a 480 690 210;..."; the exit code is
 * returned where one is refused. */
static int rows_are(const char *const *texts, const char *wanted)
{
    struct cli cli = {.no_input = true};
    struct act_rows rows = {
        .cli = &cli,
        .field = kind_field(kind_find(slice_of_text("attendance.record")), "rows"),
        .cell = person,
        .state = &cli,
    };
    struct buf value = {0}, shown = {0};
    int code = EXIT_OK;
    for (; *texts && !code; texts++) code = act_rows_take(&rows, *texts);
    act_rows_write(&rows, &value);
    if (!code) {
        struct mp_reader r = mp_reader_of(buf_slice(&value));
        for (size_t left = mp_read_array(&r, 300); left > 0; left--) {
            assert_int_equal(mp_read_array(&r, 4), 4);
            buf_printf(&shown, "%s%c", shown.size ? ";" : "", mp_read_bin(&r, 16).data[0]);
            for (int i = 0; i < 3; i++)
                buf_printf(&shown, " %u", (unsigned)mp_read_uint(&r, UINT32_MAX));
        }
        assert_int_equal(mp_read_end(&r), OK);
        assert_string_equal(buf_text(&shown), wanted);
    }
    buf_clear(&value);
    buf_clear(&shown);
    act_rows_clear(&rows);
    cli_close(&cli);
    return code;
}

static int row_is(const char *text, const char *wanted)
{
    const char *texts[] = {text, NULL};
    return rows_are(texts, wanted);
}

static void reads_rows_in_each_of_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"a,08:00,11:30", "a 480 690 210"},
        {"a,8:00,11:30,180", "a 480 690 180"},
        {" a ， 480 ,690；b,0,60,60;", "a 480 690 210;b 0 60 60"},
        {"a,22:00,01:30", "a 1320 1530 210"}, /* a night's work */
        {"[[\"a\",480,690,200],[\"b\",\"09:00\",\"10:00\"]]", "a 480 690 200;b 540 600 60"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(row_is(cases[i].text, cases[i].rows), EXIT_OK);
    const char *two[] = {"a,08:00,09:00", "b,08:00,10:00", NULL};
    assert_int_equal(rows_are(two, "a 480 540 60;b 480 600 120"), EXIT_OK);
}

static void reads_a_table_by_the_names_of_its_columns(void **state)
{
    (void)state;
    char path[] = "/tmp/sidan-rows-XXXXXX", text[64];
    static const char csv[] = "结束,志愿者,start,说明\r\n11:30,a,08:00,x\r\n10:00,b,09:00,\r\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, csv, sizeof csv - 1) == (ssize_t)(sizeof csv - 1));
    close(fd);
    snprintf(text, sizeof text, "@%s", path);
    int code = row_is(text, "a 480 690 210;b 540 600 60");
    unlink(path);
    assert_int_equal(code, EXIT_OK);
    assert_int_not_equal(row_is(text, ""), EXIT_OK); /* it is gone */
}

static void refuses_rows_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a",                 /* needs more */
        "a,25:61,11:30",     /* no hour */
        "a,08:00,08:00",     /* no minutes */
        "a,08:00,11:30,1,2", /* too many */
        "a,08:00,11:30,0",
        "?,08:00,11:30",
        ",08:00,11:30",
        "[1,2]",
        "[[\"a\",1,2,3,4]]",
        "[",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (row_is(bad[i], "") == EXIT_OK) fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows_in_each_of_their_forms),
        cmocka_unit_test(reads_a_table_by_the_names_of_its_columns),
        cmocka_unit_test(refuses_rows_that_do_not_fit),
    };
    i18n_start("zh", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
