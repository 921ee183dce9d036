#include "tools/lookup.h"

#include "common/text.h"
#include "node/township.h"
#include "node/views/actor.h"
#include "node/views/request.h"
#include "tools/output.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_NIBBLES_MIN 6
#define CANDIDATES_SHOWN 6

static int not_found(struct cli *cli, const char *what, const char *todo)
{
    return cli_error(cli, EXIT_NOT_FOUND, what, NULL, todo);
}

/* Whole hex digits, as many as there are; SIZE_MAX: not hex or too long. */
static size_t parse_prefix(uint8_t *out, size_t size, const char *text)
{
    size_t nibbles = strlen(text);
    if (nibbles < PREFIX_NIBBLES_MIN || nibbles > 2 * size) return SIZE_MAX;
    char padded[66];
    snprintf(padded, sizeof padded, "%s%s", text, nibbles % 2 ? "0" : "");
    return hex_decode(out, (nibbles + 1) / 2, padded, strlen(padded)) ? SIZE_MAX : nibbles;
}

static bool has_prefix(const uint8_t *id, const uint8_t *prefix, size_t nibbles)
{
    if (memcmp(id, prefix, nibbles / 2) != 0) return false;
    return nibbles % 2 == 0 || (id[nibbles / 2] & 0xf0) == (prefix[nibbles / 2] & 0xf0);
}

/* Matches gathered while a list is walked: the only one, or the names to choose from. */
struct matches {
    size_t count;
    const char *names; /* "a, b" */
};

static void add_match(struct cli *cli, struct matches *m, const char *name)
{
    if (m->count < CANDIDATES_SHOWN)
        m->names = m->names ? cli_format(cli, "%s, %s", m->names, name) : name;
    m->count++;
}

static int ambiguous(struct cli *cli, const char *text, const struct matches *m)
{
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" can be more than one"), text),
                     cli_format(cli, _("%zu match: %s"), m->count, m->names),
                     _("type the code or more of the id"));
}

/* --- villages --- */

/* Those that sound like it; else those whose name has it within. */
static struct matches villages_like(struct cli *cli, const struct roster *roster, const char *text)
{
    struct matches sounding = {0}, within = {0};
    for (size_t i = 0; i < roster->village_count; i++) {
        const struct village *v = &roster->villages[i];
        const char *named = cli_format(cli, "%s %s", v->short_name, v->code);
        if (township_village_sounds(v, slice_of_text(text))) add_match(cli, &sounding, named);
        if (*text && strstr(v->name, text)) add_match(cli, &within, named);
    }
    return sounding.count ? sounding : within;
}

int lookup_village(struct cli *cli, const struct roster *roster, const char *text,
                   const struct village **out)
{
    enum err e = township_find_village(roster, slice_of_text(text), out);
    if (!e) return EXIT_OK;
    struct matches m = villages_like(cli, roster, text);
    if (e == ERR_AMBIGUOUS) return ambiguous(cli, text, &m);
    return cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("there is no village \"%s\""), text),
                     m.count ? cli_format(cli, _("similar: %s"), m.names) : NULL,
                     _("its 12-digit code, its name or its pinyin; sidan status --all lists them"));
}

int lookup_village_flag(struct cli *cli, struct txn *txn, const struct roster *roster,
                        uint32_t *scope_number, bool *none)
{
    const char *text = cli_flag(cli, "--village");
    const struct village *v;
    struct scope_row row;
    *scope_number = 0;
    *none = false;
    if (!text) return EXIT_OK;
    int code = lookup_village(cli, roster, text, &v);
    if (code) return code;
    struct scope scope = scope_of_village(v->code);
    *none = !scope_find(txn, &scope, &row);
    if (!*none) *scope_number = row.number;
    return EXIT_OK;
}

const char *lookup_village_name(const struct roster *roster, const char *code)
{
    const struct village *v = roster_village(roster, code);
    return v ? v->short_name : code;
}

/* --- devices --- */

static const uint8_t *device_id(const struct device *d)
{
    return d->state == DEVICE_INVITED ? d->invite.bytes : d->first.bytes;
}

int lookup_device(struct cli *cli, const struct roster *roster, const char *text,
                  const struct device **out)
{
    uint8_t prefix[32];
    size_t nibbles = parse_prefix(prefix, sizeof prefix, text);
    struct matches m = {0};
    const struct device *found = NULL;
    for (size_t i = 0; i < roster->device_count; i++) {
        const struct device *d = &roster->devices[i];
        if (strcmp(d->name, text) != 0 &&
            (nibbles == SIZE_MAX || !has_prefix(device_id(d), prefix, nibbles)))
            continue;
        char hex[17];
        hex_encode(hex, device_id(d), 8);
        found = d;
        add_match(cli, &m, cli_format(cli, "%s %s", d->name, hex));
    }
    if (m.count > 1) return ambiguous(cli, text, &m);
    if (!found)
        return not_found(cli, cli_format(cli, _("there is no device \"%s\""), text),
                         _("its name, or 6 and more digits of its id; sidan devices lists them"));
    *out = found;
    return EXIT_OK;
}

const char *lookup_device_name(struct cli *cli, const struct roster *roster,
                               const struct sign_key *key)
{
    if (roster_is_authority(roster, key)) return _("authority");
    if (roster_is_recovery(roster, key)) return _("recovery key");
    const struct device *d = roster_device(roster, key);
    if (d && d->name[0]) return d->name;
    char hex[17];
    hex_encode(hex, key->bytes, 8);
    return cli_format(cli, "?%s", hex);
}

/* --- things and persons --- */

int lookup_thing(struct cli *cli, struct txn *txn, const char *text, struct thing_key *out)
{
    enum err e = request_find_number(txn, slice_of_text(text), out);
    if (!e) return EXIT_OK;
    if (e != ERR_NOT_FOUND) return cli_fail(cli, e, cli_format(cli, _("the number \"%s\""), text));
    uint8_t prefix[16];
    struct thing_key found[CANDIDATES_SHOWN];
    struct visible visible;
    size_t nibbles = parse_prefix(prefix, sizeof prefix, text), count = 0;
    if (nibbles != SIZE_MAX) {
        int code = cli_visible(cli, txn, &visible);
        if (code) return code;
        count = visible_find_prefix(&visible, txn, prefix, nibbles, found, CANDIDATES_SHOWN);
        visible_end(&visible);
    }
    if (count == 0)
        return not_found(cli, cli_format(cli, _("nothing here has the number or id \"%s\""), text),
                         _("a number like 03A-0127, or 6 and more digits of an id"));
    struct matches m = {0};
    for (size_t i = 0; i < count && count > 1; i++) {
        char hex[33];
        hex_encode(hex, found[i].thing.bytes, sizeof found[i].thing.bytes);
        add_match(cli, &m, cli_format(cli, "%s", hex));
    }
    if (m.count > 1) return ambiguous(cli, text, &m);
    *out = found[0];
    return EXIT_OK;
}

struct actor_search {
    struct cli *cli;
    const char *text;
    uint8_t prefix[16];
    size_t nibbles;
    struct matches matches;
    struct thing_id found;
    struct matches revoked; /* who act no more */
    struct thing_id found_revoked;
};

static bool match_actor(void *state, const struct actor *a)
{
    struct actor_search *s = state;
    const uint8_t *id = a->key.thing.bytes;
    bool named = a->name.size > 0 && slice_is_text(a->name, s->text);
    if (!named && (s->nibbles == SIZE_MAX || !has_prefix(id, s->prefix, s->nibbles))) return true;
    char hex[17];
    hex_encode(hex, id, 8);
    *(a->revoked ? &s->found_revoked : &s->found) = a->key.thing;
    add_match(s->cli, a->revoked ? &s->revoked : &s->matches,
              cli_format(s->cli, "%s %s", output_text(s->cli, a->name), hex));
    return true;
}

static int find_actor(struct actor_search *s, struct txn *txn)
{
    s->nibbles = parse_prefix(s->prefix, sizeof s->prefix, s->text);
    enum err e = actors_each(txn, match_actor, s);
    if (e) return cli_fail(s->cli, e, _("the list of persons cannot be read"));
    if (s->matches.count > 1) return ambiguous(s->cli, s->text, &s->matches);
    if (s->matches.count + s->revoked.count == 0)
        return not_found(s->cli, cli_format(s->cli, _("there is no person \"%s\""), s->text),
                         _("sidan actor list shows them; sidan actor add adds one"));
    return EXIT_OK;
}

int lookup_actor(struct cli *cli, struct txn *txn, const char *text, struct thing_id *out)
{
    struct actor_search s = {.cli = cli, .text = text};
    int code = find_actor(&s, txn);
    if (code) return code;
    if (s.matches.count == 0)
        return cli_error(cli, EXIT_REFUSED, cli_format(cli, _("\"%s\" acts no more"), text),
                         _("this person was revoked or has handed over; what is recorded stays"),
                         _("name the person who acts; sidan actor list shows them"));
    *out = s.found;
    return EXIT_OK;
}

int lookup_person(struct cli *cli, struct txn *txn, const char *text, struct thing_id *out)
{
    struct actor_search s = {.cli = cli, .text = text};
    int code = find_actor(&s, txn);
    if (!code && s.matches.count == 0 && s.revoked.count > 1)
        code = ambiguous(cli, text, &s.revoked);
    if (!code) *out = s.matches.count ? s.found : s.found_revoked;
    return code;
}

/* --- scopes and feeds --- */

int lookup_scope(struct cli *cli, const struct roster *roster, const char *text, struct scope *out)
{
    if (scope_parse(out, slice_of_text(text)) == OK) return EXIT_OK;
    const struct village *v;
    int code = lookup_village(cli, roster, text, &v);
    if (!code) *out = scope_of_village(v->code);
    return code;
}

static const char *const lanes[LANE_COUNT] = {"urgent", "normal", "intake"};

/* Takes "DEVICE/scope[/lane[/epoch]]" apart into its own parts; false when it has another form. */
static bool split_feed(char *text, char *parts[4], size_t *count)
{
    *count = 0;
    for (char *at = text; at; *count += 1) {
        if (*count == 4) return false;
        parts[*count] = at;
        at = strchr(at, '/');
        if (at) *at++ = 0;
    }
    return *count >= 2;
}

static bool feed_parts_read(struct feed *feed, char *const parts[4], size_t count)
{
    feed->lane = count == 2 ? LANE_NORMAL : LANE_COUNT;
    for (uint8_t i = 0; i < LANE_COUNT && count > 2; i++)
        if (strcmp(parts[2], lanes[i]) == 0) feed->lane = i;
    feed->has_epoch = count == 4;
    if (feed->lane == LANE_COUNT) return false;
    return count < 4 ||
           hex_decode(feed->epoch, sizeof feed->epoch, parts[3], strlen(parts[3])) == OK;
}

static int lookup_feed_of(struct cli *cli, struct txn *txn, const struct roster *roster,
                          const struct device *d, const char *text, struct feed *feed,
                          struct feed_row *out)
{
    const struct device *self = roster_device(roster, &store_identity(cli->store)->device);
    bool visible = visible_by(self, &feed->scope);
    for (size_t i = 0; visible && roster_key_at(roster, d, i, &feed->author); i++)
        if (feed_find(txn, feed, out)) return EXIT_OK;
    return not_found(cli, cli_format(cli, _("the feed \"%s\" is not held here"), text), NULL);
}

int lookup_feed(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text,
                struct feed_row *out)
{
    char copy[256];
    char *parts[4];
    size_t count = 0;
    struct feed feed = {0};
    snprintf(copy, sizeof copy, "%s", text);
    if (strlen(text) >= sizeof copy || !split_feed(copy, parts, &count) ||
        !feed_parts_read(&feed, parts, count))
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" does not name a feed"), text),
                         NULL, _("DEVICE/scope[/lane[/epoch]], as sidan log shows them"));
    int code = lookup_scope(cli, roster, parts[1], &feed.scope);
    if (code) return code;
    if (strcmp(parts[0], "authority") == 0) {
        feed.author = roster_authority(roster)->key;
    } else {
        const struct device *d;
        code = lookup_device(cli, roster, parts[0], &d);
        if (code) return code;
        return lookup_feed_of(cli, txn, roster, d, text, &feed, out);
    }
    const struct device *self = roster_device(roster, &store_identity(cli->store)->device);
    return visible_by(self, &feed.scope) && feed_find(txn, &feed, out)
               ? EXIT_OK
               : not_found(cli, cli_format(cli, _("the feed \"%s\" is not held here"), text), NULL);
}

static void print_feed(struct buf *out, const struct roster *roster, const struct feed *feed,
                       const char *scope, bool with_lane)
{
    const struct device *d = roster_device(roster, &feed->author);
    char hex[17];
    hex_encode(hex, feed->author.bytes, 8);
    const char *name = sign_key_equal(&feed->author, &roster_authority(roster)->key) ? "authority"
                       : d && d->name[0]                                             ? d->name
                                                                                     : hex;
    buf_printf(out, "%s/%s", name, scope);
    if (with_lane) buf_printf(out, "/%s", feed->lane < LANE_COUNT ? lanes[feed->lane] : "?");
    if (!feed->has_epoch) return;
    hex_encode(hex, feed->epoch, sizeof feed->epoch);
    buf_printf(out, "/%s", hex);
}

void lookup_feed_print(struct buf *out, const struct roster *roster, const struct feed *feed)
{
    print_feed(out, roster, feed, feed->scope.text, true);
}

void lookup_feed_print_short(struct buf *out, const struct roster *roster, const struct feed *feed)
{
    const char *scope = scope_class(&feed->scope) == SCOPE_VILLAGE
                            ? lookup_village_name(roster, scope_village(&feed->scope))
                            : feed->scope.text;
    print_feed(out, roster, feed, scope, feed->lane != LANE_NORMAL || feed->has_epoch);
}
