/* sidan hub: the township's hubs, where they are reached, and which one gives official numbers. */
#include "tools/authority.h"
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"

#include "node/link/address.h"
#include "node/series.h"
#include "node/township.h"

#include <string.h>

#define WHAT_ADDRESS _("the hub's address was not changed")
#define WHAT_NUMBERS _("the official numbers were not moved")

static const char *state_name(enum series_state s)
{
    return s == SERIES_HERE ? "here" : s == SERIES_WAITS ? "waits" : "elsewhere";
}

/* --- list ----------------------------------------------------------------------------------- */

static json_t *hub_json(const struct roster *roster, const struct device *d)
{
    json_t *o = json_object(), *addresses = json_array();
    for (uint32_t i = 0; i < d->address_count; i++)
        json_array_append_new(addresses,
                              json_string(roster->addresses[d->addresses_at + i].text));
    json_object_set_new(o, "device", output_json_hex(d->first.bytes, sizeof d->first.bytes));
    json_object_set_new(o, "name", json_string(d->name));
    json_object_set_new(o, "numbers", json_boolean(d == roster_hub(roster)));
    json_object_set_new(o, "addresses", addresses);
    return o;
}

/* For whom this hub waits before it gives the first number; NULL: for nobody. */
static const struct device *awaited(struct txn *t, const struct roster *roster)
{
    size_t at = 0;
    return series_state(t, roster) == SERIES_WAITS ? series_awaited(t, roster, &at) : NULL;
}

static int list_json(struct txn *t, const struct roster *roster)
{
    const struct device *before = awaited(t, roster);
    json_t *o = output_json("sidan.hubs/1"), *hubs = json_array();
    for (size_t i = 0; i < roster->device_count; i++)
        if (device_is_hub(&roster->devices[i]))
            json_array_append_new(hubs, hub_json(roster, &roster->devices[i]));
    json_object_set_new(o, "hubs", hubs);
    json_object_set_new(o, "numbers", json_string(state_name(series_state(t, roster))));
    json_object_set_new(o, "waits_for", before ? json_string(before->name) : json_null());
    return output_json_end(o);
}

static int list_table(struct cli *cli, struct txn *t, const struct roster *roster)
{
    static const struct table_column columns[] = {
        {N_("hub"), false, 8}, {N_("official numbers"), false, 4}, {N_("addresses"), false, 0}};
    const struct device *before = awaited(t, roster);
    struct table table;
    table_begin(&table, cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < roster->device_count; i++) {
        const struct device *d = &roster->devices[i];
        struct buf addresses = {0};
        if (!device_is_hub(d)) continue;
        for (uint32_t a = 0; a < d->address_count; a++)
            buf_printf(&addresses, "%s%s", a ? " " : "",
                       roster->addresses[d->addresses_at + a].text);
        table_cell(&table, slice_of_text(d->name));
        table_cell(&table, slice_of_text(d == roster_hub(roster) ? _("gives them") : ""));
        table_cell(&table, buf_slice(&addresses));
        buf_clear(&addresses);
    }
    int code = table_end(&table);
    if (!code && before && !cli->csv) {
        output_line(cli, _("! numbers wait: %s has not said yet that it gives none any more"),
                    before->name);
        hint_line(cli, _("if it will not come back: sidan numbers --last NUMBER"));
    }
    return code;
}

int cmd_hub_list(struct cli *cli)
{
    struct txn *t;
    const struct roster *roster;
    int code = cli_open_views(cli);
    if (!code) code = cli_begin(cli, &t);
    if (code) return code;
    code = cli_roster(cli, t, &roster);
    if (!code) code = cli->json ? list_json(t, roster) : list_table(cli, t, roster);
    txn_abort(t);
    return code;
}

/* --- changes -------------------------------------------------------------------------------- */

static int open_all(struct cli *cli)
{
    int code = cli_open_store_writable(cli);
    if (!code) code = cli_open_keys(cli);
    return code ? code : cli_open_views(cli);
}

/* The hub that is meant; may the authority sign here now? */
static int choose(struct cli *cli, const char *what, struct device *out, bool *has_numbers)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *d;
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = authority_ready(cli, t, what);
    if (!code) code = cli_roster(cli, t, &roster);
    if (!code) code = lookup_device(cli, roster, cli_argument(cli, 0), &d);
    if (!code && !device_is_hub(d))
        code = cli_error(cli, EXIT_REFUSED, what,
                         cli_format(cli, _("%s is not a hub"), d->name),
                         _("invite one: sidan invite town --role hub,dispatch"));
    if (!code) {
        *out = *d;
        *has_numbers = d == roster_hub(roster);
    }
    txn_abort(t);
    return code;
}

static int record(struct cli *cli, const char *what, struct draft *draft, struct buf *body,
                  enum err err)
{
    draft->body = buf_slice(body);
    int code = err ? cli_fail(cli, err, what) : authority_record(cli, what, draft, 1);
    buf_clear(body);
    return code;
}

static int check_address(struct cli *cli, const char *text)
{
    struct address parsed;
    if (strlen(text) < ADDRESS_SIZE_MAX && !address_parse(&parsed, text, ADDRESS_DIAL))
        return EXIT_OK;
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" is no address of a hub"), text),
                     NULL, _("write it like tcp://10.8.0.1:7300"));
}

int cmd_hub_address(struct cli *cli)
{
    const char *addresses[DEVICE_ADDRESSES_MAX];
    struct device hub;
    struct buf body = {0};
    size_t count = 0;
    bool has_numbers;
    int code = EXIT_OK;
    for (; !code && cli_argument(cli, count + 1); count++) {
        addresses[count] = cli_argument(cli, count + 1);
        code = check_address(cli, addresses[count]);
    }
    if (!code && !count == !cli_has(cli, "--none"))
        code = cli_error(cli, EXIT_USAGE, _("say where it can be reached, or --none"), NULL,
                         _("such as: sidan hub address DEVICE tcp://10.8.0.1:7300"));
    if (!code) code = open_all(cli);
    if (!code) code = choose(cli, WHAT_ADDRESS, &hub, &has_numbers);
    if (code) return code;
    struct draft draft = {.kind = "device.listens", .subject = hub.thing};
    enum err err = township_listens_write(&body, addresses, count);
    code = record(cli, WHAT_ADDRESS, &draft, &body, err);
    if (code) return code;
    output_line(cli, count ? _("%s can be reached there; the villages learn of it")
                           : _("%s is called by nobody any more who does not know its address"),
                hub.name);
    return EXIT_OK;
}

static int move(struct cli *cli)
{
    struct device hub;
    struct buf body = {0};
    bool has_numbers;
    int code = choose(cli, WHAT_NUMBERS, &hub, &has_numbers);
    if (!code && has_numbers)
        code = cli_error(cli, EXIT_REFUSED, WHAT_NUMBERS,
                         cli_format(cli, _("%s gives them already"), hub.name), NULL);
    if (code) return code;
    struct txn *t;
    const struct roster *roster;
    code = cli_begin(cli, &t);
    if (code) return code;
    code = cli_roster(cli, t, &roster);
    struct draft draft = {.kind = "series.moved"};
    if (!code) draft.subject = roster->thing;
    txn_abort(t);
    if (code) return code;
    enum err err = township_series_write(&body, &hub.key);
    code = record(cli, WHAT_NUMBERS, &draft, &body, err);
    if (code) return code;
    output_line(cli, _("official numbers are given by %s from now on"), hub.name);
    hint_line(cli, _("it begins when the hub before has said that it knows: sidan hub list"));
    return EXIT_OK;
}

int cmd_hub_numbers(struct cli *cli)
{
    int code = open_all(cli);
    return code ? code : move(cli);
}
