#include "tools/commands.h"

#include "node/views/body.h"
#include "node/views/person.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/words.h"

#include <string.h>

/* What stands on the two sides of a service card (服务名片). */
struct card {
    struct cli *cli;
    struct txn *txn;
    struct thing volunteer;
    struct person person;
    const char *team, *village;
    struct slice issue; /* body of the card that is out; empty: none */
};

/* The newest one that was not taken back; the fold lets a number be taken back that is out. */
static struct slice card_out(const struct thing *volunteer)
{
    struct mp_reader r = mp_reader_of(volunteer->acts);
    struct thing_act act;
    struct slice out = SLICE_EMPTY;
    while (thing_act_next(&r, &act)) {
        if (slice_is_text(act.kind, "card.issue")) out = act.body;
        if (slice_is_text(act.kind, "card.withdraw") &&
            slice_equal(body_text(act.body, "card_no"), body_text(out, "card_no")))
            out = SLICE_EMPTY;
    }
    return out;
}

static bool take_team(void *state, const struct thing *team)
{
    struct card *c = state;
    c->team = output_text(c->cli, body_text(team->fields, "name"));
    return false;
}

/* The volunteer's own team, else the village's. */
static void read_team(struct card *c)
{
    struct thing_id id;
    struct thing team;
    struct slice named = body_bin(c->volunteer.fields, "team");
    c->team = "";
    if (named.size == sizeof id.bytes) {
        memcpy(id.bytes, named.data, sizeof id.bytes);
        if (thing_of_id(c->txn, THING_TEAM, &id, &team)) (void)take_team(c, &team);
    }
    if (!*c->team &&
        things_each(c->txn, THING_TEAM, c->volunteer.key.scope_number, take_team, c) != OK)
        c->team = "";
}

static const char *services_of(struct card *c, const char *separator)
{
    size_t count;
    struct mp_reader items = c->issue.size ? body_rows(c->issue, "services", &count)
                                           : body_rows(c->volunteer.fields, "categories", &count);
    const char *words = "";
    for (size_t i = 0; i < count; i++)
        words = cli_format(c->cli, "%s%s%s", words, i ? separator : "",
                           words_choice(c->cli, "category", mp_read_str(&items, SIZE_MAX)));
    return words;
}

static int show_json(struct card *c)
{
    json_t *o = output_json("sidan.card/1");
    json_t *front = json_object(), *back = json_object(), *services = json_array();
    size_t count;
    struct mp_reader items = c->issue.size ? body_rows(c->issue, "services", &count)
                                           : body_rows(c->volunteer.fields, "categories", &count);
    while (count-- > 0)
        json_array_append_new(services, output_json_text(mp_read_str(&items, SIZE_MAX)));
    json_object_set_new(front, "name", output_json_text(slice_of_text(c->person.name)));
    json_object_set_new(front, "team", json_string(c->team));
    json_object_set_new(front, "village", json_string(c->village));
    json_object_set_new(front, "phone", output_json_text(slice_of_text(c->person.phone)));
    json_object_set_new(back, "services", services);
    json_object_set_new(back, "area", output_json_text(body_text(c->issue, "area")));
    json_object_set_new(back, "free", json_true());
    json_object_set_new(back, "hotline", output_json_text(body_text(c->issue, "hotline")));
    json_object_set_new(o, "no", output_json_text(body_text(c->volunteer.fields, "number")));
    json_object_set_new(o, "card_no", output_json_text(body_text(c->issue, "card_no")));
    json_object_set_new(o, "issued", json_boolean(c->issue.size > 0));
    json_object_set_new(o, "front", front);
    json_object_set_new(o, "back", back);
    return output_json_end(o);
}

static void line_of(struct card *c, const char *label, struct slice text)
{
    if (text.size) output_line(c->cli, "  %s: %s", label, output_text(c->cli, text));
}

static int show_words(struct card *c)
{
    struct cli *cli = c->cli;
    output_line(cli, "%s", _("front"));
    output_line(cli, "  %s", output_text(cli, slice_of_text(c->person.name)));
    if (*c->team)
        output_line(cli, "  %s", cli_format(cli, _("volunteer of the team \"%s\""), c->team));
    output_line(cli, "  %s", c->village);
    line_of(c, _("phone"), slice_of_text(c->person.phone));
    output_line(cli, "%s", _("back"));
    line_of(c, _("services"), slice_of_text(services_of(c, " · ")));
    line_of(c, _("area"), body_text(c->issue, "area"));
    output_line(cli, "  %s", _("free of charge"));
    line_of(c, _("for complaints"), body_text(c->issue, "hotline"));
    if (!c->issue.size)
        output_line(cli, _("no card is out yet: %s"), "sidan card issue PERSON --card-no NUMBER");
    return EXIT_OK;
}

static int read_card(struct card *c, const struct roster *roster)
{
    struct thing_key key;
    struct scope_row scope;
    int code = lookup_typed(c->cli, c->txn, THING_VOLUNTEER, cli_argument(c->cli, 0), &key);
    if (code) return code;
    enum err e = thing_get(c->txn, THING_VOLUNTEER, &key, &c->volunteer);
    if (!e) e = person_read(c->cli->views, c->txn, &key, &c->person);
    if (e) return cli_fail(c->cli, e, _("the card cannot be shown"));
    if (strcmp(thing_state_name(THING_VOLUNTEER, c->volunteer.state), "left") == 0)
        return cli_error(c->cli, EXIT_REFUSED, _("the card is not shown"),
                         _("this volunteer has left"), NULL);
    if (!person_consents(&c->volunteer, "card"))
        return cli_error(c->cli, EXIT_REFUSED, _("the card is not shown"),
                         _("the volunteer has not agreed to a card"),
                         cli_format(c->cli, _("ask, then: sidan consent give %s card"),
                                    cli_argument(c->cli, 0)));
    read_team(c);
    c->issue = card_out(&c->volunteer);
    const struct village *village = NULL;
    if (scope_get(c->txn, key.scope_number, &scope))
        village = roster_village(roster, scope_village(&scope.scope));
    c->village = village ? village->name : "";
    return EXIT_OK;
}

int cmd_card(struct cli *cli)
{
    struct card c = {.cli = cli};
    const struct roster *roster;
    int code = cli_begin(cli, &c.txn);
    if (code) return code;
    code = cli_roster(cli, c.txn, &roster);
    if (!code) code = read_card(&c, roster);
    if (!code) code = cli->json ? show_json(&c) : show_words(&c);
    txn_abort(c.txn);
    return code;
}
