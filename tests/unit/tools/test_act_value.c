#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "common/i18n.h"
#include "tools/act_value.h"
#include "tools/choices.h"

static const struct field *field_of(const char *kind, const char *name)
{
    const struct kind *k = kind_find(slice_of_text(kind));
    assert_non_null(k);
    const struct field *f = kind_field(k, name);
    assert_non_null(f);
    return f;
}

/* The value as it is encoded, "" where the text is refused; lower-case hex. */
static const char *written(const struct field *f, const char *text)
{
    static char hex[512];
    struct buf value = {0};
    struct mp_writer w = {&value};
    bool taken = act_value_write(&w, f, slice_of_text(text));
    assert_true(taken == (value.size > 0));
    hex_encode(hex, value.data, value.size);
    buf_clear(&value);
    return hex;
}

static void takes_what_people_type(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *field, *text, *hex;
    } rows[] = {
        {"callback.record", "rating", "5", "05"},
        {"callback.record", "reached", "是", "c3"},
        {"callback.record", "reached", "no", "c2"},
        {"callback.record", "method", "电话", "a570686f6e65"},
        {"callback.record", "method", "visit", "a57669736974"},
        {"order.suspend", "review", "2026-11-23", "aa323032362d31312d3233"},
        {"order.suspend", "review", "2026/11/3", "aa323032362d31312d3033"},
        {"request.accept", "category", "0102", "a430313032"},
        {"request.accept", "due", "1970-01-01 08:00:01", "cd03e8"},
        {"duty.publish", "duties", "a, b、c", "93a161a162a163"},
        {"honour.award", "points", "93", "cd03a2"},
        {"honour.award", "points", "2.5", "19"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(written(field_of(rows[i].kind, rows[i].field), rows[i].text),
                            rows[i].hex);
}

static void refuses_what_cannot_stand_in_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *field, *text;
    } rows[] = {
        {"callback.record", "rating", "6"},        {"callback.record", "rating", "5x"},
        {"callback.record", "rating", ""},         {"callback.record", "reached", "maybe"},
        {"callback.record", "method", "letter"}, /* another kind's choice */
        {"order.suspend", "review", "2026-02-30"}, {"order.suspend", "review", "2026-11-23 08:00"},
        {"request.accept", "category", "12"},      {"request.accept", "category", "01a2"},
        {"request.accept", "due", "tomorrow"},     {"request.register", "phone", "1380000a"},
        {"request.register", "phone", "1.38E+10"}, {"request.register", "phone", "1234"},
        {"honour.award", "points", "2.55"},        {"honour.award", "points", "2."},
        {"honour.award", "points", "-1"},          {"honour.award", "points", "."},
        {"order.issue", "signed_by", "0102"},      {"attendance.record", "rows", "a,b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (*written(field_of(rows[i].kind, rows[i].field), rows[i].text))
            fail_msg("%s %s: \"%s\" was taken", rows[i].kind, rows[i].field, rows[i].text);
}

static void check_choices(const struct kind *k, const struct field *f)
{
    char code[CHOICE_CODE_SIZE], again[CHOICE_CODE_SIZE];
    for (const char *at = f->choices; at && choice_next(code, &at);) {
        const char *word = choice_shown(f->name, code);
        if (strlen(code) > 1 && strcmp(word, code) == 0)
            fail_msg("%s %s: no Chinese word for %s", k->name, f->name, code);
        if (!choice_code(again, f->name, f->choices, slice_of_text(word)) ||
            strcmp(again, code) != 0)
            fail_msg("%s %s: %s means %s and another", k->name, f->name, word, code);
    }
}

static void every_choice_has_a_chinese_word_of_its_own(void **state)
{
    (void)state;
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++)
        for (size_t n = 0; n < k->field_count; n++) {
            check_choices(k, &k->fields[n]);
            for (size_t c = 0; c < k->fields[n].column_count; c++)
                check_choices(k, &k->fields[n].columns[c]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_people_type),
        cmocka_unit_test(refuses_what_cannot_stand_in_the_field),
        cmocka_unit_test(every_choice_has_a_chinese_word_of_its_own),
    };
    i18n_start("zh", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
