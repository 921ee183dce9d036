#include "node/views/checks.h"
#include "node/views/sealed.h"
#include "tools/commands.h"
#include "tools/doctor.h"
#include "tools/hint.h"
#include "tools/output.h"
#include "tools/rest_alarm.h"
#include "tools/words.h"

#include "common/time.h"
#include "node/views/rules.h"

#include <inttypes.h>
#include <stdlib.h>

void doctor_found(struct doctor *d, const char *code, const char *what, const char *todo)
{
    d->count++;
    if (d->problems) {
        json_t *o = json_object();
        json_object_set_new(o, "code", json_string(code));
        json_object_set_new(o, "what", output_json_text(slice_of_text(what)));
        json_object_set_new(o, "do", output_json_text(slice_of_text(todo)));
        json_array_append_new(d->problems, o);
        return;
    }
    output_line(d->cli, "%s%zu. %s%s", output_colour(d->cli, COLOUR_YELLOW), d->count, what,
                output_colour(d->cli, COLOUR_NONE));
    hint_line(d->cli, "   %s: %s", _("do"), todo);
}

static void look_at_rest(struct doctor *d)
{
    struct trust_alarm alarm;
    if (rest_alarm(d->cli, &alarm)) doctor_found(d, alarm.code, alarm.what, alarm.todo);
}

static void look_at_disk(struct doctor *d)
{
    struct store_space space;
    if (store_space(d->cli->store, &space)) return;
    if (space.disk_free < DOCTOR_DISK_LOW)
        doctor_found(d, "disk",
                     cli_format(d->cli, _("only %s are free on the disk"),
                                words_bytes(d->cli, space.disk_free)),
                     _("free some space: without it nothing can be recorded"));
    if (space.used > space.map_size / 10 * 9)
        doctor_found(d, "store-size",
                     cli_format(d->cli, _("the store holds %s of at most %s"),
                                words_bytes(d->cli, space.used),
                                words_bytes(d->cli, space.map_size)),
                     _("sidan compact, with the node stopped"));
}

static void look_at_records(struct doctor *d, const struct standing *s)
{
    if (s->damage.count)
        doctor_found(
            d, "damage",
            cli_format(d->cli,
                       _("%zu records are damaged on this disk (the first: no. %" PRIu64 ")"),
                       s->damage.count, s->damage.arrivals[0]),
            _("keep the folder; ask the township for a new invite: the first sync brings the "
              "records back; and have the disk replaced"));
}

static void look_at_clock(struct doctor *d, const struct standing *s)
{
    if (!s->clock.trusted)
        doctor_found(d, "clock",
                     _("nobody has vouched for this machine's clock since it was started"),
                     _("compare with a watch; if it is right: sidan clock --set"));
    if (llabs(s->clock.offset_ms) > DOCTOR_CLOCK_OFF_MS)
        doctor_found(d, "clock-off",
                     cli_format(d->cli, _("this machine's clock is wrong by %.0f minutes"),
                                (double)s->clock.offset_ms / -60000),
                     _("set the machine's date and time"));
}

static void look_at_month(struct doctor *d, const struct standing *s)
{
    if (!s->month.holding) return;
    doctor_found(
        d, "month",
        _("nine tenths of this month's traffic are used up: records wait, the urgent ones go"),
        cli_format(d->cli, _("wait until %s, or raise it: sidan config set monthly_limit_mb MB"),
                   month_resumes(d->cli, &s->month)));
}

static int look_at_views(struct doctor *d, struct txn *txn)
{
    struct visible visible;
    uint64_t done, total;
    if (!views_rebuild_pending(txn, &done, &total)) return EXIT_OK;
    int code = cli_visible(d->cli, txn, &visible);
    if (code) return code;
    visible_progress(&visible, &done, &total);
    visible_end(&visible);
    doctor_found(d, "rebuild",
                 cli_format(d->cli, _("the lists are being made anew: %" PRIu64 " of %" PRIu64),
                            done, total),
                 _("wait for the node, or run sidan rebuild"));
    return EXIT_OK;
}

static int look_at_sealed(struct doctor *d, struct txn *txn, const struct standing *s)
{
    struct sealed_counts counts;
    if (!s->hub) return EXIT_OK;
    enum err e = sealed_count(txn, &counts);
    if (e) return cli_fail(d->cli, e, _("the sealed records cannot be read"));
    if (counts.waiting)
        doctor_found(
            d, "sealed",
            cli_format(d->cli, _("%" PRIu64 " sealed records wait to be opened"), counts.waiting),
            "sidan sealed open");
    return EXIT_OK;
}

/* The State Council announces a year in the autumn before; a December is known with the next one.
 */
static int look_at_calendar(struct doctor *d, struct txn *txn, const struct standing *s)
{
    const struct device *self = roster_device(s->roster, &store_identity(d->cli->store)->device);
    const struct rules *rules;
    if (!self || !(self->roles & ROLE_OFFICE)) return EXIT_OK;
    enum err e = views_rules(d->cli->views, txn, &rules);
    if (e) return cli_fail(d->cli, e, _("the rules cannot be read"));
    struct time_date today = time_day_date(time_day(cli_now_ms(txn)));
    uint32_t year = today.month == 12 ? today.year + 1 : today.year;
    if (!rules_calendar_of(rules, year))
        doctor_found(d, "calendar",
                     cli_format(d->cli,
                                _("the calendar of %u is not recorded: dates are provisional"),
                                year),
                     _("sidan calendar put FILE, with the days that the State Council announced"));
    return EXIT_OK;
}

static int look_at_checks(struct doctor *d, struct txn *txn)
{
    uint64_t count;
    enum err e = checks_count(d->cli->views, txn, &count);
    if (e) return cli_fail(d->cli, e, _("the checks could not be made"));
    if (count)
        doctor_found(d, "checks",
                     cli_format(d->cli, _("%" PRIu64 " records contradict others"), count),
                     _("sidan checks lists them, and what to do"));
    return EXIT_OK;
}

static int look_into_store(struct doctor *d)
{
    struct txn *txn;
    struct standing s;
    int code = cli_begin(d->cli, &txn);
    if (code) return code;
    code = standing_read(d->cli, txn, &s);
    if (!code) {
        look_at_disk(d);
        look_at_rest(d);
        look_at_records(d, &s);
        look_at_clock(d, &s);
        look_at_month(d, &s);
        code = look_at_views(d, txn);
        doctor_node(d, &s);
        if (!code) code = doctor_trust(d, txn, &s);
        if (!code) code = look_at_calendar(d, txn, &s);
        if (!code) code = look_at_sealed(d, txn, &s);
        if (!code) code = look_at_checks(d, txn);
        if (!code) code = doctor_courier(d, txn, &s);
        if (!code) code = doctor_peers(d, &s);
        standing_clear(&s);
    }
    txn_abort(txn);
    return code;
}

int cmd_doctor(struct cli *cli)
{
    struct doctor d = {.cli = cli, .problems = cli->json ? json_array() : NULL};
    int code = EXIT_OK;
    if (doctor_home(&d)) code = look_into_store(&d);
    if (code) {
        json_decref(d.problems);
        return code;
    }
    if (d.problems) {
        json_t *o = output_json("sidan.doctor/1");
        json_object_set_new(o, "problems", d.problems);
        code = output_json_end(o);
    } else if (d.count == 0) {
        output_line(cli, "%s", _("nothing is wrong"));
    }
    return !code && d.count ? EXIT_ATTENTION : code;
}
