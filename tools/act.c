#include "tools/act.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "common/time.h"
#include "tools/choices.h"
#include "tools/words.h"

/* The table of kinds takes any text; what a spreadsheet made of a number (1.38E+10) is caught here,
 * where a person can still correct it. */
static bool is_phone(const struct field *field)
{
    return strcmp(field->name, "phone") == 0;
}

static bool phone_plausible(struct slice text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (!digit && (text.data[i] == '\0' || strchr(" +-()/,;", text.data[i]) == NULL)) {
            return false;
        }
        digits += digit;
    }
    return digits >= 5;
}

void act_allowed(struct buf *out, const struct field *field)
{
    switch (field->type) {
    case FIELD_TEXT:
        if (is_phone(field)) {
            buf_append_text(out, _("digits, 5 at least, blanks and + - ( ) / between"));
            break;
        }
        buf_printf(out, _("text of %" PRId64 " to %" PRId64 " bytes"), field->min, field->max);
        break;
    case FIELD_UINT:
    case FIELD_INT:
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
            const char *shown = choice_shown(field->name, code);
            buf_printf(out, strcmp(shown, code) == 0 ? "%s%s" : "%s%s %s", separator, code, shown);
        }
        for (const char *at = field->sealed; at != NULL && choice_next(code, &at);) {
            const char *shown = choice_shown(field->name, code);
            buf_printf(out, strcmp(shown, code) == 0 ? "%s%s" : "%s%s %s", separator, code, shown);
        }
        break;
    }
    case FIELD_CODE:
        if (field->min == field->max) {
            buf_printf(out, _("%" PRId64 " digits"), field->min);
        } else {
            buf_printf(out, _("%" PRId64 " to %" PRId64 " digits"), field->min, field->max);
        }
        break;
    case FIELD_THING:
        buf_append_text(out, _("an id of 32 hex digits"));
        break;
    case FIELD_BYTES:
        buf_append_text(out, _("hex digits"));
        break;
    case FIELD_LIST:
        buf_printf(out, _("up to %" PRId64 " words with commas between"), field->max);
        break;
    case FIELD_ROWS:
        buf_printf(out, _("up to %" PRId64 " rows, as JSON in sidan record"), field->max);
        break;
    }
}

static struct slice trimmed(struct slice s)
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

/* The start of what was typed, for quoting in a message. */
static void quote(char *out, size_t size, struct slice text)
{
    struct buf shown = {0};
    text_append_shown(&shown, text_cut(text, 40));
    snprintf(out, size, "%s", buf_text(&shown));
    buf_clear(&shown);
}

static void allowed_into(struct act_problem *problem, const struct field *field)
{
    struct buf allowed = {0};
    act_allowed(&allowed, field);
    snprintf(problem->allowed, sizeof problem->allowed, "%s", buf_text(&allowed));
    buf_clear(&allowed);
}

enum err act_refuse(const struct field *field, struct slice text, struct act_problem *problem)
{
    char typed[128];
    quote(typed, sizeof typed, text);
    snprintf(problem->what, sizeof problem->what, _("%s: \"%s\" cannot be used"),
             words_field(field), typed);
    allowed_into(problem, field);
    return ERR_RANGE;
}

void act_explain(const struct kind *kind, const struct kind_problem *from,
                 struct act_problem *problem)
{
    const struct field *field = from->field[0] != '\0' ? kind_field(kind, from->field) : NULL;
    if (field == NULL) {
        snprintf(problem->what, sizeof problem->what, "%s%s%s", from->field,
                 from->field[0] != '\0' ? ": " : "", _(from->what));
        problem->allowed[0] = '\0';
        return;
    }
    snprintf(problem->what, sizeof problem->what, "%s: %s", words_field(field), _(from->what));
    allowed_into(problem, field);
}

/* --- text to values --- */

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

static bool put_bytes(struct mp_map *map, const struct field *field, struct slice text)
{
    uint8_t bytes[256];
    size_t size = text.size / 2;
    size_t max = field->type == FIELD_THING ? sizeof(struct thing_id) : sizeof bytes;
    if (size > max || hex_decode(bytes, size, (const char *)text.data, text.size) != OK) {
        return false;
    }
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_bin(&w, bytes, size);
    return true;
}

/* Words with commas between; Chinese commas too. */
static void put_list(struct mp_map *map, const struct field *field, struct slice text)
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
            struct slice word = trimmed((struct slice){text.data + start, at - start});
            if (word.size > 0) {
                mp_write_str(&item, word);
                count++;
            }
            start = at + comma;
        }
        at += comma > 0 ? comma : 1;
    }
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_array(&w, count);
    mp_write_raw(&w, buf_slice(&items));
    buf_clear(&items);
}

static bool put_int(struct mp_map *map, const struct field *field, struct slice text)
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
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_int(&w, value);
    return true;
}

static bool put_number(struct mp_map *map, const struct field *field, struct slice text)
{
    uint64_t v;
    if (!uint_of(text, &v) || v < (uint64_t)field->min || v > (uint64_t)field->max) {
        return false;
    }
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_uint(&w, v);
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

static bool put_time(struct mp_map *map, const struct field *field, struct slice text)
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
        struct mp_writer w = mp_map_put(map, field->name);
        mp_write_text(&w, terminated);
        return true;
    }
    uint64_t ms; /* as text, or in milliseconds, of which there are 12 digits since 1973 */
    if (!(text.size >= 12 && uint_of(text, &ms) && ms <= HLC_MS_MAX) &&
        time_parse(&ms, terminated) != OK &&
        (!loose_time(loose, terminated) || time_parse(&ms, loose) != OK)) {
        return false;
    }
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_uint(&w, ms);
    return true;
}

static bool put_value(struct mp_map *map, const struct field *field, struct slice text)
{
    switch (field->type) {
    case FIELD_UINT:
        return put_number(map, field, text);
    case FIELD_INT:
        return put_int(map, field, text);
    case FIELD_ROWS:
        return false;
    case FIELD_DATE:
    case FIELD_TIME:
        return put_time(map, field, text);
    case FIELD_THING:
    case FIELD_BYTES:
        return put_bytes(map, field, text);
    case FIELD_LIST:
        put_list(map, field, text);
        return true;
    case FIELD_BOOL: {
        bool v;
        if (!bool_of(text, &v)) {
            return false;
        }
        struct mp_writer w = mp_map_put(map, field->name);
        mp_write_bool(&w, v);
        return true;
    }
    case FIELD_CHOICE: {
        char code[CHOICE_CODE_SIZE];
        /* Whether what is for the office alone may stand here is the recorder's to judge. */
        if (!choice_code(code, field->name, field->choices, text) &&
            (field->sealed == NULL || !choice_code(code, field->name, field->sealed, text))) {
            return false;
        }
        struct mp_writer w = mp_map_put(map, field->name);
        mp_write_text(&w, code);
        return true;
    }
    case FIELD_TEXT:
    case FIELD_CODE: {
        bool fits = text.size >= (size_t)field->min && text.size <= (size_t)field->max;
        if (!fits || (field->type == FIELD_CODE && !all_digits(text))) {
            return false;
        }
        struct mp_writer w = mp_map_put(map, field->name);
        mp_write_str(&w, text);
        return text_valid(text);
    }
    }
    return false;
}

/* --- the act --- */

void act_begin(struct act *a, const struct kind *kind)
{
    a->kind = kind;
    mp_map_reset(&a->body);
    mp_map_reset(&a->box);
    buf_reset(&a->body_bytes);
    buf_reset(&a->box_bytes);
}

void act_clear(struct act *a)
{
    mp_map_clear(&a->body);
    mp_map_clear(&a->box);
    buf_clear(&a->body_bytes);
    buf_clear(&a->box_bytes);
}

enum err act_put(struct act *a, const char *field_name, struct slice text,
                 struct act_problem *problem)
{
    const struct field *field = kind_field(a->kind, field_name);
    text = trimmed(text);
    if (text.size == 0) {
        return OK;
    }
    if (field == NULL) {
        snprintf(problem->what, sizeof problem->what, _("%s has no field \"%s\""), a->kind->name,
                 field_name);
        problem->allowed[0] = '\0';
        return ERR_RANGE;
    }
    struct mp_map *map = field->personal ? &a->box : &a->body;
    if ((is_phone(field) && !phone_plausible(text)) || !put_value(map, field, text)) {
        return act_refuse(field, text, problem);
    }
    return map->bytes.err;
}

enum err act_end(struct act *a, struct draft *draft, struct act_problem *problem)
{
    enum err e = mp_map_end(&a->body, &a->body_bytes);
    if (e == OK && a->box.count > 0) {
        e = mp_map_end(&a->box, &a->box_bytes);
    }
    if (e != OK) {
        return e;
    }
    struct kind_problem found = {0};
    e = kind_check(a->kind, buf_slice(&a->body_bytes), buf_slice(&a->box_bytes), false, &found);
    if (e == ERR_RANGE) {
        act_explain(a->kind, &found, problem);
    }
    if (e == OK) {
        draft->kind = a->kind->name;
        draft->founding = a->kind->founding;
        draft->body = buf_slice(&a->body_bytes);
        draft->box = buf_slice(&a->box_bytes);
    }
    return e;
}
