#include "tools/sync_report.h"

#include "tools/month.h"
#include "tools/output.h"
#include "tools/standing.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Does anything wait for the next month's bytes? */
static int look_at_month(struct cli *cli, struct month *month, uint64_t *waiting)
{
    struct txn *t;
    struct standing s;
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = standing_read(cli, t, &s);
    if (code == EXIT_OK) {
        *month = s.month;
        *waiting = s.month.holding ? s.unsent : 0;
        standing_clear(&s);
    }
    txn_abort(t);
    return code;
}

static const char *sent_words(struct cli *cli, const struct sync_outcome *o, uint64_t waiting)
{
    uint64_t all = o->sent + o->unsent;
    if (all == 0 && waiting == 0) {
        return _("nothing to send");
    }
    return waiting ? cli_format(cli, _("sent %" PRIu64 " (receipted)"), o->sent)
                   : cli_format(cli, _("sent %" PRIu64 "/%" PRIu64 " (receipted)"), o->sent, all);
}

/* Goes on behind the steps where the screen has room. */
static void say(struct cli *cli, const struct sync_outcome *o, const char *text)
{
    bool fits = o->column + text_width(slice_of_text(text)) <= TABLE_WIDTH;
    if (o->column > 0 && !fits && !cli->quiet) {
        fputc('\n', stdout);
    }
    output_line(cli, "%s", text);
}

int sync_report(struct cli *cli, const struct sync_outcome *o)
{
    double seconds = (double)o->ms / 1000.0;
    struct month month;
    uint64_t waiting = 0;
    int code = look_at_month(cli, &month, &waiting);
    if (code != EXIT_OK) {
        return code;
    }
    if (cli->json) {
        json_t *object = output_json("sidan.sync/1");
        json_object_set_new(object, "sent", json_integer((json_int_t)o->sent));
        json_object_set_new(object, "received", json_integer((json_int_t)o->received));
        json_object_set_new(object, "bytes", json_integer((json_int_t)o->bytes));
        json_object_set_new(object, "seconds", json_real(seconds));
        json_object_set_new(object, "state", json_string(waiting ? "unsent" : "synced"));
        json_object_set_new(object, "waiting", json_integer((json_int_t)waiting));
        return output_json_end(object);
    }
    say(cli, o,
        cli_format(cli, _("%s, received %" PRIu64 ", %.1f KB, %.1f s%s"),
                   sent_words(cli, o, waiting), o->received, (double)o->bytes / 1000.0, seconds,
                   waiting ? cli_format(cli, _("; %" PRIu64 " records wait"), waiting)
                           : _(". All is synced")));
    if (waiting) {
        month_lines(cli, &month, true);
    }
    return EXIT_OK;
}
