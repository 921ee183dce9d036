#include "tools/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/actor.h"
#include "proto/json.h"
#include "tools/choices.h"
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

static const char *person_words(struct cli *cli, struct txn *txn, struct slice bytes)
{
    char hex[33], name[256] = "";
    struct thing_id person;
    if (bytes.size != sizeof person.bytes) return "?";
    memcpy(person.bytes, bytes.data, sizeof person.bytes);
    hex_encode(hex, person.bytes, sizeof person.bytes);
    bool known = actor_name(txn, &person, name, sizeof name) && name[0];
    return known ? cli_format(cli, "%s", name) : cli_format(cli, "%s", hex);
}

const char *words_value(struct cli *cli, struct txn *txn, const struct field *field,
                        struct mp_reader *value)
{
    enum mp_type type = mp_peek(value);
    if (field && field->type == FIELD_THING && type == MP_BIN)
        return person_words(cli, txn, mp_read_bin(value, SIZE_MAX));
    if (field && field->type == FIELD_TIME && type == MP_UINT)
        return time_words(cli, mp_read_uint(value, UINT64_MAX));
    if (field && field->type == FIELD_CHOICE && type == MP_STR)
        return words_choice(cli, field->name, mp_read_str(value, SIZE_MAX));
    if (type == MP_BOOL) return mp_read_bool(value) ? _("yes") : _("no");
    if (type == MP_STR) return output_text(cli, mp_read_str(value, SIZE_MAX));
    json_t *json = json_of_value(mp_skip(value));
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *words = cli_format(cli, "%s", text ? text : "?");
    free(text);
    json_decref(json);
    return words;
}
