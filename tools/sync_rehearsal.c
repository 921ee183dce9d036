#include "tools/sync_rehearsal.h"

#include "node/rehearsal.h"
#include "tools/month.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>

/* With the month's limit, and where something waits for it, what all would be. */
struct outlook {
    struct rehearsal now, all;
    struct month month;
};

static enum err rehearse(struct cli *cli, const struct contact_target *target, uint64_t limit,
                         struct rehearsal *out)
{
    struct rehearsal_options options = {.store = cli->store,
                                        .views = cli->views,
                                        .keys = &cli->keys,
                                        .device = target->plan.places[0].device,
                                        .key = target->plan.places[0].transport,
                                        .month_bytes_max = limit,
                                        .time = {.now_ms = clock_monotonic_ms()}};
    struct txn *t;
    enum err e = txn_begin(cli->store, false, &t);
    if (e) return e;
    clock_read(t, &options.time.clock);
    txn_abort(t);
    return rehearsal_run(out, &options);
}

static json_t *count_of(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static int print_json(const struct outlook *o)
{
    const struct rehearsal *r = &o->now;
    json_t *object = output_json("sidan.sync/1");
    json_object_set_new(object, "dry_run", json_true());
    json_object_set_new(object, "sent", count_of(r->events));
    json_object_set_new(object, "received", count_of(r->behind));
    json_object_set_new(object, "bytes", count_of(r->up + r->down));
    json_object_set_new(object, "bytes_up", count_of(r->up));
    json_object_set_new(object, "bytes_down", count_of(r->down));
    json_object_set_new(object, "seconds",
                        r->measured ? json_real((double)r->ms / 1000) : json_null());
    json_object_set_new(object, "rate_bps", r->measured ? count_of(r->rate_bps) : json_null());
    json_object_set_new(object, "rtt_ms", r->measured ? count_of(r->rtt_ms) : json_null());
    json_object_set_new(object, "waiting", count_of(r->waiting));
    json_object_set_new(object, "waiting_bytes",
                        count_of(o->all.up + o->all.down - r->up - r->down));
    json_object_set_new(object, "traffic", month_json(&o->month));
    return output_json_end(object);
}

static int print(struct cli *cli, const struct outlook *o)
{
    const struct rehearsal *r = &o->now;
    output_line(
        cli,
        _("%" PRIu64 " records to send, %" PRIu64 " known of to receive: %.1f KB up, %.1f KB down"),
        r->events, r->behind, (double)r->up / 1000, (double)r->down / 1000);
    if (r->measured)
        output_line(cli, _("  about %s at the speed last measured (%s, round trip %s)"),
                    words_span(cli, r->ms + 999), words_rate(cli, r->rate_bps),
                    words_round_trip(cli, r->rtt_ms));
    else
        output_line(cli, "  %s", _("how long it takes is not known: the link was never measured"));
    if (r->waiting)
        output_line(cli, _("! %" PRIu64 " records (%.1f KB) have no room in this month"),
                    r->waiting, (double)(o->all.up + o->all.down - r->up - r->down) / 1000);
    month_lines(cli, &o->month, false);
    return EXIT_OK;
}

int sync_rehearsal(struct cli *cli, const struct contact_target *target)
{
    struct outlook o = {0};
    struct txn *t;
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = month_read(cli, t, &o.month);
    txn_abort(t);
    if (code) return code;
    enum err e = rehearse(cli, target, o.month.limit, &o.now);
    o.all = o.now;
    if (!e && o.month.limit && o.now.waiting) e = rehearse(cli, target, 0, &o.all);
    if (e) return cli_fail(cli, e, _("what a contact would carry cannot be told"));
    return cli->json ? print_json(&o) : print(cli, &o);
}
