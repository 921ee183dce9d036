/* `sidan receipts`: what township and peers have signed that they hold, and what each proves. */
#include "tools/commands.h"

#include "common/time.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/proof.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20u
#define ID_SHOWN 8u /* hex digits; a prefix of 6 is taken */
#define PREFIX_MIN 6u

static const struct table_column columns[] = {
    {N_("signed at"), false, 11},
    {N_("receipt"), false, 8},
    {N_("by"), false, 8},
    {N_("up to record"), false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct listed {
    struct sign_key from;
    uint64_t counter, time_ms;
};

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct visible visible;
    uint64_t now_ms;
    struct listed *receipts;
    size_t count, capacity;
    const char *wanted; /* the beginning of an id; NULL: all */
    enum err err;
};

static bool is_wanted(const struct listing *l, const struct receipt *r)
{
    char hex[2 * sizeof r->id.bytes + 1];
    if (!receipt_shown(l->txn, &l->visible, r)) return false;
    hex_encode(hex, r->id.bytes, sizeof r->id.bytes);
    return !l->wanted || strncmp(hex, l->wanted, strlen(l->wanted)) == 0;
}

static bool gather(void *state, const struct receipt *r)
{
    struct listing *l = state;
    if (!is_wanted(l, r)) return true;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 64;
        struct listed *grown = realloc(l->receipts, capacity * sizeof *grown);
        if (!grown) {
            l->err = ERR_NOMEM;
            return false;
        }
        l->receipts = grown;
        l->capacity = capacity;
    }
    l->receipts[l->count++] =
        (struct listed){.from = r->from, .counter = r->said.counter, .time_ms = r->said.time_ms};
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? 1 : -1;
    return (x->counter < y->counter) - (x->counter > y->counter);
}

/* --- what one says ---------------------------------------------------------------------------- */

static const char *feed_words(struct listing *l, const struct receipt_entry *entry, bool whole)
{
    struct feed_row feed;
    struct buf text = {0};
    if (feed_find_id8(l->txn, entry->feed8, &feed) != OK) return _("a feed that is not here");
    (whole ? lookup_feed_print : lookup_feed_print_short)(&text, l->roster, &feed.feed);
    const char *words = cli_format(l->cli, "%s", buf_text(&text));
    buf_clear(&text);
    return words;
}

static bool is_held(struct listing *l, const struct receipt_entry *entry)
{
    struct feed_row feed;
    return feed_find_id8(l->txn, entry->feed8, &feed) == OK &&
           log_find(l->txn, feed.number, entry->seq, entry->id.bytes) != 0;
}

static json_t *heads_json(struct listing *l, const struct receipt *r)
{
    struct receipt_entry entry;
    json_t *heads = json_array();
    struct mp_reader entries = frame_receipt_begin(&r->said);
    while (!r->err && frame_receipt_next(&entries, &entry)) {
        json_t *o = json_object();
        json_object_set_new(o, "feed", json_string(feed_words(l, &entry, true)));
        json_object_set_new(o, "seq", json_integer((json_int_t)entry.seq));
        json_object_set_new(o, "id", output_json_hex(entry.id.bytes, sizeof entry.id.bytes));
        json_object_set_new(o, "held", json_boolean(is_held(l, &entry)));
        json_array_append_new(heads, o);
    }
    return heads;
}

static json_t *receipt_json(struct listing *l, const struct receipt *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", output_json_hex(r->id.bytes, sizeof r->id.bytes));
    json_object_set_new(o, "from", output_json_hex(r->from.bytes, sizeof r->from.bytes));
    json_object_set_new(o, "name", json_string(lookup_device_name(l->cli, l->roster, &r->from)));
    json_object_set_new(o, "time", output_json_time(r->said.time_ms));
    json_object_set_new(o, "counter", json_integer((json_int_t)r->said.counter));
    json_object_set_new(o, "generation",
                        output_json_hex(r->parties.generation, sizeof r->parties.generation));
    json_object_set_new(o, "verified", json_boolean(receipt_verify(r, l->roster, NULL) == OK));
    json_object_set_new(o, "heads", heads_json(l, r));
    return o;
}

static void to_row(struct listing *l, struct table *t, const struct receipt *r)
{
    char id[2 * sizeof r->id.bytes + 1];
    struct receipt_entry entry;
    struct buf upto = {0};
    struct mp_reader entries = frame_receipt_begin(&r->said);
    while (!r->err && frame_receipt_next(&entries, &entry))
        buf_printf(&upto, "%s%s %" PRIu64, upto.size ? ", " : "", feed_words(l, &entry, false),
                   entry.seq);
    hex_encode(id, r->id.bytes, sizeof r->id.bytes);
    bool good = receipt_verify(r, l->roster, NULL) == OK;
    table_colour(t, good ? COLOUR_NONE : COLOUR_RED);
    table_cell(t, slice_of_text(words_moment(l->cli, r->said.time_ms, l->now_ms)));
    table_cell(t, slice_of(id, l->cli->csv ? sizeof id - 1 : ID_SHOWN));
    table_cell(t, slice_of_text(lookup_device_name(l->cli, l->roster, &r->from)));
    table_cell(t, good ? buf_slice(&upto) : slice_of_text(_("its signature does not verify")));
    buf_clear(&upto);
}

static void print_heads(struct listing *l, const struct receipt *r)
{
    struct receipt_entry entry;
    struct mp_reader entries = frame_receipt_begin(&r->said);
    while (!r->err && frame_receipt_next(&entries, &entry)) {
        char id[17];
        hex_encode(id, entry.id.bytes, 8);
        output_line(l->cli, "  %s %" PRIu64 "  %s%s", feed_words(l, &entry, false), entry.seq, id,
                    is_held(l, &entry) ? "" : _("  (not here any more)"));
    }
}

/* What it proves, and what it does not. */
static void print_one(struct listing *l, const struct receipt *r)
{
    char key[17], time[TIME_TEXT_SIZE];
    enum err err = receipt_verify(r, l->roster, NULL);
    hex_encode(key, r->from.bytes, 8);
    time_format(time, r->said.time_ms);
    if (err) {
        output_line(l->cli, _("This receipt proves nothing: %s."), cli_err_text(err));
        return;
    }
    output_line(l->cli, _("Signed by %s (key %s), %s by its own clock; the signature is good."),
                lookup_device_name(l->cli, l->roster, &r->from), key, time);
    output_line(l->cli, _("It holds these records and all before them in the same feed:"));
    print_heads(l, r);
    output_line(l->cli, _("It proves: they were saved on its disk then, as they are here."));
    output_line(l->cli,
                _("Without its key nobody makes such a receipt, nor changes what it covers."));
    output_line(l->cli,
                _("It does not prove the hour, for the clock is its own, nor that its disk"));
    output_line(l->cli, _("still lives: for that see sidan status."));
}

/* --- the verb -------------------------------------------------------------------------------- */

static int show_one(struct listing *l)
{
    struct receipt r;
    const char *file = cli_flag(l->cli, "-o");
    if (!receipt_get(l->txn, &l->receipts[0].from, l->receipts[0].counter, &r))
        return cli_fail(l->cli, ERR_NOT_FOUND, _("the receipt cannot be read"));
    if (file) return proof_of_receipt(l->cli, l->roster, &r, file);
    if (l->cli->json) {
        json_t *o = output_json("sidan.receipt/1");
        json_t *said = receipt_json(l, &r);
        json_object_update(o, said);
        json_decref(said);
        return output_json_end(o);
    }
    print_one(l, &r);
    return EXIT_OK;
}

static int list(struct listing *l, uint64_t wanted)
{
    struct output_list out;
    struct table table;
    struct receipt r;
    if (!l->count && !l->cli->json && !l->cli->csv) {
        output_line(l->cli, _("no receipts yet: nobody has confirmed anything to this device"));
        return EXIT_OK;
    }
    if (l->cli->json)
        output_list_begin(&out, output_json("sidan.receipts/1"), "receipts");
    else
        table_begin(&table, l->cli, columns, COLUMNS);
    for (size_t i = 0; i < l->count && i < wanted; i++) {
        if (!receipt_get(l->txn, &l->receipts[i].from, l->receipts[i].counter, &r)) continue;
        if (l->cli->json)
            output_list_item(&out, receipt_json(l, &r));
        else
            to_row(l, &table, &r);
    }
    if (l->cli->json) return output_list_end(&out);
    int code = table_end(&table);
    if (!code && l->count > wanted && !l->cli->csv)
        output_line(l->cli, _("the newest %zu of %zu; all of them: -n %zu"), (size_t)wanted,
                    l->count, l->count);
    return code;
}

static int choose(struct listing *l)
{
    if (l->count == 1) return show_one(l);
    const char *what = cli_format(l->cli, _("there is no receipt \"%s\""), l->wanted);
    if (!l->count)
        return cli_error(l->cli, EXIT_NOT_FOUND, what, NULL,
                         _("list them: sidan receipts; those of one record: sidan receipts --of"
                           " NUMBER"));
    return cli_error(l->cli, EXIT_USAGE,
                     cli_format(l->cli, _("\"%s\" begins several receipts"), l->wanted), NULL,
                     _("type more of it"));
}

static int check_wanted(struct listing *l)
{
    size_t size = l->wanted ? strlen(l->wanted) : 0;
    if (!l->wanted || (size >= PREFIX_MIN && strspn(l->wanted, "0123456789abcdef") == size))
        return EXIT_OK;
    return cli_error(l->cli, EXIT_USAGE,
                     cli_format(l->cli, _("\"%s\" is no receipt's id"), l->wanted),
                     _("it takes the first 6 or more of its digits 0-9 a-f"),
                     _("list them: sidan receipts; those of one record: sidan receipts --of"
                       " NUMBER"));
}

static int run(struct listing *l, uint64_t wanted)
{
    const char *thing = cli_flag(l->cli, "--of");
    int code = cli_roster(l->cli, l->txn, &l->roster);
    if (!code) code = cli_visible(l->cli, l->txn, &l->visible);
    if (!code) code = check_wanted(l);
    if (code) return code;
    if (cli_flag(l->cli, "-o") && !thing && !l->wanted)
        return cli_error(l->cli, EXIT_USAGE, _("-o: which receipt is to be written?"), NULL,
                         _("sidan receipts ID -o FILE, or sidan receipts --of NUMBER -o FILE"));
    if (thing && !l->wanted) return proof_of_thing(l->cli, l->txn, l->roster, thing);
    l->err = receipts_each(l->txn, gather, l);
    if (l->err) return cli_fail(l->cli, l->err, _("the receipts cannot be read"));
    if (l->count) qsort(l->receipts, l->count, sizeof *l->receipts, newest_first);
    return l->wanted ? choose(l) : list(l, wanted);
}

int cmd_receipts(struct cli *cli)
{
    uint64_t wanted = SHOWN;
    struct listing l = {.cli = cli, .wanted = cli_argument(cli, 0)};
    int code = cli_flag_uint(cli, "-n", 1, 1000000, &wanted);
    if (!code) code = cli_begin(cli, &l.txn);
    if (code) return code;
    l.now_ms = cli_now_ms(l.txn);
    code = run(&l, wanted);
    visible_end(&l.visible);
    free(l.receipts);
    txn_abort(l.txn);
    return code;
}
