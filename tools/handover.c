#include "tools/handover.h"

#include "common/text.h"
#include "node/views/request_due.h"
#include "node/views/thing.h"
#include "tools/points.h"
#include "tools/request_json.h"
#include "tools/standing.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>

#define SHEET_WIDTH 78u

/* --- what there is --- */

struct counting {
    struct handover *h;
    struct request_showing showing;
    struct txn *txn;
    uint32_t scope_number; /* 0: all */
};

static void pad(struct buf *out, const char *text, size_t width)
{
    buf_append_text(out, text);
    for (size_t i = text_width(slice_of_text(text)); i < width; i++) buf_append_byte(out, ' ');
}

static bool take_request(void *state, const struct thing_key *key, const struct request *r,
                         uint64_t due_ms)
{
    struct counting *c = state;
    struct handover *h = c->h;
    buf_append_text(&h->lines, "   [ ] ");
    pad(&h->lines, output_text(h->cli, r->number), 12);
    pad(&h->lines, i18n_is_chinese() ? request_state_zh(r->state) : request_state_name(r->state),
        14);
    const char *due = words_moment(h->cli, due_ms, c->showing.now_ms);
    bool over = due_ms && due_ms < c->showing.now_ms;
    buf_append_text(&h->lines, over ? cli_format(h->cli, _("%s overdue"), due) : due);
    buf_append_byte(&h->lines, '\n');
    json_array_append_new(h->requests, request_json(&c->showing, key, r));
    return true;
}

static int count_requests(struct counting *c)
{
    struct due_counts counts;
    enum err err = requests_due_count(c->txn, c->scope_number, c->showing.now_ms,
                                      c->showing.soon_until_ms, &counts);
    if (!err) err = requests_by_due(c->txn, c->scope_number, take_request, c);
    if (err) return cli_fail(c->h->cli, err, _("the requests cannot be read"));
    c->h->open = counts.open;
    c->h->overdue = counts.overdue;
    return EXIT_OK;
}

static bool take_service(void *state, const struct thing *service)
{
    struct counting *c = state;
    if (strcmp(thing_state_name(THING_SERVICE, service->state), "logged") == 0) c->h->unverified++;
    return true;
}

static int count_points(struct counting *c)
{
    struct points points;
    const char *village = NULL;
    int64_t sum = 0;
    int code = points_begin(&points, c->h->cli, c->txn, NULL);
    if (!code) code = points_village(&points, NULL, &village);
    for (size_t i = 0; !code && i < points.ledger->person_count; i++) {
        const struct ledger_person *p = &points.ledger->people[i];
        if (!village || strcmp(village, p->village) == 0)
            sum += p->points - p->in_state[LEDGER_REDEEMED];
    }
    points_end(&points);
    c->h->points = sum > 0 ? (uint64_t)sum : 0;
    return code;
}

static int count_unsent(struct counting *c)
{
    struct standing s;
    int code = standing_read(c->h->cli, c->txn, &s);
    if (code) return code;
    c->h->unsent = s.hub ? 0 : s.unsent;
    memcpy(c->h->device, s.self->name, sizeof c->h->device);
    if (!device_is_township(s.self)) {
        const struct scope scope = scope_of_village(s.self->village);
        struct scope_row row;
        c->scope_number = scope_find(c->txn, &scope, &row) ? row.number : UINT32_MAX;
    }
    standing_clear(&s);
    return EXIT_OK;
}

int handover_read(struct handover *h, struct txn *txn)
{
    struct counting c = {.h = h, .txn = txn};
    h->requests = json_array();
    int code = request_showing_begin(&c.showing, h->cli, txn);
    if (!code) code = count_unsent(&c);
    if (!code) code = count_requests(&c);
    if (!code) code = count_points(&c);
    if (code) return code;
    enum err err = things_each(txn, THING_SERVICE, c.scope_number, take_service, &c);
    return err ? cli_fail(h->cli, err, _("the services cannot be read")) : EXIT_OK;
}

void handover_clear(struct handover *h)
{
    buf_clear(&h->lines);
    json_decref(h->requests);
    h->requests = NULL;
}

/* --- how it is shown --- */

static void line(struct buf *out, const char *text)
{
    buf_append_text(out, text);
    buf_append_byte(out, '\n');
}

static void title(struct buf *out, const char *text)
{
    size_t width = text_width(slice_of_text(text));
    for (size_t i = width; i + 1 < SHEET_WIDTH; i += 2) buf_append_byte(out, ' ');
    line(out, text);
}

/* A text of a person in lines of its own, broken where the sheet ends. */
static void paragraph(struct handover *h, struct buf *out, const char *text)
{
    const char *clean = output_text(h->cli, slice_of_text(text));
    size_t column = 0;
    for (const char *at = clean; *at;) {
        size_t size = 1;
        while ((at[size] & 0xc0) == 0x80) size++;
        size_t width = text_width(slice_of(at, size));
        if (column == 0 || column + width > SHEET_WIDTH) {
            if (column) buf_append_byte(out, '\n');
            buf_append_text(out, "   ");
            column = 3;
        }
        buf_append(out, at, size);
        column += width;
        at += size;
    }
    buf_append_byte(out, '\n');
}

static void counts(struct handover *h, struct buf *out)
{
    struct cli *cli = h->cli;
    line(out, cli_format(cli, _("1. open requests: %" PRIu64 ", of these overdue: %" PRIu64),
                         h->open, h->overdue));
    buf_append_slice(out, buf_slice(&h->lines));
    line(out, cli_format(cli, _("2. records not sent yet: %" PRIu64), h->unsent));
    if (h->unsent)
        line(out, _("   they are safe on this machine: leave it with the one who takes over"));
    line(out, cli_format(cli, _("3. services to be verified: %" PRIu64), h->unverified));
    line(out, cli_format(cli, _("4. points on hand, this year's account: %s"),
                         points_text(cli, (int64_t)h->points)));
    line(out, _("5. what goes from hand to hand"));
    line(out, _("   [ ] this machine and its charger    [ ] its passphrase, told and changed"));
    line(out, _("   [ ] paper forms not typed in yet    [ ] files and the paper ledger"));
    line(out, _("6. what to look after"));
    if (h->note)
        paragraph(h, out, h->note);
    else
        line(out, "\n");
}

void handover_sheet(struct handover *h, struct buf *out)
{
    struct cli *cli = h->cli;
    const char *blank = "____________";
    title(out, _("Handover of work"));
    buf_append_byte(out, '\n');
    line(out,
         cli_format(cli, _("unit: %s    machine: %s    day: %s"), h->from_unit, h->device, h->day));
    line(out, cli_format(cli, _("from: %s    to: %s    present: %s"), h->from_name,
                         h->to_name[0] ? h->to_name : blank, h->present ? h->present : blank));
    buf_append_byte(out, '\n');
    counts(h, out);
    buf_append_byte(out, '\n');
    line(out, _("hands over ________________  takes over ________________  present ____________"));
    line(out, _("date       ________________  date       ________________"));
}

json_t *handover_json(struct handover *h)
{
    json_t *o = output_json("sidan.handover/1");
    const struct thing_id *from = &h->from.thing;
    json_object_set_new(o, "from", output_json_hex(from->bytes, sizeof from->bytes));
    json_object_set_new(o, "from_name", json_string(h->from_name));
    json_object_set_new(
        o, "to", h->to_name[0] ? output_json_hex(h->to.bytes, sizeof h->to.bytes) : json_null());
    json_object_set_new(o, "to_name", json_string(h->to_name));
    json_object_set_new(o, "on", json_string(h->day));
    json_object_set_new(o, "open", json_integer((json_int_t)h->open));
    json_object_set_new(o, "overdue", json_integer((json_int_t)h->overdue));
    json_object_set_new(o, "unsent", json_integer((json_int_t)h->unsent));
    json_object_set_new(o, "unverified", json_integer((json_int_t)h->unverified));
    json_object_set_new(o, "points", json_real((double)h->points / 10));
    json_object_set(o, "requests", h->requests);
    return o;
}
