#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"
#include "tools/flags.h"

#define WORDS_MAX 16

static char errors[] = "/tmp/sidan-cli-XXXXXX"; /* what the line under test printed to stderr */

/* stderr goes into the file in between; cmocka writes its own failures there. */
static int kept = -1;

static void capture(void)
{
    fflush(stderr);
    kept = dup(STDERR_FILENO);
    int fd = open(errors, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

static void release(void)
{
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

/* Parses a line of words with one blank between; the texts live as long as `line`. */
static int parse(struct cli *cli, char *line)
{
    char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t) "sidan"};
    int argc = 1;
    for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    *cli = (struct cli){0};
    capture();
    int code = cli_parse(cli, argc, argv);
    release();
    return code;
}

static void error_says(const char *text)
{
    char printed[4096];
    int fd = open(errors, O_RDONLY);
    ssize_t size = read(fd, printed, sizeof printed - 1);
    close(fd);
    assert_true(size >= 0);
    printed[size] = 0;
    if (!strstr(printed, text)) fail_msg("\"%s\" is not in:\n%s", text, printed);
}

/* Behind its verb a flag is the verb's, so it may differ; the fewer do, the better. */
static bool may_differ(const char *name)
{
    return strcmp(name, "--reply") == 0;
}

static void a_flag_takes_a_value_in_every_verb_or_in_none(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->name; c++)
        for (const struct flag *f = flags_of(c); f->name; f++) {
            for (const struct flag *g = cli_global_flags; g->name; g++)
                assert_true(strcmp(f->name, g->name) != 0 || !f->value == !g->value);
            for (const struct command *d = commands; d->name; d++)
                for (const struct flag *g = flags_of(d); g->name; g++)
                    if (strcmp(f->name, g->name) == 0 && !f->value != !g->value &&
                        !may_differ(f->name))
                        fail_msg("%s: %s and %s differ", f->name, c->name, d->name);
        }
}

static void names_of_verbs_are_unique(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->name; c++)
        for (const struct command *d = c + 1; d->name; d++) {
            assert_string_not_equal(c->name, d->name);
            if (c->zh && d->zh) assert_string_not_equal(c->zh, d->zh);
        }
}

static void nothing_means_status(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "";
    assert_int_equal(parse(&cli, line), EXIT_OK);
    assert_string_equal(cli.command->name, "status");
    cli_close(&cli);
}

static void a_flag_behind_its_verb_is_the_verbs(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "bundle import a.sidan --reply --json";
    char other[] = "answer 03A-0127 --reply --json";
    assert_int_equal(parse(&cli, line), EXIT_OK);
    assert_true(cli.json && cli_has(&cli, "--reply"));
    cli_close(&cli);
    assert_int_equal(parse(&cli, other), EXIT_OK);
    assert_false(cli.json);
    assert_string_equal(cli_flag(&cli, "--reply"), "--json");
    cli_close(&cli);
}

static void takes_flags_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--json -n 5 log --home /h --kind request.* --timeout 30s --lang en",
        "log --json --home=/h -n=5 --kind=request.* --timeout=30 --lang=en",
        "--lang en --timeout 30 --kind request.* --home /h log -n 5 --json",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct cli cli;
        char line[128];
        uint64_t n = 0;
        snprintf(line, sizeof line, "%s", lines[i]);
        assert_int_equal(parse(&cli, line), EXIT_OK);
        assert_string_equal(cli.command->name, "log");
        assert_true(cli.json && cli.has_timeout);
        assert_string_equal(cli.home, "/h");
        assert_int_equal(cli.timeout_ms, 30000);
        assert_string_equal(cli_flag(&cli, "--kind"), "request.*");
        assert_int_equal(cli_flag_uint(&cli, "-n", 1, 10, &n), EXIT_OK);
        assert_int_equal(n, 5);
        assert_null(cli_flag(&cli, "--feed"));
        assert_false(cli_has(&cli, "-f"));
        cli_close(&cli);
    }
}

static void takes_a_verb_with_its_object_and_arguments(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "config set actor --no-input -- --odd";
    assert_int_equal(parse(&cli, line), EXIT_OK);
    assert_string_equal(cli.command->name, "config set");
    assert_true(cli.no_input);
    assert_int_equal(cli.argument_count, 2);
    assert_string_equal(cli_argument(&cli, 0), "actor");
    assert_string_equal(cli_argument(&cli, 1), "--odd");
    assert_null(cli_argument(&cli, 2));
    cli_close(&cli);
}

static void every_field_of_a_kind_is_a_flag_of_its_verb(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->name; c++) {
        const struct kind *k = c->kind ? kind_find(slice_of_text(c->kind)) : NULL;
        if (c->kind && !k) fail_msg("%s: there is no kind %s", c->name, c->kind);
        for (size_t i = 0; k && i < k->field_count; i++) {
            char name[64] = "--";
            const struct field *f = &k->fields[i];
            for (size_t at = 0; f->name[at]; at++)
                name[at + 2] = f->name[at] == '_' ? '-' : f->name[at];
            const struct flag *flag = flags_find(c, slice_of_text(name));
            if (flags_field_is_filled_in(k, f)) continue;
            if (!flag) fail_msg("sidan %s has no %s", c->name, name);
            assert_true(flag->value != NULL);
            assert_ptr_equal(flags_field(c, flag), f);
        }
    }
}

static void a_field_answers_to_each_of_its_names(void **state)
{
    (void)state;
    static const char *const names[] = {"--to", "--unit", "--主办单位"};
    for (size_t i = 0; i < 3; i++) {
        struct cli cli;
        char line[128];
        snprintf(line, sizeof line, "assign 03A-0127 %s 水务站 --due=2030-12-31", names[i]);
        assert_int_equal(parse(&cli, line), EXIT_OK);
        assert_string_equal(cli_field(&cli, "unit"), "水务站");
        assert_string_equal(cli_flag(&cli, "--to"), "水务站");
        assert_string_equal(cli_flag(&cli, "--due"), "2030-12-31");
        assert_null(cli_field(&cli, "task"));
        cli_close(&cli);
    }
}

static void takes_chinese_verbs(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "状态 龙湾";
    assert_int_equal(parse(&cli, line), EXIT_OK);
    assert_string_equal(cli.command->name, "status");
    assert_string_equal(cli_argument(&cli, 0), "龙湾");
    cli_close(&cli);
}

static void refuses_bad_lines_and_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"stauts", "sidan status ?"},
        {"stauts", "\"stauts\""},
        {"confg get", "sidan config ?"},
        {"xyzzy", "sidan help"},
        {"登计", "sidan 登记"},
        {"同部", "同意 / 同步"}, /* as near */
        {"啊啊", "sidan help"},
        {"--home vi stauts", "sidan --home vi status ?"},
        {"--home vi --json stauts", "sidan --home vi status ?"},
        {"config", "get, set"},
        {"config git", "\"config git\""},
        {"log --fed x", "--feed ?"},
        {"log --feed", "--feed FEED"},
        {"status --all=3", "--all takes no value"},
        {"status a b", "\"b\""},
        {"show", "ID|NUMBER"},
        {"status --kind x", "\"--kind\""}, /* another verb's flag */
        {"close 03A-0127 --resutl solved", "--result ?"},
        {"sign 03A-0127 --unit x", "\"--unit\""},       /* another kind's field */
        {"register --number 03A-0127", "\"--number\""}, /* filled in, not asked */
        {"status --timeout soon", "\"soon\""},
        {"status --color blue", "auto, always, never"},
        {"status --lang fr", "zh, en"},
    };
    setenv("SIDAN_LANG", "en", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cli cli;
        char line[128];
        snprintf(line, sizeof line, "%s", rows[i].line);
        assert_int_equal(parse(&cli, line), EXIT_USAGE);
        error_says(rows[i].says);
        cli_close(&cli);
    }
}

static void refuses_numbers_out_of_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "11", "-1", "x", "5x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cli cli;
        char line[64];
        uint64_t n = 7;
        snprintf(line, sizeof line, "log -n %s", bad[i]);
        assert_int_equal(parse(&cli, line), EXIT_OK);
        capture();
        int code = cli_flag_uint(&cli, "-n", 1, 10, &n);
        release();
        assert_int_equal(code, EXIT_USAGE);
        error_says("1 to 10");
        assert_int_equal(n, 7);
        cli_close(&cli);
    }
}

static void an_error_in_json_has_three_parts(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "stauts --json";
    assert_int_equal(parse(&cli, line), EXIT_USAGE);
    error_says("{\"schema\":\"sidan.error/1\",\"code\":2,\"what\":");
    error_says("\"why\":null,\"do\":\"did you mean sidan status ?\"}");
    cli_close(&cli);
}

static void help_needs_no_arguments(void **state)
{
    (void)state;
    struct cli cli;
    char line[] = "show -h";
    assert_int_equal(parse(&cli, line), EXIT_OK);
    assert_true(cli.help);
    cli_close(&cli);
}

static void a_very_long_line_is_refused(void **state)
{
    (void)state;
    struct cli cli = {0};
    static char word[] = "x";
    char *argv[200];
    for (size_t i = 0; i < 200; i++) argv[i] = word;
    assert_int_equal(cli_parse(&cli, 200, argv), EXIT_USAGE);
    cli_close(&cli);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_takes_a_value_in_every_verb_or_in_none),
        cmocka_unit_test(names_of_verbs_are_unique),
        cmocka_unit_test(nothing_means_status),
        cmocka_unit_test(a_flag_behind_its_verb_is_the_verbs),
        cmocka_unit_test(takes_flags_anywhere),
        cmocka_unit_test(takes_a_verb_with_its_object_and_arguments),
        cmocka_unit_test(every_field_of_a_kind_is_a_flag_of_its_verb),
        cmocka_unit_test(a_field_answers_to_each_of_its_names),
        cmocka_unit_test(takes_chinese_verbs),
        cmocka_unit_test(refuses_bad_lines_and_says_what_to_do),
        cmocka_unit_test(refuses_numbers_out_of_range),
        cmocka_unit_test(an_error_in_json_has_three_parts),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(a_very_long_line_is_refused),
    };
    int fd = mkstemp(errors);
    if (fd < 0) return 1;
    close(fd);
    setenv("SIDAN_LANG", "en", 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(errors);
    return failed != 0;
}
