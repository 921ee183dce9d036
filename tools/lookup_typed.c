#include "tools/lookup_typed.h"

#include <string.h>

#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/person.h"
#include "node/views/request.h"
#include "node/views/search.h"
#include "tools/lookup.h"
#include "tools/output.h"

enum { CANDIDATES_SHOWN = 6, PREFIX_MIN = 6, PREFIX_MAX = 32 };

enum thing_type lookup_field_type(const struct field *field)
{
    static const struct {
        const char *field;
        enum thing_type type;
    } named[] = {
        {"person", THING_VOLUNTEER}, {"leader", THING_VOLUNTEER},  {"signed_by", THING_ACTOR},
        {"decided_by", THING_ACTOR}, {"second", THING_ACTOR},      {"to", THING_ACTOR},
        {"request", THING_REQUEST},  {"main", THING_REQUEST},      {"team", THING_TEAM},
        {"call", THING_CALL},        {"activity", THING_ACTIVITY},
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (strcmp(named[i].field, field->name) == 0) return named[i].type;
    return THING_NONE;
}

static bool has_row(struct txn *txn, enum thing_type type, const struct thing_key *key)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    struct slice row;
    const struct row_key row_key = row_thing_key(bytes, type, key);
    return row_get(txn, &row_key, &row);
}

enum thing_type lookup_thing_type(struct txn *txn, const struct thing_key *key)
{
    for (int type = THING_NONE + 1; type < THING_TYPE_COUNT; type++)
        if (has_row(txn, (enum thing_type)type, key)) return (enum thing_type)type;
    return THING_NONE;
}

bool lookup_typed_id(struct txn *txn, enum thing_type type, const struct thing_id *id,
                     struct thing_key *out)
{
    uint32_t scopes = scope_count(txn);
    out->thing = *id;
    for (out->scope_number = 1; out->scope_number <= scopes; out->scope_number++)
        if (has_row(txn, type, out)) return true;
    return false;
}

/* --- names --- */

static struct slice plain_name(const struct thing *thing)
{
    static const char *const keys[] = {"title", "name", "unit", "number"};
    struct slice name = SLICE_EMPTY;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !name.size; i++)
        name = body_text(thing->fields, keys[i]);
    return name;
}

/* "李四 03AV-0012" */
static const char *volunteer_name(struct cli *cli, struct txn *txn, const struct thing_key *key)
{
    char name[PERSON_NAME_SIZE];
    struct thing thing;
    if (thing_get(txn, THING_VOLUNTEER, key, &thing)) return "";
    const char *number = output_text(cli, body_text(thing.fields, "number"));
    if (!person_name(cli->views, txn, key, name)) return number;
    return cli_format(cli, "%s%s%s", output_text(cli, slice_of_text(name)), *number ? " " : "",
                      number);
}

const char *lookup_typed_name(struct cli *cli, struct txn *txn, enum thing_type type,
                              const struct thing_key *key)
{
    char name[PERSON_NAME_SIZE];
    struct request request;
    struct thing thing;
    if (type == THING_REQUEST) {
        if (request_get(txn, key, &request)) return "";
        return output_text(cli, request.number.size ? request.number : request.official_number);
    }
    if (type == THING_VOLUNTEER) return volunteer_name(cli, txn, key);
    if (type == THING_ACTOR && actor_name(txn, &key->thing, name, sizeof name))
        return output_text(cli, slice_of_text(name));
    if (!thing_is_plain(type) || thing_get(txn, type, key, &thing)) return "";
    return output_text(cli, plain_name(&thing));
}

/* --- the search among things that are known by what stands in their bodies --- */

struct search {
    struct cli *cli;
    const char *text;
    bool is_prefix;
    size_t count;
    struct thing_key found;
    const char *candidates;
};

static bool look_at(void *state, const struct thing *thing)
{
    struct search *s = state;
    struct slice name = plain_name(thing);
    char hex[sizeof thing->key.thing.bytes * 2 + 1];
    hex_encode(hex, thing->key.thing.bytes, sizeof thing->key.thing.bytes);
    bool meant = s->is_prefix && strncmp(hex, s->text, strlen(s->text)) == 0;
    if (!meant && !slice_is_text(name, s->text)) return true;
    if (s->count < CANDIDATES_SHOWN)
        s->candidates = cli_format(s->cli, "%s%s%s %s", s->count ? s->candidates : "",
                                   s->count ? ", " : "", output_text(s->cli, name), hex);
    s->found = thing->key;
    s->count++;
    return true;
}

static bool is_prefix(const char *text)
{
    size_t size = strlen(text);
    return size >= PREFIX_MIN && size <= PREFIX_MAX && strspn(text, "0123456789abcdef") == size;
}

static int ambiguous(struct cli *cli, const char *text, const char *why)
{
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" can be more than one"), text), why,
                     _("type the code or more of the id"));
}

static int not_found(struct cli *cli, enum thing_type type, const char *text)
{
    const char *words = i18n_is_chinese() ? thing_type_zh(type) : thing_type_en(type);
    return cli_error(
        cli, EXIT_NOT_FOUND, cli_format(cli, _("there is no %s \"%s\""), words, text), NULL,
        cli_format(cli, _("its name, or 6 and more digits of its id; sidan list %s shows them"),
                   thing_type_name(type)));
}

static int lookup_plain(struct cli *cli, struct txn *txn, enum thing_type type, const char *text,
                        struct thing_key *out)
{
    struct search s = {.cli = cli, .text = text, .is_prefix = is_prefix(text)};
    enum err e = things_each(txn, type, 0, look_at, &s);
    if (e) return cli_fail(cli, e, _("the list is not complete"));
    if (s.count > 1)
        return ambiguous(cli, text, cli_format(cli, _("%zu match: %s"), s.count, s.candidates));
    if (s.count == 0) return not_found(cli, type, text);
    *out = s.found;
    return EXIT_OK;
}

static int lookup_volunteer(struct cli *cli, struct txn *txn, const char *text,
                            struct thing_key *out)
{
    enum err e = person_find(cli->views, txn, slice_of_text(text), out);
    if (e == ERR_NOT_FOUND) return not_found(cli, THING_VOLUNTEER, text);
    if (e == ERR_AMBIGUOUS)
        return ambiguous(cli, text,
                         _("several volunteers are called so: give the number or phone"));
    return e ? cli_fail(cli, e, _("the list of persons cannot be read")) : EXIT_OK;
}

static int lookup_paper_person(struct cli *cli, struct txn *txn, const char *text,
                               struct thing_key *out)
{
    struct thing_id id;
    int code = lookup_person(cli, txn, text, &id);
    if (code || lookup_typed_id(txn, THING_ACTOR, &id, out)) return code;
    return not_found(cli, THING_ACTOR, text);
}

/* --- whatever has the name --- */

struct naming {
    struct search search;
    struct txn *txn;
    enum thing_type type; /* of the plain things looked at */
};

static void add_named(struct naming *n, enum thing_type type, const struct thing_key *key)
{
    struct search *s = &n->search;
    char hex[sizeof key->thing.bytes * 2 + 1];
    hex_encode(hex, key->thing.bytes, sizeof key->thing.bytes);
    if (s->count < CANDIDATES_SHOWN)
        s->candidates =
            cli_format(s->cli, "%s%s%s %s", s->count ? s->candidates : "", s->count ? ", " : "",
                       i18n_is_chinese() ? thing_type_zh(type) : thing_type_en(type),
                       type == THING_REQUEST ? lookup_typed_name(s->cli, n->txn, type, key) : hex);
    s->found = *key;
    s->count++;
}

static bool look_at_plain(void *state, const struct thing *thing)
{
    struct naming *n = state;
    if (slice_is_text(plain_name(thing), n->search.text)) add_named(n, n->type, &thing->key);
    return true;
}

static bool look_at_actor(void *state, const struct actor *a)
{
    struct naming *n = state;
    if (slice_is_text(a->name, n->search.text)) add_named(n, THING_ACTOR, &a->key);
    return true;
}

/* The index finds names that begin so, also those that were corrected since. */
static bool look_at_person(void *state, const struct search_hit *hit)
{
    struct naming *n = state;
    char name[PERSON_NAME_SIZE];
    if (person_name(n->search.cli->views, n->txn, &hit->key, name) &&
        strcmp(name, n->search.text) == 0)
        add_named(n, hit->type, &hit->key);
    return true;
}

static enum err find_named(struct naming *n)
{
    enum err e = actors_each(n->txn, look_at_actor, n);
    if (!e) e = search_name(n->txn, slice_of_text(n->search.text), look_at_person, n);
    for (int type = THING_NONE + 1; type < THING_TYPE_COUNT && !e; type++) {
        n->type = (enum thing_type)type;
        if (thing_is_plain(n->type)) e = things_each(n->txn, n->type, 0, look_at_plain, n);
    }
    return e;
}

int lookup_shown(struct cli *cli, struct txn *txn, const char *text, struct thing_key *out)
{
    struct naming n = {.search = {.cli = cli, .text = text}, .txn = txn};
    enum err e = request_find_number(txn, slice_of_text(text), out);
    if (e != ERR_NOT_FOUND || is_prefix(text)) return lookup_thing(cli, txn, text, out);
    e = find_named(&n);
    if (e) return cli_fail(cli, e, _("the list is not complete"));
    if (n.search.count > 1)
        return ambiguous(cli, text,
                         cli_format(cli, _("%zu match: %s"), n.search.count, n.search.candidates));
    if (n.search.count == 0)
        return cli_error(
            cli, EXIT_NOT_FOUND,
            cli_format(cli, _("nothing here has the number, id or name \"%s\""), text), NULL,
            _("a number like 03A-0127, 6 and more digits of an id, or the whole name; sidan find "
              "looks people up"));
    *out = n.search.found;
    return EXIT_OK;
}

int lookup_typed(struct cli *cli, struct txn *txn, enum thing_type type, const char *text,
                 struct thing_key *out)
{
    if (type == THING_ACTOR) return lookup_paper_person(cli, txn, text, out);
    if (type == THING_VOLUNTEER) return lookup_volunteer(cli, txn, text, out);
    if (thing_is_plain(type)) return lookup_plain(cli, txn, type, text, out);
    struct thing_key key;
    int code = lookup_thing(cli, txn, text, &key);
    if (code) return code;
    if (type != THING_ANY && !has_row(txn, type, &key))
        return cli_error(cli, EXIT_NOT_FOUND,
                         cli_format(cli, _("\"%s\" is no request that is held here"), text), NULL,
                         _("a number like 03A-0127, or 6 and more digits of an id"));
    *out = key;
    return EXIT_OK;
}
