#include "tools/commands.h"

#include <inttypes.h>
#include <string.h>

#include "common/time.h"
#include "node/views/rules.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/points.h"
#include "tools/recording.h"

/* A list of points that is made public: whose, from when to when. */
struct publishing {
    struct cli *cli;
    struct recording recording;
    struct points points;
    const char *village; /* NULL: of the whole township */
    const char *where;   /* its name */
    uint32_t from, to, days_min;
    struct ledger_list list;
    struct hash digest;
};

static const char *date_text(struct cli *cli, uint32_t day)
{
    char text[TIME_TEXT_SIZE];
    time_format_date(text, time_day_ms(day, 0));
    return cli_format(cli, "%s", text);
}

static int read_day(struct cli *cli, const char *flag, uint32_t *out)
{
    const char *text = cli_flag(cli, flag);
    if (!text || time_parse_day(out, slice_of_text(text)) == OK) return EXIT_OK;
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s: \"%s\" is no date"), flag, text),
                     _("a day is meant"), _("write it like 2022-12-05"));
}

static int read_place(struct publishing *p)
{
    const struct village *village;
    struct cli *cli = p->cli;
    const char *text = cli_argument(cli, 1);
    const struct device *self = &p->recording.self;
    p->where = _("the whole township");
    if (strcmp(text, "town") == 0 || strcmp(text, "全镇") == 0) {
        p->village = NULL;
    } else {
        int code = lookup_village(cli, p->points.roster, text, &village);
        if (code) return code;
        p->village = village->code;
        p->where = cli_format(cli, "%s", lookup_village_name(p->points.roster, village->code));
    }
    if (self->village[0] && (!p->village || strcmp(p->village, self->village) != 0))
        return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                         _("a village shows its own list"),
                         _("the township shows those of all villages"));
    return EXIT_OK;
}

static int read_days(struct publishing *p)
{
    struct cli *cli = p->cli;
    const struct rules *rules;
    p->from = time_day(p->points.now_ms);
    int code = read_day(cli, "--from", &p->from);
    enum err e = views_rules(cli->views, p->points.txn, &rules);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    p->days_min = rules_public_days(rules, p->from);
    p->to = p->from + p->days_min - 1;
    if (!code) code = read_day(cli, "--to", &p->to);
    if (code) return code;
    if (p->to + 1 < p->from + p->days_min)
        return cli_error(
            cli, EXIT_USAGE,
            cli_format(cli, _("%s to %s is too short"), date_text(cli, p->from),
                       date_text(cli, p->to)),
            cli_format(cli, _("the rules in force ask for %u days"), (unsigned)p->days_min),
            cli_format(cli, _("not before --to %s"), date_text(cli, p->from + p->days_min - 1)));
    return EXIT_OK;
}

static int make_list(struct publishing *p)
{
    struct cli *cli = p->cli;
    enum err e = ledger_list_public(&p->list, p->points.ledger, p->village, UINT64_MAX - 1);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    if (!p->list.count)
        return cli_error(cli, EXIT_REFUSED, _("there is nothing to show"),
                         cli_format(cli, _("no points of %u are entered for %s"),
                                    (unsigned)p->points.year, p->where),
                         cli_format(cli, _("first, at the township: sidan points run %u"),
                                    (unsigned)p->points.year));
    if (p->from < p->list.newest)
        return cli_error(
            cli, EXIT_REFUSED, _("nothing was recorded"),
            cli_format(cli, _("entries were made as late as %s, after it would begin"),
                       date_text(cli, p->list.newest)),
            cli_format(cli, _("begin with --from %s"), date_text(cli, p->list.newest)));
    ledger_list_digest(&p->digest, &p->list);
    return EXIT_OK;
}

static MUST_CHECK enum err write_body(const struct publishing *p, struct mp_map *map,
                                      struct buf *out)
{
    struct mp_writer w = mp_map_put(map, "type");
    mp_write_text(&w, "points");
    w = mp_map_put(map, "year");
    mp_write_uint(&w, p->points.year);
    if (p->village) {
        w = mp_map_put(map, "village");
        mp_write_text(&w, p->village);
    }
    w = mp_map_put(map, "list");
    mp_write_bin(&w, p->digest.bytes, sizeof p->digest.bytes);
    w = mp_map_put(map, "from");
    mp_write_text(&w, date_text(p->cli, p->from));
    w = mp_map_put(map, "to");
    mp_write_text(&w, date_text(p->cli, p->to));
    w = mp_map_put(map, "place");
    mp_write_text(&w, cli_flag(p->cli, "--place"));
    return mp_map_end(map, out);
}

static int record(struct publishing *p, struct recorded *recorded)
{
    struct mp_map map = {0};
    struct buf body = {0};
    enum err e = write_body(p, &map, &body);
    struct draft draft = {
        .kind = "publicity.open",
        .scope = scope_town(),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = buf_slice(&body),
    };
    int code = e ? cli_fail(p->cli, e, _("nothing was recorded"))
                 : recording_all(p->cli, &p->recording, &draft, 1, recorded);
    mp_map_clear(&map);
    buf_clear(&body);
    return code;
}

static int tell(const struct publishing *p, const struct recorded *recorded)
{
    struct cli *cli = p->cli;
    char digest[sizeof p->digest.bytes * 2 + 1];
    hex_encode(digest, p->digest.bytes, sizeof p->digest.bytes);
    if (cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, recorded);
        json_object_set_new(o, "kind", json_string("publicity.open"));
        json_object_set_new(o, "people", json_integer((json_int_t)p->list.count));
        json_object_set_new(o, "tenths", json_integer(p->list.points));
        json_object_set_new(o, "list", json_string(digest));
        json_object_set_new(o, "from", json_string(date_text(cli, p->from)));
        json_object_set_new(o, "to", json_string(date_text(cli, p->to)));
        return output_json_end(o);
    }
    output_line(cli, _("recorded: points of %u, %s: %zu people, %s points, public from %s to %s"),
                (unsigned)p->points.year, p->where, p->list.count, points_text(cli, p->list.points),
                date_text(cli, p->from), date_text(cli, p->to));
    output_line(cli, _("check code of the list: %.16s"), digest);
    hint_line(cli,
              _("next: put up the list (sidan points rank %u --csv); objections: sidan "
                "points object SHEET ENTRY"),
              (unsigned)p->points.year);
    return EXIT_OK;
}

/* The list is made and recorded in one transaction: no entry comes in between. */
static int publish(struct publishing *p, struct recorded *recorded)
{
    struct cli *cli = p->cli;
    int code = recording_begin(cli, &p->recording);
    if (code) return code;
    if (!cli_has(cli, "--place"))
        return cli_error(cli, EXIT_USAGE, _("it is not said where the list is shown"),
                         _("people have to find it"), _("add --place \"村务公开栏\""));
    enum err e = recorder_begin(cli->recorder, &p->recording.clock);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    code = points_begin(&p->points, cli, recorder_txn(cli->recorder), cli_argument(cli, 0));
    if (!code) code = read_place(p);
    if (!code) code = read_days(p);
    if (!code) code = make_list(p);
    if (code) {
        recorder_abort(cli->recorder);
        return code;
    }
    return record(p, recorded);
}

int cmd_points_publish(struct cli *cli)
{
    struct publishing p = {.cli = cli};
    struct recorded recorded;
    int code = publish(&p, &recorded);
    if (!code) code = tell(&p, &recorded);
    ledger_list_clear(&p.list);
    points_end(&p.points);
    return code;
}
