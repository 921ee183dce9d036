#include "tools/commands.h"

#include "common/text.h"
#include "common/time.h"
#include "node/store/audit.h"
#include "proto/json.h"
#include "tools/lookup.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Events are read in slices, each in a transaction of its own that is over before the slice is
 * written: a pager that waits must not hold old pages of the store. */
#define SLICE_EVENTS 256
#define LAST_MAX 1000000
#define SUBJECT_SHOWN 12 /* hex digits, as other lists show an id */
#define FOLLOW_POLL_NS (200 * 1000 * 1000)

struct selection {
    bool has_feed, has_scope;
    struct feed_row feed;
    struct scope scope;
    const char *kind;
    size_t kind_size;
    bool kind_prefix;
};

static bool selects(const struct selection *s, const struct event *e)
{
    if (s->has_feed && !feed_equal(&s->feed.feed, &e->feed)) return false;
    if (s->has_scope && !scope_equal(&s->scope, &e->feed.scope)) return false;
    if (!s->kind) return true;
    return (s->kind_prefix ? e->kind.size >= s->kind_size : e->kind.size == s->kind_size) &&
           memcmp(e->kind.data, s->kind, s->kind_size) == 0;
}

static int read_selection(struct cli *cli, struct txn *txn, struct selection *s)
{
    const struct roster *roster;
    const char *feed = cli_flag(cli, "--feed"), *village = cli_flag(cli, "--village");
    int code = cli_roster(cli, txn, &roster);
    if (!code && feed) code = lookup_feed(cli, txn, roster, feed, &s->feed);
    if (!code && village) code = lookup_scope(cli, roster, village, &s->scope);
    s->has_feed = feed != NULL;
    s->has_scope = village != NULL;
    s->kind = cli_flag(cli, "--kind");
    s->kind_size = s->kind ? strcspn(s->kind, "*") : 0;
    s->kind_prefix = s->kind && s->kind[s->kind_size];
    return code;
}

/* --- one event --- */

static json_t *event_json(const struct cli *cli, const struct roster *roster, uint64_t arrival,
                          const struct event *e)
{
    const struct kind *k = kind_find(e->kind);
    struct buf feed = {0};
    json_t *o = json_object();
    lookup_feed_print(&feed, roster, &e->feed);
    json_object_set_new(o, "schema", json_string("sidan.log/1"));
    json_object_set_new(o, "arrival", json_integer((json_int_t)arrival));
    json_object_set_new(o, "feed", json_string(buf_text(&feed)));
    json_object_set_new(o, "seq", json_integer((json_int_t)e->seq));
    json_object_set_new(o, "id", output_json_hex(e->id.bytes, sizeof e->id.bytes));
    json_object_set_new(o, "time", output_json_time(HLC_MS(e->time)));
    json_object_set_new(o, "time_trusted", json_boolean(!HLC_UNTRUSTED(e->time)));
    json_object_set_new(o, "kind", output_json_text(e->kind));
    json_object_set_new(o, "subject", output_json_hex(e->subject.bytes, sizeof e->subject.bytes));
    json_object_set_new(o, "founding", json_boolean(e->founding));
    json_object_set_new(o, "by",
                        e->has_by ? output_json_hex(e->by.bytes, sizeof e->by.bytes) : json_null());
    json_object_set_new(o, "depth", json_integer(e->depth));
    json_object_set_new(o, "seen", json_integer(e->seen));
    json_object_set_new(o, "signed", json_boolean(e->has_signature));
    if (cli->verbose) {
        json_object_set_new(o, "body", json_of_fields(e->body, k));
        json_object_set_new(o, "box",
                            e->box_state == BOX_HERE ? json_of_fields(e->box, k) : json_null());
    }
    buf_clear(&feed);
    return o;
}

static void append_cell(struct buf *out, const char *text, size_t width)
{
    text_append_padded(out, slice_of_text(text), width, false);
    buf_append_byte(out, ' ');
}

/* With -v whole ids and feeds, wider than a screen. */
static void append_line(const struct cli *cli, struct buf *out, const struct roster *roster,
                        const struct event *e)
{
    char time[TIME_TEXT_SIZE], moment[TIME_TEXT_SIZE + 1], id[17], subject[33];
    size_t subject_width = cli->verbose ? 32 : SUBJECT_SHOWN;
    struct buf feed = {0}, kind = {0};
    time_format(time, HLC_MS(e->time));
    snprintf(moment, sizeof moment, "%s%s", time, HLC_UNTRUSTED(e->time) ? "?" : "");
    hex_encode(id, e->id.bytes, 8);
    hex_encode(subject, e->subject.bytes, sizeof e->subject.bytes);
    subject[subject_width] = 0;
    (cli->verbose ? lookup_feed_print : lookup_feed_print_short)(&feed, roster, &e->feed);
    buf_printf(&feed, " %" PRIu64, e->seq);
    buf_append_slice(&kind, e->kind);
    append_cell(out, moment, 17);
    append_cell(out, buf_text(&kind), 17);
    if (cli->verbose) append_cell(out, id, 16);
    append_cell(out, subject, subject_width);
    text_append_shown(out, buf_slice(&feed));
    buf_append_byte(out, '\n');
    buf_clear(&feed);
    buf_clear(&kind);
}

static void append_event(const struct cli *cli, const struct roster *roster, uint64_t arrival,
                         const struct event *e, struct buf *out)
{
    if (!cli->json) {
        append_line(cli, out, roster, e);
        return;
    }
    json_t *o = event_json(cli, roster, arrival, e);
    char *text = json_dumps(o, JSON_COMPACT);
    if (text) {
        buf_append_text(out, text);
        buf_append_byte(out, '\n');
    }
    free(text);
    json_decref(o);
}

/* --- slices --- */

/* One event: *arrival, if it is shown here and selected. */
static int read_one(struct cli *cli, struct txn *txn, const struct visible *visible,
                    const struct roster *roster, const struct selection *selection,
                    uint64_t arrival, struct buf *out)
{
    struct event e;
    struct buf box = {0};
    if (!visible_arrival(visible, arrival)) return EXIT_OK;
    uint64_t number = visible_number(visible, arrival);
    enum err err = log_read(txn, arrival, &e);
    if (!err && cli->json) err = log_open_box(txn, &e, &box);
    if (err == ERR_LOCKED) err = OK; /* told with the line */
    if (err == ERR_CORRUPT)
        output_note(cli, _("record %" PRIu64 " is damaged: sidan verify"), number);
    else if (err)
        return cli_fail(cli, err, _("the records cannot be read"));
    else if (selects(selection, &e))
        append_event(cli, roster, number, &e, out);
    crypto_buf_wipe(&box);
    return EXIT_OK;
}

/* One slice from *arrival on. *arrival moves past what was looked at; *over: nothing was left. */
static int read_slice(struct cli *cli, const struct selection *selection, uint64_t *arrival,
                      struct buf *out, bool *over)
{
    struct txn *txn;
    const struct roster *roster;
    struct visible visible = {0};
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = cli_roster(cli, txn, &roster);
    if (!code) code = cli_visible(cli, txn, &visible);
    uint64_t last = log_count(txn);
    for (size_t i = 0; i < SLICE_EVENTS && *arrival <= last && !code; i++, ++*arrival)
        code = read_one(cli, txn, &visible, roster, selection, *arrival, out);
    *over = *arrival > last;
    visible_end(&visible);
    txn_abort(txn);
    return code;
}

static int print_from(struct cli *cli, const struct selection *selection, uint64_t *arrival)
{
    struct buf out = {0};
    bool over = false;
    int code = EXIT_OK;
    while (!over && !code) {
        buf_reset(&out);
        code = read_slice(cli, selection, arrival, &out, &over);
        if (out.size && fwrite(out.data, 1, out.size, stdout) != out.size) code = EXIT_FAILED;
    }
    buf_clear(&out);
    if (fflush(stdout)) code = EXIT_FAILED;
    return code;
}

/* The arrival number from which the last `wanted` selected events are read. */
static int find_start(struct cli *cli, struct txn *txn, const struct selection *selection,
                      uint64_t wanted, uint64_t *start)
{
    uint64_t arrival = log_count(txn);
    struct visible visible;
    int code = cli_visible(cli, txn, &visible);
    if (code) return code;
    *start = arrival + 1;
    for (uint64_t found = 0; arrival > 0 && found < wanted && !code; arrival--) {
        struct event e;
        if (!visible_arrival(&visible, arrival)) continue;
        enum err err = log_read_unverified(txn, arrival, &e);
        if (err && err != ERR_CORRUPT) code = cli_fail(cli, err, _("the records cannot be read"));
        if (err || !selects(selection, &e)) continue;
        found++;
        *start = arrival;
    }
    visible_end(&visible);
    return code;
}

static int follow(struct cli *cli, const struct selection *selection, uint64_t *arrival)
{
    const struct timespec pause = {.tv_nsec = FOLLOW_POLL_NS};
    uint64_t started_ms = clock_monotonic_ms(), seen = store_last_txn(cli->store);
    for (;;) {
        int code = print_from(cli, selection, arrival);
        if (code) return code;
        while (store_last_txn(cli->store) == seen) {
            if (cli->has_timeout && clock_monotonic_ms() - started_ms >= cli->timeout_ms)
                return EXIT_OK;
            nanosleep(&pause, NULL);
        }
        seen = store_last_txn(cli->store);
    }
}

static void print_raw_line(void *state, const char *text)
{
    struct buf *line = state;
    buf_reset(line);
    text_append_shown(line, slice_of_text(text));
    puts(buf_text(line));
}

static int print_raw(struct cli *cli)
{
    struct buf line = {0};
    int code = cli_open_store(cli);
    if (code) return code;
    enum err e = audit_print_raw(cli->store, print_raw_line, &line);
    buf_clear(&line);
    return e ? cli_fail(cli, e, _("the store cannot be printed")) : EXIT_OK;
}

/* What does not count, by scope and thing; it has no number among the records. */
static int print_aside(struct cli *cli)
{
    struct txn *txn;
    const struct roster *roster;
    struct visible visible = {0};
    struct selection selection = {0};
    struct buf out = {0};
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = read_selection(cli, txn, &selection);
    if (!code) code = cli_roster(cli, txn, &roster);
    if (!code) code = cli_visible(cli, txn, &visible);
    struct aside_cursor cursor = {.txn = txn};
    for (uint64_t arrival; !code && (arrival = aside_next(&cursor)) != 0;) {
        struct event e;
        if (log_read(txn, arrival, &e) || !visible_scope(&visible, &e.feed.scope)) continue;
        if (selects(&selection, &e)) append_event(cli, roster, 0, &e, &out);
    }
    visible_end(&visible);
    txn_abort(txn);
    if (out.size && fwrite(out.data, 1, out.size, stdout) != out.size) code = EXIT_FAILED;
    buf_clear(&out);
    return fflush(stdout) ? EXIT_FAILED : code;
}

int cmd_log(struct cli *cli)
{
    struct selection selection = {0};
    struct txn *txn;
    uint64_t wanted = 0, arrival = 1;
    if (cli_has(cli, "--raw")) return print_raw(cli);
    if (cli_has(cli, "--aside")) return print_aside(cli);
    int code = cli_flag_uint(cli, "-n", 1, LAST_MAX, &wanted);
    if (!code) code = cli_begin(cli, &txn);
    if (code) return code;
    code = read_selection(cli, txn, &selection);
    if (!code && wanted) code = find_start(cli, txn, &selection, wanted, &arrival);
    txn_abort(txn);
    if (code) return code;
    return cli_has(cli, "-f") ? follow(cli, &selection, &arrival)
                              : print_from(cli, &selection, &arrival);
}
