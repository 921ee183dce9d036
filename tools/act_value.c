#include "tools/act_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "common/time.h"
#include "node/views/person.h"
#include "tools/choices.h"

static bool is_phone(const struct field *field)
{
    return strcmp(field->name, "phone") == 0;
}

/* Points are stored in tenths, and said as people say them: 2.5 is 25. */
bool act_is_tenths(const struct field *field)
{
    return (field->type == FIELD_UINT || field->type == FIELD_INT) &&
           strstr(field->en, "in tenths") != NULL;
}

void act_allowed(struct buf *out, const struct field *field)
{
    switch (field->type) {
    case FIELD_TEXT:
        if (is_phone(field)) {
            buf_append_text(out, _("digits, 5 at least, blanks and + - ( ) / between"));
            break;
        }
        buf_printf(out,
                   _("at most %" PRId64 " Chinese characters, or %" PRId64 " letters and digits"),
                   field->max / 3, field->max);
        break;
    case FIELD_UINT:
    case FIELD_INT:
        if (act_is_tenths(field)) {
            buf_printf(out, _("points with one decimal at most, up to %" PRId64), field->max / 10);
            break;
        }
        buf_printf(out, "%" PRId64 "-%" PRId64, field->min, field->max);
        break;
    case FIELD_BOOL:
        buf_append_text(out, _("yes or no"));
        break;
    case FIELD_DATE:
        buf_append_text(out, _("YYYY-MM-DD"));
        break;
    case FIELD_TIME:
        buf_append_text(out, _("YYYY-MM-DD HH:MM"));
        break;
    case FIELD_CHOICE: {
        char code[CHOICE_CODE_SIZE];
        const char *separator = "";
        for (const char *at = field->choices; choice_next(code, &at); separator = " | ") {
            buf_printf(out, "%s%s", separator, choice_shown(field->name, code));
        }
        for (const char *at = field->sealed; at != NULL && choice_next(code, &at);) {
            buf_printf(out, "%s%s", separator, choice_shown(field->name, code));
        }
        break;
    }
    case FIELD_CODE:
        if (strcmp(field->name, "category") == 0) {
            buf_append_text(out, _("a code or a name of sidan category list"));
        } else if (field->min == field->max) {
            buf_printf(out, _("%" PRId64 " digits"), field->min);
        } else {
            buf_printf(out, _("%" PRId64 " to %" PRId64 " digits"), field->min, field->max);
        }
        break;
    case FIELD_THING:
        buf_append_text(out, _("number, name or id"));
        break;
    case FIELD_BYTES:
        buf_append_text(out, _("hex digits"));
        break;
    case FIELD_LIST:
        buf_printf(out, _("up to %" PRId64 " words with commas between"), field->max);
        break;
    case FIELD_ROWS:
        buf_printf(
            out, _("up to %" PRId64 " rows: cells with commas, rows with ; between, or @FILE.csv"),
            field->max);
        break;
    }
}

/* --- text to values --- */

struct slice act_trimmed(struct slice s)
{
    while (s.size > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.size--;
    }
    while (s.size > 0 && strchr(" \t\r\n", s.data[s.size - 1]) != NULL) {
        s.size--;
    }
    return s;
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

static bool uint_of(struct slice text, uint64_t *out)
{
    if (text.size > 18 || !all_digits(text)) {
        return false;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < text.size; i++) {
        v = v * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = v;
    return true;
}

static bool bool_of(struct slice text, bool *out)
{
    static const char *const yes[] = {"yes", "y", "true", "1", "是", "有", "已"};
    static const char *const no[] = {"no", "n", "false", "0", "否", "无", "未"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (slice_is_text(text, yes[i]) || slice_is_text(text, no[i])) {
            *out = slice_is_text(text, yes[i]);
            return true;
        }
    }
    return false;
}

/* The text as a C string where it is short enough to be a date or a time. */
static bool short_text(char out[TIME_TEXT_SIZE], struct slice text)
{
    if (text.size >= TIME_TEXT_SIZE || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static bool put_bytes(struct mp_writer *w, const struct field *field, struct slice text)
{
    uint8_t bytes[256];
    size_t size = text.size / 2;
    size_t min = field->type == FIELD_THING ? sizeof(struct thing_id) : (size_t)field->min;
    size_t max = field->type == FIELD_THING ? sizeof(struct thing_id) : (size_t)field->max;
    if (size < min || size > max || size > sizeof bytes ||
        hex_decode(bytes, size, (const char *)text.data, text.size) != OK) {
        return false;
    }
    mp_write_bin(w, bytes, size);
    return true;
}

/* Words with commas between; Chinese commas too. */
static void put_list(struct mp_writer *w, struct slice text)
{
    static const char *const commas[] = {",", "，", "、"};
    struct buf items = {0};
    struct mp_writer item = {&items};
    size_t count = 0, start = 0;
    for (size_t at = 0; at <= text.size;) {
        size_t comma = at == text.size ? 1 : 0;
        for (size_t i = 0; i < 3 && comma == 0; i++) {
            size_t size = strlen(commas[i]);
            if (text.size - at >= size && memcmp(text.data + at, commas[i], size) == 0) {
                comma = size;
            }
        }
        if (comma > 0) {
            struct slice word = act_trimmed((struct slice){text.data + start, at - start});
            if (word.size > 0) {
                mp_write_str(&item, word);
                count++;
            }
            start = at + comma;
        }
        at += comma > 0 ? comma : 1;
    }
    mp_write_array(w, count);
    mp_write_raw(w, buf_slice(&items));
    buf_clear(&items);
}

/* "2.5" as "25", "2" as "20". */
static bool tenths_of(char out[24], struct slice text)
{
    const uint8_t *point = text.size > 0 ? memchr(text.data, '.', text.size) : NULL;
    size_t whole = point != NULL ? (size_t)(point - text.data) : text.size;
    if (whole == 0 || whole > 20 || (point != NULL && text.size != whole + 2)) {
        return false;
    }
    snprintf(out, 24, "%.*s%c", (int)whole, (const char *)text.data,
             point != NULL ? point[1] : '0');
    return true;
}

static bool put_int(struct mp_writer *w, const struct field *field, struct slice text)
{
    uint64_t v;
    bool negative = text.size > 1 && text.data[0] == '-';
    struct slice digits = negative ? slice_of(text.data + 1, text.size - 1) : text;
    if (!uint_of(digits, &v)) {
        return false;
    }
    int64_t value = negative ? -(int64_t)v : (int64_t)v;
    if (value < field->min || value > field->max) {
        return false;
    }
    mp_write_int(w, value);
    return true;
}

static bool put_number(struct mp_writer *w, const struct field *field, struct slice text)
{
    uint64_t v;
    if (!uint_of(text, &v) || v < (uint64_t)field->min || v > (uint64_t)field->max) {
        return false;
    }
    mp_write_uint(w, v);
    return true;
}

enum { DATE_SIZE = 10 }; /* of YYYY-MM-DD */

/* As people and spreadsheets write it: 2026/1/5 8:30, 2026-1-5; false: as nobody does. */
static bool loose_time(char out[TIME_TEXT_SIZE], const char *text)
{
    int year, month, day, hour = 0, minute = 0, size = 0, rest = 0;
    if (sscanf(text, "%4d%*1[-/.]%2d%*1[-/.]%2d%n", &year, &month, &day, &size) < 3) {
        return false;
    }
    bool clock = text[size] != '\0';
    if (clock && (sscanf(text + size, " %2d:%2d%n", &hour, &minute, &rest) < 2 ||
                  text[size + rest] != '\0')) {
        return false;
    }
    size =
        snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d", year, month, day, hour, minute);
    return size > 0 && size < TIME_TEXT_SIZE;
}

static bool put_time(struct mp_writer *w, const struct field *field, struct slice text)
{
    char terminated[TIME_TEXT_SIZE], loose[TIME_TEXT_SIZE];
    if (!short_text(terminated, text)) {
        return false;
    }
    if (field->type == FIELD_DATE) {
        if (!time_date_valid(terminated)) {
            /* 2022/3/5, also with the midnight that a spreadsheet adds */
            if (!loose_time(loose, terminated) || strcmp(loose + DATE_SIZE, " 00:00") != 0) {
                return false;
            }
            loose[DATE_SIZE] = '\0';
            memcpy(terminated, loose, DATE_SIZE + 1);
        }
        if (!time_date_valid(terminated)) {
            return false;
        }
        mp_write_text(w, terminated);
        return true;
    }
    uint64_t ms; /* as text, or in milliseconds, of which there are 12 digits since 1973 */
    if (!(text.size >= 12 && uint_of(text, &ms) && ms <= HLC_MS_MAX) &&
        time_parse(&ms, terminated) != OK &&
        (!loose_time(loose, terminated) || time_parse(&ms, loose) != OK)) {
        return false;
    }
    mp_write_uint(w, ms);
    return true;
}

bool act_value_write(struct mp_writer *w, const struct field *field, struct slice text)
{
    char tenths[24];
    if (act_is_tenths(field)) {
        if (!tenths_of(tenths, text)) {
            return false;
        }
        text = slice_of_text(tenths);
    }
    switch (field->type) {
    case FIELD_UINT:
        return put_number(w, field, text);
    case FIELD_INT:
        return put_int(w, field, text);
    case FIELD_ROWS:
        return false;
    case FIELD_DATE:
    case FIELD_TIME:
        return put_time(w, field, text);
    case FIELD_THING:
    case FIELD_BYTES:
        return put_bytes(w, field, text);
    case FIELD_LIST:
        put_list(w, text);
        return true;
    case FIELD_BOOL: {
        bool v;
        if (!bool_of(text, &v)) {
            return false;
        }
        mp_write_bool(w, v);
        return true;
    }
    case FIELD_CHOICE: {
        char code[CHOICE_CODE_SIZE];
        /* Whether what is for the office alone may stand here is the recorder's to judge. */
        if (!choice_code(code, field->name, field->choices, text) &&
            (field->sealed == NULL || !choice_code(code, field->name, field->sealed, text))) {
            return false;
        }
        mp_write_text(w, code);
        return true;
    }
    case FIELD_TEXT:
    case FIELD_CODE: {
        bool fits = text.size >= (size_t)field->min && text.size <= (size_t)field->max;
        if (!fits || !text_valid(text) || (field->type == FIELD_CODE && !all_digits(text)) ||
            (is_phone(field) && !person_phone_usable(text))) {
            return false;
        }
        mp_write_str(w, text);
        return true;
    }
    }
    return false;
}
