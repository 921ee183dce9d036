#include "tools/commands.h"

#include "common/time.h"
#include "node/views/request.h"
#include "tools/accusation.h"
#include "tools/lookup.h"
#include "tools/request_json.h"
#include "tools/words.h"
#include "tools/worklist.h"

#include <stdlib.h>
#include <string.h>

/* The last two are for files (--csv): a screen of 80 columns has no room for them. */
static const struct table_column columns[] = {
    {N_("number"), false, 9},  {N_("official no."), false, 9}, {N_("village"), false, 6},
    {N_("state"), false, 6},   {N_("due"), false, 10},         {N_("holder"), false, 8},
    {N_("nature"), false, 4},  {N_("category"), false, 4},     {N_("urgency"), true, 4},
    {N_("remarks"), false, 0}, {N_("registered"), false, 16},  {N_("id"), false, 12},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
#define COLUMNS_SHOWN (COLUMNS - 2)

#define REQUESTS_ROWS 50u

struct listing {
    struct cli *cli;
    struct request_showing showing;
    struct table table;
    struct output_list list;
    struct buf cell;
};

static bool is_overdue(const struct listing *l, const struct request *r)
{
    return request_light(r, l->showing.now_ms, l->showing.soon_until_ms) == LIGHT_OVERDUE;
}

static void time_cell(struct table *t, uint64_t ms, bool with_clock)
{
    char text[TIME_TEXT_SIZE] = "";
    if (ms && with_clock) time_format(text, ms);
    if (ms && !with_clock) time_format_date(text, ms);
    table_cell(t, slice_of_text(text));
}

static void to_row(struct listing *l, const struct thing_key *key, const struct request *r)
{
    struct table *t = &l->table;
    char id[13];
    bool late = is_overdue(l, r);
    hex_encode(id, key->thing.bytes, 6);
    table_colour(t, late ? COLOUR_RED : COLOUR_NONE);
    table_cell(t, r->number);
    table_cell(t, r->official_number);
    table_cell(t, slice_of_text(lookup_village_name(l->showing.roster, r->village)));
    table_cell(t, slice_of_text(i18n_is_chinese() ? request_state_zh(r->state)
                                                  : request_state_name(r->state)));
    time_cell(t, r->due_ms, false);
    table_cell(t, r->holder);
    table_cell(t, slice_of_text(words_choice(l->cli, "nature", r->nature)));
    buf_reset(&l->cell);
    struct slice name = category_name(&l->showing.categories, r->category);
    if (l->cli->csv || !name.size)
        category_print(&l->cell, &l->showing.categories, r->category);
    else
        buf_append_slice(&l->cell, name);
    table_cell(t, buf_slice(&l->cell));
    table_cellf(t, "%u", (unsigned)r->urgency);
    table_cell(t, slice_of_text(r->both_changed                   ? _("changed on both sides")
                                : late                            ? _("overdue")
                                : r->due_ms && r->due_provisional ? _("provisional")
                                                                  : ""));
    if (!l->cli->csv) return;
    time_cell(t, r->registered_ms, true);
    table_cell(t, slice_of_text(id));
}

static bool each(void *state, const struct thing_key *key, const struct request *r)
{
    struct listing *l = state;
    if (l->cli->json)
        output_list_item(&l->list, request_json(&l->showing, key, r));
    else
        to_row(l, key, r);
    return true;
}

/* --- the newest N: twice as many are kept, and cut to the newest whenever they are full --- */

struct newest {
    struct found {
        uint64_t registered_ms;
        struct thing_key key;
    } * found;
    size_t count, room, wanted;
    bool short_of_memory;
};

static int newer_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->registered_ms != y->registered_ms) return x->registered_ms < y->registered_ms ? 1 : -1;
    return thing_id_compare(&y->key.thing, &x->key.thing);
}

static void newest_cut(struct newest *n)
{
    qsort(n->found, n->count, sizeof *n->found, newer_first);
    if (n->count > n->wanted) n->count = n->wanted;
}

static bool keep(void *state, const struct thing_key *key, const struct request *r)
{
    struct newest *n = state;
    if (n->count == 2 * n->wanted) newest_cut(n);
    if (n->count == n->room) {
        size_t room = n->room ? 2 * n->room : 64;
        struct found *more = realloc(n->found, room * sizeof *more);
        n->short_of_memory = !more;
        if (!more) return false;
        n->found = more;
        n->room = room;
    }
    n->found[n->count++] = (struct found){.registered_ms = r->registered_ms, .key = *key};
    return true;
}

static enum err list_newest(struct txn *txn, const struct request_filter *filter, size_t wanted,
                            struct listing *l)
{
    struct newest n = {.wanted = wanted};
    struct request r;
    enum err e = requests_each(txn, filter, keep, &n);
    if (!e && n.short_of_memory) e = ERR_NOMEM;
    if (n.found) newest_cut(&n);
    for (size_t i = 0; i < n.count && !e; i++) {
        e = request_get(txn, &n.found[i].key, &r);
        if (!e) each(l, &n.found[i].key, &r);
    }
    free(n.found);
    return e;
}

static int parse_state(struct cli *cli, struct request_filter *filter)
{
    const char *text = cli_flag(cli, "--state");
    filter->any_state = !text;
    if (!text || request_state_parse(&filter->state, slice_of_text(text)) == OK) return EXIT_OK;
    const char *allowed = NULL;
    for (int i = REQUEST_REGISTERED; i < REQUEST_STATE_COUNT; i++) {
        enum request_state s = (enum request_state)i;
        if (strcmp(text, request_state_zh(s)) == 0) {
            filter->state = s;
            return EXIT_OK;
        }
        allowed = cli_format(cli, "%s%s%s (%s)", allowed ? allowed : "", allowed ? ", " : "",
                             request_state_name(s), request_state_zh(s));
    }
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("there is no state \"%s\""), text), NULL,
                     allowed);
}

static int parse_accusations(struct cli *cli, const struct roster *roster,
                             struct request_filter *filter)
{
    const struct device *self;
    filter->accusations = cli_has(cli, "--accusations");
    if (!filter->accusations) return EXIT_OK;
    int code = cli_self(cli, roster, &self);
    return code ? code : accusation_may_list(cli, self);
}

static int list(struct cli *cli, struct txn *txn)
{
    struct listing l = {.cli = cli};
    struct request_filter filter = {.brief = true};
    bool none = false;
    uint64_t wanted = 0; /* 0: all */
    int code = request_showing_begin(&l.showing, cli, txn);
    if (!code) code = parse_state(cli, &filter);
    if (!code) code = lookup_village_flag(cli, txn, l.showing.roster, &filter.scope_number, &none);
    if (!code) code = parse_accusations(cli, l.showing.roster, &filter);
    if (!code) code = cli_flag_time(cli, "--since", &filter.since_ms);
    if (!code) code = cli_flag_uint(cli, "-n", 1, UINT32_MAX, &wanted);
    if (code) return code;
    filter.open_only = cli_has(cli, "--open");
    if (cli_has(cli, "--overdue")) filter.overdue_at_ms = l.showing.now_ms;
    if (cli->json)
        output_list_begin(&l.list, output_json("sidan.requests/1"), "requests");
    else
        table_begin(&l.table, cli, columns, cli->csv ? COLUMNS : COLUMNS_SHOWN);
    enum err e = OK;
    if (!none)
        e = wanted ? list_newest(txn, &filter, wanted, &l) : requests_each(txn, &filter, each, &l);
    code = cli->json ? output_list_end(&l.list) : table_end(&l.table);
    buf_clear(&l.cell);
    return e ? cli_fail(cli, e, _("the requests cannot be read")) : code;
}

/* A person who asks for nothing in particular is shown what is to be done, the most urgent first.
 */
static bool asks_for_some(const struct cli *cli)
{
    return cli->json || cli->csv || cli->flag_count > 0;
}

int cmd_requests(struct cli *cli)
{
    struct txn *txn;
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = asks_for_some(cli) ? list(cli, txn) : worklist_print(cli, txn, REQUESTS_ROWS);
    txn_abort(txn);
    return code;
}
