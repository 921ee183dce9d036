#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/file.h"
#include "node/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char home[64];
    char config[80];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    strcpy(f->home, "/tmp/sidan-settings-XXXXXX");
    if (!mkdtemp(f->home)) return -1;
    snprintf(f->config, sizeof f->config, "%s/config", f->home);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    unlink(f->config);
    int failed = rmdir(f->home); /* nothing temporary may be left */
    free(f);
    return failed;
}

static enum err parse(const char *text, struct settings *s, struct settings_problem *p)
{
    return settings_parse(s, slice_of_text(text), p);
}

static void a_missing_file_means_defaults(void **state)
{
    struct fixture *f = *state;
    struct settings s;
    struct settings_problem p;
    assert_int_equal(settings_load(&s, f->home, &p), OK);
    assert_string_equal(s.listen, "");
    assert_int_equal(s.hub_count, 0);
    assert_string_equal(s.log_level, "info");
    assert_int_equal(s.retry_min_s, 1);
    assert_int_equal(s.retry_max_s, 60);
}

static void reads_all_keys(void **state)
{
    (void)state;
    struct settings s;
    struct settings_problem p;
    assert_int_equal(parse("# hub\n\n  listen = tcp://0.0.0.0:7300\r\n"
                           "hub=tcp://10.8.0.1:7000 , tcp://hub.example:7000\n"
                           "actor = 00112233445566778899aabbccddeeff\nlang = en\n"
                           "log_level = warn\nretry_min_s = 1\nretry_max_s = 2",
                           &s, &p),
                     OK);
    assert_string_equal(s.listen, "tcp://0.0.0.0:7300");
    assert_int_equal(s.hub_count, 2);
    assert_string_equal(s.hub[1], "tcp://hub.example:7000");
    assert_string_equal(s.actor, "00112233445566778899aabbccddeeff");
    assert_string_equal(s.lang, "en");
    assert_int_equal(s.retry_max_s, 2);
}

static void refuses_bad_lines_and_names_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        unsigned line;
        const char *quoted;
    } cases[] = {
        {"listen\n", ERR_MALFORMED, 1, "listen"},
        {"\n= x\n", ERR_MALFORMED, 2, "= x"},
        {"colour = red\n", ERR_MALFORMED, 1, "colour"},
        {"lang = zh\nlang = en\n", ERR_MALFORMED, 2, "lang"},
        {"listen = 0.0.0.0:7300\n", ERR_RANGE, 1, "0.0.0.0:7300"},
        {"listen = tcp://localhost:7300\n", ERR_RANGE, 1, "localhost"},
        {"hub = tcp://10.0.0.1:0\n", ERR_RANGE, 1, "10.0.0.1:0"},
        {"hub = tcp://a:1 tcp://b:1 tcp://c:1 tcp://d:1 tcp://e:1\n", ERR_RANGE, 1, "at most 4"},
        {"actor = 0011\n", ERR_RANGE, 1, "0011"},
        {"lang = e\n", ERR_RANGE, 1, "zh en"},
        {"lang = zh en\n", ERR_RANGE, 1, "zh en"},
        {"peers = 192.168.1.7:7300\n", ERR_RANGE, 1, "192.168.1.7:7300"},
        {"peers = =tcp://192.168.1.7:7300\n", ERR_RANGE, 1, "NAME=tcp"},
        {"peers = tcp://192.168.1.7:0\n", ERR_RANGE, 1, "192.168.1.7:0"},
        {"peers = a=tcp://10.0.0.1:1 b=tcp://10.0.0.1:1\n", ERR_RANGE, 1, "twice"},
        {"peers = tcp://a:1 tcp://b:1 tcp://c:1 tcp://d:1 tcp://e:1 tcp://f:1 tcp://g:1 tcp://h:1 "
         "tcp://i:1\n",
         ERR_RANGE, 1, "at most 8"},
        {"log_level = loud\n", ERR_RANGE, 1, "error warn info debug"},
        {"retry_min_s = 0\n", ERR_RANGE, 1, "1 to 3600"},
        {"retry_min_s = 5s\n", ERR_RANGE, 1, "5s"},
        {"retry_min_s = 99999999999999999999\n", ERR_RANGE, 1, "1 to 3600"},
        {"retry_min_s = 60\nretry_max_s = 30\n", ERR_RANGE, 0, "retry_max_s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings s;
        struct settings_problem p;
        assert_int_equal(parse(cases[i].text, &s, &p), cases[i].err);
        assert_int_equal(p.line, cases[i].line);
        assert_non_null(strstr(p.text, cases[i].quoted));
    }
}

static void refuses_a_value_that_is_too_long_and_a_nul(void **state)
{
    (void)state;
    struct settings s;
    struct settings_problem p;
    char text[2000] = "hub = tcp://";
    memset(text + 12, 'a', 1500);
    assert_int_equal(parse(text, &s, &p), ERR_RANGE);
    assert_int_equal(settings_parse(&s, slice_of("lang = z\0h\n", 11), &p), ERR_MALFORMED);
}

static void sets_a_key_and_keeps_the_other_lines(void **state)
{
    struct fixture *f = *state;
    struct settings s;
    struct settings_problem p;
    struct buf text = {0};
    struct stat st;
    assert_int_equal(file_replace(f->config, slice_of_text("# mine\nlang = zh\nlisten = \n"), 0600),
                     OK);
    assert_int_equal(settings_set(f->home, "lang", "en", &p), OK);
    assert_int_equal(settings_set(f->home, "hub", "tcp://10.0.0.1:1", &p), OK);
    assert_int_equal(file_read(&text, f->config, 4096), OK);
    assert_string_equal(buf_text(&text), "# mine\nlang = en\nlisten = \nhub = tcp://10.0.0.1:1\n");
    assert_int_equal(stat(f->config, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(settings_set(f->home, "lang", "", &p), OK); /* back to the default */
    assert_int_equal(settings_load(&s, f->home, &p), OK);
    assert_string_equal(s.lang, "");
    buf_clear(&text);
}

static void a_refused_value_leaves_the_file_alone(void **state)
{
    struct fixture *f = *state;
    struct settings_problem p;
    struct buf text = {0};
    assert_int_equal(settings_set(f->home, "lang", "zh", &p), OK);
    assert_int_equal(settings_set(f->home, "lang", "fr", &p), ERR_RANGE);
    assert_int_equal(settings_set(f->home, "colour", "red", &p), ERR_NOT_FOUND);
    assert_int_equal(settings_set(f->home, "lang", "zh\nhub = x", &p), ERR_RANGE);
    assert_int_equal(file_read(&text, f->config, 4096), OK);
    assert_string_equal(buf_text(&text), "lang = zh\n");
    buf_clear(&text);
}

static void a_bad_line_can_be_mended_by_setting_its_key(void **state)
{
    struct fixture *f = *state;
    struct settings_problem p;
    assert_int_equal(file_replace(f->config, slice_of_text("lang = fr\n"), 0600), OK);
    assert_int_equal(settings_set(f->home, "retry_min_s", "9", &p), ERR_RANGE);
    assert_int_equal(settings_set(f->home, "lang", "zh", &p), OK);
}

static void every_key_has_words_and_shows_its_default(void **state)
{
    (void)state;
    struct setting row;
    struct settings s;
    struct settings_problem p;
    struct buf value = {0};
    size_t i = 0;
    assert_int_equal(parse("", &s, &p), OK);
    for (; settings_each(i, &row); i++) {
        assert_true(row.zh[0] && row.en[0]);
        buf_reset(&value);
        settings_value(&s, row.key, &value);
        assert_string_equal(buf_text(&value), row.def);
    }
    assert_int_equal(i, 11);
    buf_clear(&value);
}

static void a_neighbour_may_be_named(void **state)
{
    (void)state;
    struct settings s;
    struct settings_problem p;
    struct buf value = {0};
    assert_int_equal(parse("peers = 2号=tcp://192.168.1.7:7300, tcp://[fe80::1]:7300\n", &s, &p),
                     OK);
    assert_int_equal(s.peer_count, 2);
    assert_string_equal(s.peers[0].name, "2号");
    assert_string_equal(s.peers[0].address, "tcp://192.168.1.7:7300");
    assert_string_equal(s.peers[1].name, "");
    assert_string_equal(s.peers[1].address, "tcp://[fe80::1]:7300");
    settings_value(&s, "peers", &value);
    assert_string_equal(buf_text(&value), "2号=tcp://192.168.1.7:7300 tcp://[fe80::1]:7300");
    buf_clear(&value);
}

/* The longest that each of them may be, all at once. */
static void the_longest_neighbours_have_room(void **state)
{
    (void)state;
    struct settings s, again;
    struct settings_problem p;
    struct buf text = {0}, value = {0};
    buf_append_text(&text, "peers =");
    for (unsigned i = 0; i < SETTINGS_PEERS_MAX; i++) {
        char name[DEVICE_NAME_SIZE_MAX + 1], host[101];
        memset(name, 'n', sizeof name - 1);
        memset(host, 'h', sizeof host - 1);
        name[sizeof name - 1] = host[sizeof host - 1] = 0;
        buf_printf(&text, " %s=tcp://%s%u:65535", name, host, i);
    }
    assert_int_equal(settings_parse(&s, buf_slice(&text), &p), OK);
    assert_int_equal(s.peer_count, SETTINGS_PEERS_MAX);
    buf_append_text(&value, "peers = ");
    settings_value(&s, "peers", &value);
    assert_int_equal(settings_parse(&again, buf_slice(&value), &p), OK);
    assert_memory_equal(&again, &s, sizeof s);
    buf_clear(&text);
    buf_clear(&value);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_missing_file_means_defaults),
        CASE(reads_all_keys),
        CASE(refuses_bad_lines_and_names_them),
        CASE(refuses_a_value_that_is_too_long_and_a_nul),
        CASE(sets_a_key_and_keeps_the_other_lines),
        CASE(a_refused_value_leaves_the_file_alone),
        CASE(a_bad_line_can_be_mended_by_setting_its_key),
        CASE(a_neighbour_may_be_named),
        CASE(the_longest_neighbours_have_room),
        CASE(every_key_has_words_and_shows_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
