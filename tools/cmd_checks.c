#include "tools/commands.h"

#include "node/views/checks.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"

#include <inttypes.h>

/* What a flag says, and what is to be done about it. */
static const struct {
    const char *what, *todo;
} words[CHECK_COUNT] = {
    [CHECK_REQUEST_NUMBER] =
        {N_("two requests have one number"),
         N_("say the official number of either as well; no number is changed")},
    [CHECK_OFFICIAL_NUMBER] = {N_("two requests have one official number"),
                               N_("note on both papers which is meant; no number is changed")},
    [CHECK_REFERENCE] = {N_("one message is registered twice"),
                         N_("merge the later one: sidan merge LATER EARLIER")},
    [CHECK_BOTH_CHANGED] = {N_("changed on both sides"),
                            N_("read the history and settle it: sidan resolve NUMBER")},
    [CHECK_DOC_NO] =
        {N_("two orders have one number"),
         N_("note on both papers which is meant: sidan correct NUMBER --field doc_no")},
    [CHECK_UNIT] = {N_("two units have one name"), N_("close one of them: sidan unit close")},
    [CHECK_SIGNER] = {N_("an order was signed by somebody who may not"),
                      N_("have the paper signed by the secretary or the mayor, and transfer it")},
    [CHECK_HOLDER_CLOSED] = {N_("an open request lies at a unit that was abolished"),
                             N_("give it to another: sidan transfer NUMBER --to UNIT")},
    [CHECK_DUTY_CLOSED] = {N_("duties are published of a unit that was abolished"),
                           N_("publish them for the unit that has them now: sidan duty publish")},
    [CHECK_CATEGORY] = {N_("a request of a category that is on no list, so it does not count"),
                        N_("register it anew with one of sidan category list, or put its own "
                           "there")},
    [CHECK_PHONE] = {N_("a phone that is no phone number"),
                     N_("ask for it, and correct it: sidan correct NUMBER --field phone")},
    [CHECK_VOLUNTEER_PHONE] = {N_("two volunteers have one phone"),
                               N_("ask both; where it is one person, let the later one leave: "
                                  "sidan volunteer leave")},
    [CHECK_VOLUNTEER_NUMBER] = {N_("two volunteers have one number"),
                                N_("correct one of them: sidan correct NUMBER --field number")},
    [CHECK_GUARDIAN] = {N_("a volunteer under 18 without a guardian's consent"),
                        N_("get the paper and note it: sidan correct NUMBER --field guardian_ref")},
    [CHECK_TEAM] = {N_("a village has two teams"),
                    N_("keep the earlier one and move the volunteers: sidan volunteer update")},
    [CHECK_OVERLAP] = {N_("a volunteer was at two places at once"),
                       N_("look at both sheets; correct one, or verify it with no")},
    [CHECK_DAY] = {N_("more than 16 hours of one person on one day"),
                   N_("look at what is recorded of that day; verify what is wrong with no")},
    [CHECK_LEFT] = {N_("a service after the volunteer had left"),
                    N_("correct its date; who came back is registered again")},
    [CHECK_INSURANCE] = {N_("dangerous work was held without insurance"),
                         N_("ask who had insured it; note its number: sidan call update")},
    [CHECK_BASIS] = {N_("a service is awarded twice to one person by one rule"),
                     N_("reverse one of the two: sidan points reverse SHEET ENTRY")},
    [CHECK_PUBLICITY] = {N_("a list was shown for fewer days than the rules ask for"),
                         N_("show it again: sidan points publish")},
    [CHECK_SHOWN] = {N_("a list is shown twice at once"),
                     N_("close one of them: sidan publicity close")},
    [CHECK_RUNS] = {N_("two redemptions are open"),
                    N_("complete one before anything is paid: sidan redeem close")},
    [CHECK_GRANT] = {N_("somebody was granted for other points than the list has"),
                     N_("do not pay it; find out why: sidan points show, sidan points check")},
    [CHECK_BENEFIT] = {N_("recommended with fewer than 5 verified activities"),
                       N_("let who decided it look at it again")},
    [CHECK_VERDICT] = {N_("a service was verified twice, in the same way"),
                       N_("nothing; it counts once")},
    [CHECK_WAITING] = {N_("more people signed up than are needed"),
                       N_("tell those who wait, or raise the need: sidan call update")},
};

struct listing {
    struct cli *cli;
    struct txn *txn;
    struct output_list list;
    enum check_code heading; /* CHECK_COUNT: none yet */
    uint64_t todo;
};

/* "李四 03AV-0012"; its id where nothing else is known. */
static const char *thing_words(struct listing *l, enum thing_type type, const struct thing_key *key)
{
    char hex[13];
    const char *name = lookup_typed_name(l->cli, l->txn, type, key);
    hex_encode(hex, key->thing.bytes, 6);
    return *name ? cli_format(l->cli, "%s [%s]", name, hex) : cli_format(l->cli, "%s", hex);
}

/* A volunteer, or who signed. */
static const char *person_words(struct listing *l, const struct check_flag *flag)
{
    enum thing_type type = flag->code == CHECK_SIGNER ? THING_ACTOR : THING_VOLUNTEER;
    struct thing_key key = {0, flag->person};
    if (!flag->has_person) return "";
    (void)lookup_typed_id(l->txn, type, &flag->person, &key);
    return thing_words(l, type, &key);
}

static json_t *to_json(struct listing *l, const struct check_flag *flag)
{
    json_t *o = json_object(), *things = json_array();
    json_object_set_new(o, "code", json_string(check_name(flag->code)));
    json_object_set_new(o, "note", json_boolean(check_is_note(flag->code)));
    json_object_set_new(o, "what", json_string(_(words[flag->code].what)));
    json_object_set_new(o, "do", json_string(_(words[flag->code].todo)));
    json_object_set_new(o, "said", output_json_text(slice_of_text(flag->said)));
    json_object_set_new(o, "number", json_integer((json_int_t)flag->number));
    json_object_set_new(o, "person",
                        flag->has_person
                            ? output_json_hex(flag->person.bytes, sizeof flag->person.bytes)
                            : json_null());
    for (size_t i = 0; i < flag->thing_count; i++) {
        const struct check_thing *thing = &flag->things[i];
        json_t *t = json_object();
        json_object_set_new(t, "type", json_string(thing_type_name(thing->type)));
        json_object_set_new(t, "id",
                            output_json_hex(thing->key.thing.bytes, sizeof thing->key.thing.bytes));
        json_object_set_new(
            t, "name", json_string(lookup_typed_name(l->cli, l->txn, thing->type, &thing->key)));
        json_array_append_new(things, t);
    }
    json_object_set_new(o, "things", things);
    return o;
}

static const char *number_words(struct listing *l, const struct check_flag *flag)
{
    if (flag->code == CHECK_WAITING)
        return cli_format(l->cli, _("%" PRIu64 " people wait"), flag->number);
    if (flag->code == CHECK_PUBLICITY)
        return cli_format(l->cli, _("%" PRIu64 " days"), flag->number);
    if (flag->code == CHECK_BENEFIT)
        return cli_format(l->cli, _("%" PRIu64 " activities"), flag->number);
    if (flag->code == CHECK_DAY) return cli_format(l->cli, _("%" PRIu64 " min"), flag->number);
    return "";
}

/* One heading for all of a code, then a line each. */
static void to_lines(struct listing *l, const struct check_flag *flag)
{
    struct cli *cli = l->cli;
    if (l->heading != flag->code) {
        bool note = check_is_note(flag->code);
        output_line(cli, "%s%s %s%s", output_colour(cli, note ? COLOUR_NONE : COLOUR_YELLOW),
                    note ? "." : "!", _(words[flag->code].what), output_colour(cli, COLOUR_NONE));
        output_line(cli, "  %s: %s", _("do"), _(words[flag->code].todo));
        l->heading = flag->code;
    }
    const char *line = "";
    const char *parts[] = {
        flag->said[0] ? output_text(cli, slice_of_text(flag->said)) : "",
        person_words(l, flag),
        thing_words(l, flag->things[0].type, &flag->things[0].key),
        flag->thing_count > 1 ? thing_words(l, flag->things[1].type, &flag->things[1].key) : "",
        number_words(l, flag),
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (*parts[i]) line = cli_format(cli, "%s  %s", line, parts[i]);
    output_line(cli, "  %s", line);
}

static bool each(void *state, const struct check_flag *flag)
{
    struct listing *l = state;
    l->todo += !check_is_note(flag->code);
    if (l->cli->json)
        output_list_item(&l->list, to_json(l, flag));
    else
        to_lines(l, flag);
    return true;
}

int cmd_checks(struct cli *cli)
{
    struct listing l = {.cli = cli, .heading = CHECK_COUNT};
    int code = cli_begin(cli, &l.txn);
    if (code) return code;
    if (cli->json) output_list_begin(&l.list, output_json("sidan.checks/1"), "flags");
    enum err e = checks_each(cli->views, l.txn, each, &l);
    code = cli->json ? output_list_end(&l.list) : EXIT_OK;
    txn_abort(l.txn);
    if (e) return cli_fail(cli, e, _("the checks could not be made"));
    if (!cli->json && l.heading == CHECK_COUNT) output_line(cli, "%s", _("nothing contradicts"));
    return code ? code : l.todo ? EXIT_ATTENTION : EXIT_OK;
}
