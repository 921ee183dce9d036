#include "tools/request_json.h"

#include "node/views/rules.h"
#include "tools/lookup.h"

enum { SOON_WORKING_DAYS = 2 };

static const char *const light_names[] = {
    [LIGHT_OVERDUE] = "overdue",
    [LIGHT_SOON] = "soon",
    [LIGHT_NORMAL] = "normal",
    [LIGHT_SUSPENDED] = "suspended",
};

int request_showing_begin(struct request_showing *out, struct cli *cli, struct txn *txn)
{
    const struct rules *rules;
    bool provisional;
    *out = (struct request_showing){.cli = cli, .now_ms = cli_now_ms(txn)};
    int code = cli_roster(cli, txn, &out->roster);
    if (code) return code;
    enum err e = views_rules(cli->views, txn, &rules);
    if (e) return cli_fail(cli, e, _("the rules cannot be read"));
    calendar_due(&rules->calendar, out->now_ms, SOON_WORKING_DAYS, &out->soon_until_ms,
                 &provisional);
    category_names_read(cli, txn, &out->categories);
    return EXIT_OK;
}

json_t *request_json(const struct request_showing *s, const struct thing_key *key,
                     const struct request *r)
{
    json_t *o = json_object();
    uint64_t next_ms = request_next_moment(r);
    enum request_light light = request_light(r, s->now_ms, s->soon_until_ms);
    json_object_set_new(o, "subject", output_json_hex(key->thing.bytes, sizeof key->thing.bytes));
    json_object_set_new(o, "no", output_json_text(r->number));
    json_object_set_new(o, "official_no", output_json_text(r->official_number));
    json_object_set_new(o, "village", json_string(r->village));
    json_object_set_new(o, "village_name", json_string(lookup_village_name(s->roster, r->village)));
    json_object_set_new(o, "state", json_string(request_state_name(r->state)));
    json_object_set_new(o, "light", json_string(light_names[light]));
    json_object_set_new(o, "due", output_json_time(r->due_ms));
    json_object_set_new(o, "next_due", output_json_time(next_ms == UINT64_MAX ? 0 : next_ms));
    json_object_set_new(o, "due_provisional", json_boolean(r->due_provisional));
    json_object_set_new(o, "next_due_provisional", json_boolean(r->next_due_provisional));
    json_object_set_new(o, "overdue", json_boolean(light == LIGHT_OVERDUE));
    json_object_set_new(o, "holder", output_json_text(r->holder));
    json_object_set_new(o, "nature", output_json_text(r->nature));
    json_object_set_new(o, "category", output_json_text(r->category));
    json_object_set_new(o, "category_name",
                        output_json_text(category_name(&s->categories, r->category)));
    json_object_set_new(o, "class", output_json_text(r->class));
    json_object_set_new(o, "urgency", json_integer((json_int_t)r->urgency));
    json_object_set_new(o, "supervised", json_integer((json_int_t)r->supervised));
    json_object_set_new(o, "registered", output_json_time(r->registered_ms));
    json_object_set_new(o, "both_changed", json_boolean(r->both_changed));
    return o;
}
