#include "tools/proof.h"

#include "common/file.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/words.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 20000u /* in one file */

static const struct table_column columns[] = {
    {N_("recorded"), false, 11}, {N_("kind"), false, 8},    {N_("confirmed"), false, 11},
    {N_("by"), false, 8},        {N_("receipt"), false, 8},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

/* A record of the thing, and the first receipt that covers it. */
struct proved {
    const struct event *event;
    struct feed_row feed;
    bool covered;
    struct receipt receipt;
    struct receipt_entry head;
};

struct proof {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct proved *records;
    size_t count;
    json_t *receipts; /* of the file */
    size_t headers;
};

/* --- the file -------------------------------------------------------------------------------- */

static json_t *file_begin(struct cli *cli)
{
    json_t *o = output_json("sidan.proof/1");
    const struct sign_key *township = &store_identity(cli->store)->township;
    json_object_set_new(o, "township", output_json_hex(township->bytes, sizeof township->bytes));
    return o;
}

static json_t *receipt_json(struct cli *cli, const struct roster *roster, const struct receipt *r)
{
    json_t *o = json_object();
    struct sign_key signer = r->from;
    if (receipt_verify(r, roster, &signer)) signer = r->from;
    json_object_set_new(o, "id", output_json_hex(r->id.bytes, sizeof r->id.bytes));
    json_object_set_new(o, "signer", output_json_hex(signer.bytes, sizeof signer.bytes));
    json_object_set_new(o, "receiver", output_json_hex(r->from.bytes, sizeof r->from.bytes));
    json_object_set_new(o, "name", json_string(lookup_device_name(cli, roster, &r->from)));
    json_object_set_new(o, "statement", output_json_hex(r->statement.data, r->statement.size));
    json_object_set_new(o, "signature",
                        output_json_hex(r->signature.bytes, sizeof r->signature.bytes));
    return o;
}

static int file_end(struct cli *cli, json_t *o, const char *file)
{
    char *text = json_dumps(o, JSON_INDENT(1));
    const char *what = cli_format(cli, _("\"%s\" was not written"), file);
    json_decref(o);
    enum err err = text ? file_create(file, slice_of_text(text), 0600) : ERR_NOMEM;
    free(text);
    if (err == ERR_EXISTS)
        return cli_error(cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                         _("name another file"));
    if (err) return cli_fail(cli, err, what);
    output_line(cli,
                _("written to %s: anybody can check it, without this device"
                  " (proto/SPEC.md, 8.5)"),
                file);
    return EXIT_OK;
}

int proof_of_receipt(struct cli *cli, const struct roster *roster, const struct receipt *r,
                     const char *file)
{
    json_t *o = file_begin(cli);
    json_t *receipts = json_array();
    json_array_append_new(receipts, receipt_json(cli, roster, r));
    json_object_set_new(o, "receipts", receipts);
    json_object_set_new(o, "records", json_array());
    return file_end(cli, o, file);
}

/* The headers from the record to the head, appended to `out`. */
static enum err add_headers(struct proof *p, const struct proved *r, json_t *out)
{
    const struct head head = {.seq = r->head.seq, .id = r->head.id};
    uint64_t wanted = r->head.seq - r->event->seq + 1;
    if (wanted > HEADERS_MAX - p->headers) return ERR_LIMIT;
    uint64_t *arrivals = calloc((size_t)wanted, sizeof *arrivals);
    size_t count = 0;
    if (!arrivals) return ERR_NOMEM;
    enum err err =
        log_branch(p->txn, &r->feed, &head, r->event->seq, r->head.seq, arrivals, &count);
    for (size_t i = 0; !err && i < count; i++) {
        struct event e;
        err = log_read_header(p->txn, arrivals[i], &e);
        if (!err) json_array_append_new(out, output_json_hex(e.header.data, e.header.size));
    }
    p->headers += count;
    free(arrivals);
    return err;
}

static void add_receipt(struct proof *p, const struct receipt *r)
{
    char id[2 * sizeof r->id.bytes + 1];
    size_t i;
    json_t *known;
    hex_encode(id, r->id.bytes, sizeof r->id.bytes);
    json_array_foreach(p->receipts, i, known)
    {
        if (strcmp(json_string_value(json_object_get(known, "id")), id) == 0) return;
    }
    json_array_append_new(p->receipts, receipt_json(p->cli, p->roster, r));
}

static json_t *record_json(const struct proved *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", output_json_hex(r->event->id.bytes, sizeof r->event->id.bytes));
    json_object_set_new(o, "kind", output_json_text(r->event->kind));
    json_object_set_new(o, "time", output_json_time(HLC_MS(r->event->time)));
    json_object_set_new(o, "receipt",
                        r->covered
                            ? output_json_hex(r->receipt.id.bytes, sizeof r->receipt.id.bytes)
                            : json_null());
    return o;
}

static int write_file(struct proof *p, const char *file)
{
    json_t *o = file_begin(p->cli), *records = json_array();
    enum err err = OK;
    p->receipts = json_array();
    for (size_t i = 0; i < p->count && !err; i++) {
        json_t *record = record_json(&p->records[i]), *headers = json_array();
        if (p->records[i].covered) {
            add_receipt(p, &p->records[i].receipt);
            err = add_headers(p, &p->records[i], headers);
        }
        json_object_set_new(record, "headers", headers);
        json_array_append_new(records, record);
    }
    json_object_set_new(o, "receipts", p->receipts);
    json_object_set_new(o, "records", records);
    if (!err) return file_end(p->cli, o, file);
    json_decref(o);
    return cli_fail(p->cli, err, cli_format(p->cli, _("\"%s\" was not written"), file));
}

/* --- which receipt covers which record ------------------------------------------------------- */

/* Receipts come by device, of each the oldest first; the one signed first counts. */
static bool cover(void *state, const struct receipt *r)
{
    struct proof *p = state;
    struct receipt_entry head;
    for (size_t i = 0; i < p->count; i++) {
        struct proved *record = &p->records[i];
        if (record->covered && record->receipt.said.time_ms <= r->said.time_ms) continue;
        if (!receipt_covers(p->txn, r, &record->feed, record->event, &head) ||
            receipt_verify(r, p->roster, NULL))
            continue;
        record->covered = true;
        record->receipt = *r;
        record->head = head;
    }
    return true;
}

static void to_row(struct proof *p, struct table *t, const struct proved *r, uint64_t now_ms)
{
    char id[9] = "-";
    if (r->covered) hex_encode(id, r->receipt.id.bytes, 4);
    table_colour(t, r->covered ? COLOUR_NONE : COLOUR_YELLOW);
    table_cell(t, slice_of_text(words_moment(p->cli, HLC_MS(r->event->time), now_ms)));
    table_cell(t, slice_of_text(words_kind(p->cli, r->event->kind)));
    table_cell(t, slice_of_text(r->covered ? words_moment(p->cli, r->receipt.said.time_ms, now_ms)
                                           : _("not yet")));
    table_cell(t, slice_of_text(r->covered ? lookup_device_name(p->cli, p->roster, &r->receipt.from)
                                           : "-"));
    table_cell(t, slice_of_text(id));
}

static int print(struct proof *p)
{
    struct output_list list;
    struct table table;
    if (p->cli->json) {
        output_list_begin(&list, output_json("sidan.receipts_of/1"), "records");
        for (size_t i = 0; i < p->count; i++) {
            const struct proved *r = &p->records[i];
            json_t *o = record_json(r);
            json_object_set_new(o, "confirmed",
                                output_json_time(r->covered ? r->receipt.said.time_ms : 0));
            output_list_item(&list, o);
        }
        return output_list_end(&list);
    }
    uint64_t now_ms = cli_now_ms(p->txn);
    table_begin(&table, p->cli, columns, COLUMNS);
    for (size_t i = 0; i < p->count; i++) to_row(p, &table, &p->records[i], now_ms);
    return table_end(&table);
}

static enum err find(struct proof *p, const struct history *history)
{
    p->records = calloc(history->count + 1, sizeof *p->records);
    if (!p->records) return ERR_NOMEM;
    for (size_t i = 0; i < history->count; i++) {
        struct proved *r = &p->records[p->count];
        r->event = &history->items[i].event;
        if (feed_find(p->txn, &r->event->feed, &r->feed)) p->count++;
    }
    return receipts_each(p->txn, cover, p);
}

int proof_of_thing(struct cli *cli, struct txn *txn, const struct roster *roster, const char *thing)
{
    struct proof p = {.cli = cli, .txn = txn, .roster = roster};
    struct thing_key key;
    struct history history;
    const char *file = cli_flag(cli, "-o");
    int code = lookup_thing(cli, txn, thing, &key);
    if (code) return code;
    enum err err = views_history(cli->views, txn, key.scope_number, &key.thing, &history);
    if (err) return cli_fail(cli, err, _("the records cannot be read"));
    err = find(&p, &history);
    if (err)
        code = cli_fail(cli, err, _("the receipts cannot be read"));
    else
        code = file ? write_file(&p, file) : print(&p);
    free(p.records);
    history_clear(&history);
    return code;
}
