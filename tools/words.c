#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/person.h"
#include "proto/json.h"
#include "tools/act_value.h"
#include "tools/categories.h"
#include "tools/choices.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

const char *words_ago(struct cli *cli, uint64_t then_ms, uint64_t now_ms)
{
    if (then_ms == 0) return _("never");
    uint64_t ms = now_ms > then_ms ? now_ms - then_ms : 0;
    if (ms < MINUTE_MS) return _("just now");
    if (ms < HOUR_MS) return cli_format(cli, _("%u min ago"), (unsigned)(ms / MINUTE_MS));
    if (ms < 2 * DAY_MS) return cli_format(cli, _("%u h ago"), (unsigned)(ms / HOUR_MS));
    return cli_format(cli, _("%u days ago"), (unsigned)(ms / DAY_MS));
}

const char *words_span(struct cli *cli, uint64_t ms)
{
    unsigned minutes = (unsigned)(ms / MINUTE_MS), seconds = (unsigned)(ms / 1000 % 60);
    if (minutes == 0) return cli_format(cli, _("%u s"), seconds);
    if (minutes < 60) return cli_format(cli, _("%u min %u s"), minutes, seconds);
    return cli_format(cli, _("%u h %u min"), minutes / 60, minutes % 60);
}

const char *words_moment(struct cli *cli, uint64_t ms, uint64_t now_ms)
{
    if (ms == 0) return "-";
    char text[TIME_TEXT_SIZE];
    time_format(text, ms);
    return cli_format(cli, "%s", time_year(ms) == time_year(now_ms) ? text + 5 : text);
}

const char *words_bytes(struct cli *cli, uint64_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    if (bytes < 1024) return cli_format(cli, "%u B", (unsigned)bytes);
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++) value /= 1024;
    return cli_format(cli, "%.1f %s", value, units[unit]);
}

const char *words_rate(struct cli *cli, uint64_t bits_per_second)
{
    if (!bits_per_second) return "-";
    return cli_format(cli, _("%s/s"), words_bytes(cli, bits_per_second / 8));
}

const char *words_round_trip(struct cli *cli, uint64_t ms)
{
    if (!ms) return "-";
    return cli_format(cli, _("%.1f s"), (double)(ms < 100 ? 100 : ms) / 1000);
}

const char *words_kind(struct cli *cli, struct slice name)
{
    const struct kind *k = kind_find(name);
    if (!k) return output_text(cli, name);
    return i18n_is_chinese() ? k->zh : k->en;
}

const char *words_field(const struct field *field)
{
    return i18n_is_chinese() ? field->zh : field->en;
}

static const char *const roles_named[] = {
    N_("authority"), N_("village"), N_("dispatch"), N_("callback"), N_("office"),
    N_("finance"),   N_("unit"),    N_("mirror"),   N_("hub"),
};

const char *words_choice(struct cli *cli, const char *field, struct slice code)
{
    return choice_shown(field, output_text(cli, code));
}

const char *words_roles(struct cli *cli, uint32_t roles)
{
    const char *list = "";
    for (size_t i = 0; i < sizeof roles_named / sizeof roles_named[0]; i++)
        if (roles & 1u << i) /* the order of enum role */
            list = cli_format(cli, "%s%s%s", list, *list ? "," : "", _(roles_named[i]));
    return list;
}

const char *words_contact(enum err e)
{
    switch (e) {
    case ERR_UNREACHABLE:
        return _("cannot be reached");
    case ERR_TIMEOUT:
        return _("timed out");
    case ERR_FORBIDDEN:
        return _("refused");
    default:
        return cli_err_text(e);
    }
}

const char *words_effect(enum effect effect)
{
    static const char *const words[] = {
        [EFFECT_COUNTS] = N_("counts"),
        [EFFECT_UNKNOWN_KIND] = N_("kept for a later version"),
        [EFFECT_FORBIDDEN] = N_("without effect: not allowed"),
        [EFFECT_IMPOSSIBLE] = N_("without effect: not possible then"),
        [EFFECT_BAD_FIELD] = N_("without effect: a field is wrong"),
        [EFFECT_BAD_DEPTH] = N_("without effect: out of order"),
        [EFFECT_EXT] = N_("kept for a later version"),
        [EFFECT_LIMIT] = N_("without effect: too many records"),
    };
    return (size_t)effect < sizeof words / sizeof words[0] ? _(words[effect]) : effect_name(effect);
}

static const char *time_words(struct cli *cli, uint64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_format(text, ms);
    return cli_format(cli, "%s", text);
}

/* A person or a thing by what people call it, its id where nothing is known. */
static const char *thing_words(struct cli *cli, struct txn *txn, const struct field *field,
                               struct slice bytes)
{
    char hex[33];
    struct thing_key key;
    struct thing_id id;
    if (bytes.size != sizeof id.bytes) return "?";
    memcpy(id.bytes, bytes.data, sizeof id.bytes);
    hex_encode(hex, id.bytes, sizeof id.bytes);
    enum thing_type type = lookup_field_type(field);
    const char *name = type && lookup_typed_id(txn, type, &id, &key)
                           ? lookup_typed_name(cli, txn, type, &key)
                           : "";
    return *name ? name : cli_format(cli, "%s", hex);
}

static const char *bytes_words(struct cli *cli, struct slice bytes)
{
    char hex[17];
    hex_encode(hex, bytes.data, bytes.size < 8 ? bytes.size : 8);
    return cli_format(cli, "%s%s", hex, bytes.size > 8 ? "..." : "");
}

/* Rows one after the other, their cells by commas. */
static const char *rows_words(struct cli *cli, struct txn *txn, const struct field *field,
                              struct mp_reader *value)
{
    struct buf text = {0};
    size_t rows = mp_read_array(value, SIZE_MAX);
    for (size_t i = 0; i < rows && !value->err; i++) {
        size_t cells = mp_read_array(value, SIZE_MAX);
        if (i > 0) buf_append_text(&text, "; ");
        for (size_t c = 0; c < cells && !value->err; c++) {
            struct mp_reader cell = mp_reader_of(mp_skip(value));
            if (c > 0) buf_append_text(&text, ", ");
            if (mp_peek(&cell) == MP_NIL) continue;
            buf_append_text(
                &text,
                words_value(cli, txn, c < field->column_count ? &field->columns[c] : NULL, &cell));
        }
    }
    const char *words = cli_format(cli, "%s", buf_text(&text));
    buf_clear(&text);
    return words;
}

/* Points in tenths as people say them; the minute of a day that a row names as an hour. */
static const char *number_words(struct cli *cli, const struct field *field, int64_t n)
{
    bool hour = strcmp(field->name, "start") == 0 || strcmp(field->name, "end") == 0;
    if (hour && n >= 0) return cli_format(cli, "%02d:%02d", (int)(n / 60), (int)(n % 60));
    if (!act_is_tenths(field)) return cli_format(cli, "%" PRId64, n);
    int64_t size = n < 0 ? -n : n;
    return cli_format(cli, "%s%" PRId64 ".%" PRId64, n < 0 ? "-" : "", size / 10, size % 10);
}

static const char *list_words(struct cli *cli, struct mp_reader *value)
{
    const char *words = "";
    for (size_t left = mp_read_array(value, SIZE_MAX); left > 0 && !value->err; left--)
        words = cli_format(cli, "%s%s%s", words, *words ? ", " : "",
                           words_choice(cli, "category", mp_read_str(value, SIZE_MAX)));
    return words;
}

static const char *category_words(struct cli *cli, struct txn *txn, struct slice code)
{
    struct category_names names;
    struct buf text = {0};
    category_names_read(cli, txn, &names);
    category_print(&text, &names, code);
    const char *words = output_text(cli, buf_slice(&text));
    buf_clear(&text);
    return words;
}

static const char *phone_words(struct cli *cli, struct slice phone)
{
    const char *text = output_text(cli, phone);
    return person_phone_usable(phone) ? text : cli_format(cli, _("%s (! no phone number)"), text);
}

const char *words_value(struct cli *cli, struct txn *txn, const struct field *field,
                        struct mp_reader *value)
{
    enum mp_type type = mp_peek(value);
    if (field && field->type == FIELD_THING && type == MP_BIN)
        return thing_words(cli, txn, field, mp_read_bin(value, SIZE_MAX));
    if (field && field->type == FIELD_BYTES && type == MP_BIN)
        return bytes_words(cli, mp_read_bin(value, SIZE_MAX));
    if (field && field->type == FIELD_ROWS && type == MP_ARRAY)
        return rows_words(cli, txn, field, value);
    if (field && (field->type == FIELD_UINT || field->type == FIELD_INT) &&
        (type == MP_UINT || type == MP_INT))
        return number_words(cli, field, mp_read_int(value, INT64_MIN, INT64_MAX));
    if (field && field->type == FIELD_LIST && type == MP_ARRAY) return list_words(cli, value);
    if (field && field->type == FIELD_TIME && type == MP_UINT)
        return time_words(cli, mp_read_uint(value, UINT64_MAX));
    if (field && field->type == FIELD_CODE && type == MP_STR && !strcmp(field->name, "category"))
        return category_words(cli, txn, mp_read_str(value, SIZE_MAX));
    if (field && field->type == FIELD_CHOICE && type == MP_STR)
        return words_choice(cli, field->name, mp_read_str(value, SIZE_MAX));
    if (type == MP_BOOL) return mp_read_bool(value) ? _("yes") : _("no");
    if (field && strcmp(field->name, "phone") == 0 && type == MP_STR)
        return phone_words(cli, mp_read_str(value, SIZE_MAX));
    if (type == MP_STR) return output_text(cli, mp_read_str(value, SIZE_MAX));
    json_t *json = json_of_value(mp_skip(value));
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *words = cli_format(cli, "%s", text ? text : "?");
    free(text);
    json_decref(json);
    return words;
}
