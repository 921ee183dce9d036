#include "tools/commands.h"

#include "node/store/hubs.h"
#include "tools/aside.h"
#include "tools/device_words.h"
#include "tools/lookup.h"
#include "tools/month.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>

static const struct table_column columns[] = {
    {N_("device"), false, 8},        {N_("village"), false, 6}, {N_("state"), false, 6},
    {N_("last success"), false, 11}, {N_("id"), false, 8},      {N_("remarks"), false, 0},
    {N_("roles"), false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const struct table_column traffic_columns[] = {
    {N_("device"), false, 8},    {N_("village"), false, 6},   {N_("today"), true, 8},
    {N_("this month"), true, 9}, {N_("sent of it"), true, 9}, {N_("speed"), true, 10},
    {N_("round trip"), true, 6},
};
#define TRAFFIC_COLUMNS (sizeof traffic_columns / sizeof traffic_columns[0])

static const char *const states[] = {
    [DEVICE_INVITED] = "invited",
    [DEVICE_JOINED] = "joined",
    [DEVICE_REVOKED] = "revoked",
};
static const char *const state_words[] = {
    [DEVICE_INVITED] = N_("invited"),
    [DEVICE_JOINED] = N_("joined"),
    [DEVICE_REVOKED] = N_("revoked"),
};

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    uint64_t now_ms;
    struct month month;
    bool at_hub;
};

static bool is_self(const struct listing *l, const struct device *d)
{
    return d->state != DEVICE_INVITED &&
           sign_key_equal(&d->first, &store_identity(l->cli->store)->device);
}

/* All zeros where there was never a contact; without its vector. */
static struct peer_row contact_of(const struct listing *l, const struct device *d)
{
    struct peer_row row;
    if (d->state == DEVICE_INVITED || !peer_get(l->txn, &d->first, &row))
        return (struct peer_row){0};
    peer_row_clear(&row);
    return row;
}

/* At a hub all, elsewhere hubs and neighbours. */
static bool is_met(const struct listing *l, const struct device *d)
{
    return !is_self(l, d) && (l->at_hub || d->roles & ROLE_HUB || contact_of(l, d).last_ok_ms);
}

/* By whom its newest records came, if not by itself; NULL: by itself, or there are none. */
static const struct device *through_of(const struct listing *l, const struct device *d,
                                       uint64_t *when_ms)
{
    struct via via;
    if (!l->at_hub || d->state == DEVICE_INVITED || !via_get(l->txn, &d->first, &via)) return NULL;
    const struct peer_row contact = contact_of(l, d);
    bool here = contact.state == PEER_SYNCED || contact.state == PEER_SYNCING;
    if (here || via.wall_ms <= contact.last_ok_ms) return NULL;
    *when_ms = via.wall_ms;
    return roster_device(l->roster, &via.from);
}

static const struct sign_key *id_of(const struct device *d)
{
    return d->state == DEVICE_INVITED ? &d->invite : &d->first;
}

static struct traffic_now traffic_of(const struct listing *l, const struct device *d)
{
    return month_peer(l->txn, &l->month, id_of(d));
}

static json_t *known_number(uint64_t n)
{
    return n ? json_integer((json_int_t)n) : json_null();
}

static json_t *to_json(const struct listing *l, const struct device *d)
{
    struct buf roles = {0};
    struct peer_row contact = contact_of(l, d);
    struct traffic_now traffic = traffic_of(l, d);
    uint64_t through_ms = 0;
    const struct device *through = through_of(l, d, &through_ms);
    json_t *o = json_object();
    roles_print(&roles, d->roles);
    json_object_set_new(o, "id", output_json_hex(id_of(d)->bytes, sizeof id_of(d)->bytes));
    json_object_set_new(o, "name", json_string(d->name));
    json_object_set_new(o, "village", json_string(d->village));
    json_object_set_new(o, "letter", json_stringn(&d->letter, d->letter ? 1 : 0));
    json_object_set_new(o, "state", json_string(states[d->state]));
    json_object_set_new(o, "roles", json_string(buf_text(&roles)));
    json_object_set_new(o, "last_ok", output_json_time(contact.last_ok_ms));
    json_object_set_new(o, "rate_bps", known_number(contact.rate_bps));
    json_object_set_new(o, "rtt_ms", known_number(contact.rtt_ms));
    json_object_set_new(o, "today", month_bytes_json(&traffic.today));
    json_object_set_new(o, "month", month_bytes_json(&traffic.month));
    json_object_set_new(o, "expires",
                        output_json_time(d->state == DEVICE_INVITED ? d->expires_ms : 0));
    json_object_set_new(o, "stolen", json_boolean(d->stolen));
    json_object_set_new(o, "aside", json_integer((json_int_t)aside_of(l->txn, l->roster, d)));
    json_object_set_new(o, "self", json_boolean(is_self(l, d)));
    json_object_set_new(o, "through", through ? json_string(through->name) : json_null());
    json_object_set_new(o, "through_at", output_json_time(through ? through_ms : 0));
    buf_clear(&roles);
    return o;
}

static const char *remark_on(const struct listing *l, const struct device *d)
{
    if (d->stolen) return _("its invite was used twice: find out by whom");
    uint64_t aside = d->state == DEVICE_REVOKED ? aside_of(l->txn, l->roster, d) : 0;
    if (aside) return cli_format(l->cli, _("%" PRIu64 " records stand aside"), aside);
    if (is_self(l, d)) return _("this device");
    uint64_t through_ms = 0;
    const struct device *through = through_of(l, d, &through_ms);
    if (through)
        return cli_format(l->cli, _("its newest records came by %s, %s"), through->name,
                          words_ago(l->cli, through_ms, l->now_ms));
    if (d->state != DEVICE_INVITED) return "";
    if (d->expires_ms <= l->now_ms) return _("the invite has expired");
    return cli_format(l->cli, _("valid until %s"), words_moment(l->cli, d->expires_ms, l->now_ms));
}

static const char *village_of(const struct listing *l, const struct device *d)
{
    return d->village[0] ? lookup_village_name(l->roster, d->village) : _("township");
}

static void to_row(const struct listing *l, struct table *t, const struct device *d)
{
    char id[17];
    hex_encode(id, id_of(d)->bytes, l->cli->csv ? 8 : 4);
    table_colour(t, d->stolen ? COLOUR_RED : d->state == DEVICE_JOINED ? COLOUR_NONE : COLOUR_DIM);
    table_cell(t, slice_of_text(d->name));
    table_cell(t, slice_of_text(village_of(l, d)));
    table_cell(t, slice_of_text(_(state_words[d->state])));
    table_cell(t, slice_of_text(is_met(l, d)
                                    ? words_ago(l->cli, contact_of(l, d).last_ok_ms, l->now_ms)
                                    : "-"));
    table_cell(t, slice_of_text(id));
    table_cell(t, slice_of_text(remark_on(l, d)));
    table_cell(t, slice_of_text(words_roles(l->cli, d->roles)));
}

static void to_traffic_row(const struct listing *l, struct table *t, const struct device *d)
{
    struct peer_row contact = contact_of(l, d);
    struct traffic_now traffic = traffic_of(l, d);
    struct traffic sent = {.sent = traffic.month.sent};
    table_cell(t, slice_of_text(d->name));
    table_cell(t, slice_of_text(village_of(l, d)));
    table_cell(t, slice_of_text(month_words(l->cli, &l->month, &traffic.today)));
    table_cell(t, slice_of_text(month_words(l->cli, &l->month, &traffic.month)));
    table_cell(t, slice_of_text(month_words(l->cli, &l->month, &sent)));
    table_cell(t, slice_of_text(words_rate(l->cli, contact.rate_bps)));
    table_cell(t, slice_of_text(words_round_trip(l->cli, contact.rtt_ms)));
}

/* Those that this node ever exchanged bytes with. */
static int list_traffic(struct listing *l)
{
    struct table t;
    table_begin(&t, l->cli, traffic_columns, TRAFFIC_COLUMNS);
    for (size_t i = 0; i < l->roster->device_count; i++) {
        const struct device *d = &l->roster->devices[i];
        struct traffic month = traffic_of(l, d).month;
        if (month.sent || month.received || contact_of(l, d).last_attempt_ms)
            to_traffic_row(l, &t, d);
    }
    int code = table_end(&t);
    if (!code && !l->cli->csv) month_lines(l->cli, &l->month, true);
    return code;
}

static int list(struct listing *l)
{
    const struct device *self;
    int code = cli_roster(l->cli, l->txn, &l->roster);
    if (!code) code = cli_self(l->cli, l->roster, &self);
    if (!code) code = month_read(l->cli, l->txn, &l->month);
    if (code) return code;
    if (cli_flag(l->cli, "--words"))
        return device_words(l->cli, l->txn, l->roster, cli_flag(l->cli, "--words"));
    l->at_hub = self->roles & ROLE_HUB;
    if (l->cli->json) {
        struct output_list out;
        output_list_begin(&out, output_json("sidan.devices/1"), "devices");
        for (size_t i = 0; i < l->roster->device_count; i++)
            output_list_item(&out, to_json(l, &l->roster->devices[i]));
        return output_list_end(&out);
    }
    if (cli_has(l->cli, "--traffic")) return list_traffic(l);
    struct table t;
    table_begin(&t, l->cli, columns, COLUMNS);
    for (size_t i = 0; i < l->roster->device_count; i++) to_row(l, &t, &l->roster->devices[i]);
    return table_end(&t);
}

int cmd_devices(struct cli *cli)
{
    struct listing l = {.cli = cli};
    int code = cli_begin(cli, &l.txn);
    if (code) return code;
    l.now_ms = cli_now_ms(l.txn);
    code = list(&l);
    txn_abort(l.txn);
    return code;
}
