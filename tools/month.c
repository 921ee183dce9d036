#include "tools/month.h"

#include "common/time.h"
#include "node/clock.h"
#include "tools/hint.h"
#include "tools/output.h"

#define TENTH_MB 100000u

static uint64_t rounded(uint64_t bytes)
{
    return bytes - bytes % TENTH_MB;
}

static struct traffic_now shown(const struct month *m, struct traffic_now now)
{
    if (!m->coarse) return now;
    return (struct traffic_now){
        .today = {rounded(now.today.sent), rounded(now.today.received)},
        .month = {rounded(now.month.sent), rounded(now.month.received)},
    };
}

struct traffic_now month_peer(struct txn *txn, const struct month *m, const struct sign_key *peer)
{
    return shown(m, traffic_now(txn, peer, m->day));
}

int month_read(struct cli *cli, struct txn *txn, struct month *out)
{
    struct clock_reading clock;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_settings(cli);
    if (!code) code = cli_roster(cli, txn, &roster);
    if (!code) code = cli_self(cli, roster, &self);
    if (code) return code;
    clock_read(txn, &clock);
    uint32_t day = traffic_today(txn, clock.wall_ms, clock.trusted);
    struct traffic_now exact = traffic_now(txn, NULL, day);
    struct month m = {.limit = settings_month_bytes_max(&cli->settings),
                      .trusted = clock.trusted,
                      .coarse = !device_is_township(self),
                      .day = day,
                      .resumes = traffic_next_month(day)};
    struct traffic_now now = shown(&m, exact);
    m.today = now.today;
    m.all = now.month;
    m.holding = exact.month.sent + exact.month.received >= traffic_limit_normal(m.limit);
    *out = m;
    return EXIT_OK;
}

const char *month_words(struct cli *cli, const struct month *m, const struct traffic *bytes)
{
    double sum = (double)(bytes->sent + bytes->received);
    if (m->coarse && sum == 0) return "<0.1 MB";
    return !m->coarse && sum < 1e6 ? cli_format(cli, "%.1f KB", sum / 1e3)
                                   : cli_format(cli, "%.1f MB", sum / 1e6);
}

const char *month_resumes(struct cli *cli, const struct month *m)
{
    char text[TIME_TEXT_SIZE];
    time_format_date(text, time_day_ms(m->resumes, 0));
    return cli_format(cli, "%s", text + 5);
}

json_t *month_bytes_json(const struct traffic *bytes)
{
    json_t *o = json_object();
    json_object_set_new(o, "sent", json_integer((json_int_t)bytes->sent));
    json_object_set_new(o, "received", json_integer((json_int_t)bytes->received));
    return o;
}

static json_t *date_json(uint32_t day)
{
    char text[TIME_TEXT_SIZE];
    if (!day) return json_null();
    time_format_date(text, time_day_ms(day, 0));
    return json_string(text);
}

json_t *month_json(const struct month *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "day", date_json(m->day));
    json_object_set_new(o, "today", month_bytes_json(&m->today));
    json_object_set_new(o, "month", month_bytes_json(&m->all));
    json_object_set_new(o, "limit", m->limit ? json_integer((json_int_t)m->limit) : json_null());
    json_object_set_new(o, "holding", json_boolean(m->holding));
    json_object_set_new(o, "resumes", date_json(m->day ? m->resumes : 0));
    return o;
}

/* No trusted clock has ever told a day: all stands in one heap. */
static void undated_line(struct cli *cli, const struct month *m)
{
    const char *sum = month_words(cli, m, &m->all);
    if (m->limit) sum = cli_format(cli, _("%s of %.0f MB"), sum, (double)m->limit / 1e6);
    hint_line(cli, _("  traffic so far %s; by month once the clock is trusted: sidan clock"), sum);
}

void month_lines(struct cli *cli, const struct month *m, bool always)
{
    if (!m->limit && !always) return;
    if (!m->day)
        undated_line(cli, m);
    else if (m->limit)
        output_line(cli, _("  traffic this month %s of %.0f MB, today %s"),
                    month_words(cli, m, &m->all), (double)m->limit / 1e6,
                    month_words(cli, m, &m->today));
    else
        output_line(cli, _("  traffic this month %s, today %s"), month_words(cli, m, &m->all),
                    month_words(cli, m, &m->today));
    if (!m->holding) return;
    output_line(cli, "! %s", _("nine tenths are used up: only the roster and what is urgent goes"));
    if (m->trusted)
        output_line(cli, _("  the others wait, stored safely, until %s"), month_resumes(cli, m));
    else
        output_line(cli, "  %s",
                    _("the others wait; no month begins by a clock that nobody vouched "
                      "for: sidan clock"));
}
