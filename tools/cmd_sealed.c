#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/sealed_open.h"
#include "tools/words.h"

#include "common/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One sealed record as it is shown. */
struct row {
    struct sealed sealed;
    char village[13]; /* its author's code; "" where it is not known */
    const char *village_name;
    char number[33]; /* of the request registered from it */
};

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct row *rows;
    size_t count, room;
    enum err err;
};

static int begin(struct listing *l, struct cli *cli)
{
    const struct device *self;
    *l = (struct listing){.cli = cli};
    int code = cli_begin(cli, &l->txn);
    if (code) return code;
    code = cli_roster(cli, l->txn, &l->roster);
    if (!code) code = cli_self(cli, l->roster, &self);
    return !code && !device_is_township(self) ? sealed_refuse_village(cli) : code;
}

static void end(struct listing *l)
{
    txn_abort(l->txn);
    l->txn = NULL;
}

static enum err complete(struct listing *l, struct row *row)
{
    struct event founder;
    struct request request;
    const struct thing_key key = {row->sealed.key.scope_number, row->sealed.request};
    enum err e = sealed_founder(l->txn, &row->sealed.key, &founder);
    const struct device *author = e == OK ? roster_device(l->roster, &founder.feed.author) : NULL;
    if (author) memcpy(row->village, author->village, sizeof row->village);
    row->village_name = cli_format(l->cli, "%s", lookup_village_name(l->roster, row->village));
    if (row->sealed.opened && request_get(l->txn, &key, &request) == OK)
        snprintf(row->number, sizeof row->number, "%.*s", (int)request.number.size,
                 request.number.data);
    return e == ERR_CORRUPT ? OK : e; /* a damaged one is listed all the same */
}

static bool add_row(void *state, const struct sealed *sealed)
{
    struct listing *l = state;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        struct row *rows = realloc(l->rows, room * sizeof *rows);
        if (!rows) {
            l->err = ERR_NOMEM;
            return false;
        }
        l->rows = rows;
        l->room = room;
    }
    struct row *row = &l->rows[l->count++];
    *row = (struct row){.sealed = *sealed, .village_name = ""};
    return true;
}

static int gather(struct listing *l)
{
    enum err e = sealed_each(l->txn, add_row, l);
    if (!e) e = l->err;
    for (size_t i = 0; i < l->count && !e; i++) e = complete(l, &l->rows[i]);
    return e ? cli_fail(l->cli, e, _("the sealed records cannot be read")) : EXIT_OK;
}

static bool waits(const struct sealed *s)
{
    return !s->opened && !s->dismissed;
}

/* --- the list --- */

static const char *state_words(const struct sealed *s)
{
    return s->opened ? _("opened") : s->dismissed ? _("dismissed") : _("not opened");
}

static json_t *to_json(const struct row *row)
{
    const struct sealed *s = &row->sealed;
    json_t *o = json_object();
    json_object_set_new(o, "subject",
                        output_json_hex(s->key.thing.bytes, sizeof s->key.thing.bytes));
    json_object_set_new(o, "day", output_json_time(s->day_ms));
    json_object_set_new(o, "village", json_string(row->village));
    json_object_set_new(o, "village_name", json_string(row->village_name));
    json_object_set_new(o, "opened", json_boolean(s->opened));
    json_object_set_new(o, "no", json_string(row->number));
    json_object_set_new(o, "request",
                        s->opened ? output_json_hex(s->request.bytes, sizeof s->request.bytes)
                                  : json_null());
    json_object_set_new(o, "dismissed", json_boolean(s->dismissed));
    return o;
}

static int list_json(const struct listing *l, const struct sealed_counts *counts)
{
    struct output_list list;
    json_t *o = output_json("sidan.sealed/1");
    json_object_set_new(o, "waiting", json_integer((json_int_t)counts->waiting));
    json_object_set_new(o, "opened", json_integer((json_int_t)counts->opened));
    json_object_set_new(o, "dismissed", json_integer((json_int_t)counts->dismissed));
    output_list_begin(&list, o, "sealed");
    for (size_t i = 0; i < l->count; i++) output_list_item(&list, to_json(&l->rows[i]));
    return output_list_end(&list);
}

static int list_people(const struct listing *l, const struct sealed_counts *counts)
{
    static const struct table_column columns[] = {
        {N_("day"), false, 10},   {N_("village"), false, 6}, {N_("state"), false, 6},
        {N_("number"), false, 8}, {N_("id"), false, 16},
    };
    struct table t;
    table_begin(&t, l->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < l->count; i++) {
        const struct row *row = &l->rows[i];
        const struct thing_id *thing = &row->sealed.key.thing;
        char day[TIME_TEXT_SIZE], id[33];
        time_format_date(day, row->sealed.day_ms);
        hex_encode(id, thing->bytes, sizeof thing->bytes);
        table_colour(&t, waits(&row->sealed) ? COLOUR_YELLOW : COLOUR_NONE);
        table_cell(&t, slice_of_text(day));
        table_cell(&t, slice_of_text(row->village_name));
        table_cell(&t, slice_of_text(state_words(&row->sealed)));
        table_cell(&t, slice_of_text(row->number));
        table_cell(&t, slice_of_text(id));
    }
    int code = table_end(&t);
    if (code || l->cli->csv) return code;
    output_line(l->cli, _("%" PRIu64 " not opened, %" PRIu64 " opened"), counts->waiting,
                counts->opened);
    if (counts->dismissed) output_line(l->cli, _("%" PRIu64 " dismissed"), counts->dismissed);
    if (counts->waiting) hint_line(l->cli, "%s: sidan sealed open", _("next"));
    return EXIT_OK;
}

static int list(struct cli *cli)
{
    struct listing l;
    struct sealed_counts counts = {0};
    int code = begin(&l, cli);
    if (!code) code = gather(&l);
    for (size_t i = 0; i < l.count; i++) {
        counts.opened += l.rows[i].sealed.opened;
        counts.dismissed += l.rows[i].sealed.dismissed;
        counts.waiting += waits(&l.rows[i].sealed);
    }
    if (!code) code = cli->json ? list_json(&l, &counts) : list_people(&l, &counts);
    end(&l);
    free(l.rows);
    return code;
}

/* --- opening --- */

/* The records to open: the one named, though it was dismissed; else all that wait. */
static int choose(struct listing *l)
{
    const char *text = cli_argument(l->cli, 0);
    struct thing_key key;
    struct sealed sealed;
    if (!text) return gather(l);
    int code = lookup_thing(l->cli, l->txn, text, &key);
    if (code) return code;
    enum err e = sealed_get(l->txn, &key, &sealed);
    if (e == ERR_NOT_FOUND)
        return cli_error(l->cli, EXIT_NOT_FOUND,
                         cli_format(l->cli, _("\"%s\" is no sealed record"), text), NULL,
                         _("sidan sealed lists them"));
    if (!e && !add_row(l, &sealed)) e = l->err;
    if (!e) e = complete(l, &l->rows[0]);
    if (!e && !sealed.opened) return EXIT_OK;
    return e ? cli_fail(l->cli, e, _("the sealed records cannot be read"))
             : cli_error(l->cli, EXIT_REFUSED, _("it was opened already"),
                         cli_format(l->cli, _("it is registered as %s"), l->rows[0].number),
                         cli_format(l->cli, "sidan show %s", l->rows[0].number));
}

struct results {
    struct sealed_opened *opened; /* in the order of the rows; number "": not opened */
    size_t count, failed;
};

/* All in one commit. */
static int open_rows(struct sealed_opening *o, const struct listing *l, struct results *r)
{
    enum err e = recorder_begin(l->cli->recorder, &o->recording.clock);
    for (size_t i = 0; i < l->count && !e; i++) {
        const struct sealed *s = &l->rows[i].sealed;
        const char *why = NULL;
        if (!waits(s) && !cli_argument(l->cli, 0)) continue;
        e = sealed_open_one(o, &s->key, &r->opened[i], &why);
        if (!e) r->count++;
        if (!why) continue;
        char id[33];
        hex_encode(id, s->key.thing.bytes, sizeof s->key.thing.bytes);
        output_note(l->cli, _("%s was not opened: %s"), id, _(why));
        r->opened[i].number[0] = 0;
        r->failed++;
        e = OK;
    }
    if (!e) e = recorder_commit(l->cli->recorder);
    if (e) recorder_abort(l->cli->recorder);
    return e ? cli_fail(l->cli, e, _("nothing was opened")) : EXIT_OK;
}

static int report(const struct listing *l, const struct results *r)
{
    const char *first = NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < l->count; i++) {
        const struct sealed_opened *opened = &r->opened[i];
        if (!opened->number[0]) continue;
        first = first ? first : opened->number;
        if (!l->cli->json)
            output_line(l->cli, _("opened: %s  %s"), opened->number, l->rows[i].village_name);
        json_array_append_new(
            list, json_pack("{s:o,s:s,s:o}", "subject",
                            output_json_hex(l->rows[i].sealed.key.thing.bytes, 16), "no",
                            opened->number, "request", output_json_hex(opened->request.bytes, 16)));
    }
    int code = r->failed ? EXIT_FAILED : EXIT_OK;
    if (l->cli->json) {
        json_t *o = output_json("sidan.opened/1");
        json_object_set_new(o, "opened", list);
        json_object_set_new(o, "failed", json_integer((json_int_t)r->failed));
        int printed = output_json_end(o);
        return printed ? printed : code;
    }
    json_decref(list);
    if (!first && !r->failed) output_line(l->cli, "%s", _("nothing waits to be opened"));
    if (first) hint_line(l->cli, "%s: sidan show %s", _("next"), first);
    if (r->failed)
        hint_line(l->cli, _("one that nobody can open: sidan sealed dismiss ID --reason ..."));
    return code;
}

static int open_sealed(struct cli *cli)
{
    struct listing l = {.cli = cli};
    struct sealed_opening opening;
    struct results r = {0};
    int code = sealed_open_begin(&opening, cli);
    if (!code) code = begin(&l, cli);
    if (!code) code = choose(&l);
    end(&l);
    if (!code) {
        r.opened = calloc(l.count + 1, sizeof *r.opened);
        code = r.opened ? open_rows(&opening, &l, &r)
                        : cli_fail(cli, ERR_NOMEM, _("nothing was opened"));
    }
    if (!code) code = report(&l, &r);
    sealed_open_end(&opening);
    free(r.opened);
    free(l.rows);
    return code;
}

int cmd_sealed(struct cli *cli)
{
    return strcmp(cli->command->name, "sealed") == 0 ? list(cli) : open_sealed(cli);
}
