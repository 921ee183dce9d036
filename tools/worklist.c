#include "tools/worklist.h"

#include "common/time.h"
#include "node/views/request_due.h"
#include "tools/lookup.h"
#include "tools/request_json.h"
#include "tools/words.h"

#include <inttypes.h>

struct listing {
    struct cli *cli;
    struct txn *txn;
    struct request_showing showing;
    bool own; /* of one village, whose column is then left out */
    uint32_t scope_number;
    struct due_counts counts;
    struct table table;
    struct output_list list;
    size_t rows, rows_max;
};

static const struct {
    const char *en, *zh;
    enum colour colour;
} lights[] = {
    [LIGHT_OVERDUE] = {"red", "红", COLOUR_RED},
    [LIGHT_SOON] = {"yellow", "黄", COLOUR_YELLOW},
    [LIGHT_NORMAL] = {"green", "绿", COLOUR_GREEN},
    [LIGHT_SUSPENDED] = {"grey", "灰", COLOUR_DIM},
};

static const char *light_words(enum request_light light)
{
    return i18n_is_chinese() ? lights[light].zh : lights[light].en;
}

/* "2 days over", "3 h left", in the larger unit alone. */
static const char *left_words(const struct listing *l, uint64_t due_ms)
{
    bool over = due_ms < l->showing.now_ms;
    uint64_t ms = over ? l->showing.now_ms - due_ms : due_ms - l->showing.now_ms;
    uint64_t hours = ms / (60 * 60 * 1000);
    if (!due_ms) return "-";
    if (hours < 48)
        return cli_format(l->cli, over ? _("%" PRIu64 " h over") : _("%" PRIu64 " h left"), hours);
    return cli_format(l->cli, over ? _("%" PRIu64 " days over") : _("%" PRIu64 " days left"),
                      hours / 24);
}

static bool print_row(void *state, const struct thing_key *key, const struct request *r,
                      uint64_t due_ms)
{
    struct listing *l = state;
    struct table *t = &l->table;
    enum request_light light = request_light(r, l->showing.now_ms, l->showing.soon_until_ms);
    (void)key;
    table_colour(t, lights[light].colour);
    table_cell(t, slice_of_text(light_words(light)));
    table_cell(t, r->number);
    if (!l->own) table_cell(t, slice_of_text(lookup_village_name(l->showing.roster, r->village)));
    table_cell(t, slice_of_text(i18n_is_chinese() ? request_state_zh(r->state)
                                                  : request_state_name(r->state)));
    table_cell(t, slice_of_text(words_moment(l->cli, due_ms, l->showing.now_ms)));
    bool provisional = due_ms == r->next_due_ms ? r->next_due_provisional : r->due_provisional;
    const char *left = left_words(l, due_ms);
    if (due_ms && provisional) left = cli_format(l->cli, _("%s (provisional)"), left);
    table_cell(t, slice_of_text(left));
    table_cell(t, category_name(&l->showing.categories, r->category));
    table_cell(t, r->holder);
    table_cell(t, slice_of_text(r->both_changed ? _("changed on both sides") : ""));
    return ++l->rows < l->rows_max;
}

static bool list_json(void *state, const struct thing_key *key, const struct request *r,
                      uint64_t due_ms)
{
    struct listing *l = state;
    (void)due_ms;
    output_list_item(&l->list, request_json(&l->showing, key, r));
    return ++l->rows < l->rows_max;
}

static int print_json(struct listing *l)
{
    json_t *o = output_json("sidan.today/1");
    json_object_set_new(o, "open", json_integer((json_int_t)l->counts.open));
    json_object_set_new(o, "overdue", json_integer((json_int_t)l->counts.overdue));
    json_object_set_new(o, "soon", json_integer((json_int_t)l->counts.soon));
    output_list_begin(&l->list, o, "requests");
    enum err e = requests_by_due(l->txn, l->scope_number, list_json, l);
    int code = output_list_end(&l->list);
    return e ? cli_fail(l->cli, e, _("the requests cannot be read")) : code;
}

static void print_heading(const struct listing *l)
{
    char today[TIME_TEXT_SIZE];
    time_format_date(today, l->showing.now_ms);
    output_line(l->cli,
                _("today %s: %" PRIu64 " open, %" PRIu64 " overdue, %" PRIu64 " due within 2 "
                  "working days"),
                today, l->counts.open, l->counts.overdue, l->counts.soon);
}

static int print_rows(struct listing *l)
{
    static const struct table_column columns[] = {
        {N_("light"), false, 2},    {N_("number"), false, 8},    {N_("village"), false, 6},
        {N_("state"), false, 6},    {N_("next due"), false, 11}, {N_("time"), true, 8},
        {N_("category"), false, 8}, {N_("holder"), false, 8},    {N_("remarks"), false, 0},
    };
    enum { COLUMNS = sizeof columns / sizeof columns[0], VILLAGE = 2 };
    struct table_column shown[COLUMNS];
    size_t count = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        if (i != VILLAGE || !l->own) shown[count++] = columns[i];
    table_begin(&l->table, l->cli, shown, count);
    enum err e = requests_by_due(l->txn, l->scope_number, print_row, l);
    int code = table_end(&l->table);
    return e ? cli_fail(l->cli, e, _("the requests cannot be read")) : code;
}

/* A village's own list, or every village's at the township. */
static int choose_scope(struct listing *l)
{
    const struct device *self;
    struct scope_row row;
    int code = cli_self(l->cli, l->showing.roster, &self);
    if (code) return code;
    l->own = !device_is_township(self);
    if (!l->own) return EXIT_OK;
    struct scope scope = scope_of_village(self->village);
    l->scope_number = scope_find(l->txn, &scope, &row) ? row.number : UINT32_MAX; /* none yet */
    return EXIT_OK;
}

int worklist_print(struct cli *cli, struct txn *txn, size_t rows_max)
{
    struct listing l = {.cli = cli, .txn = txn, .rows_max = rows_max};
    int code = request_showing_begin(&l.showing, cli, txn);
    if (!code) code = choose_scope(&l);
    if (code) return code;
    enum err e = requests_due_count(txn, l.scope_number, l.showing.now_ms, l.showing.soon_until_ms,
                                    &l.counts);
    if (e) return cli_fail(cli, e, _("the requests cannot be read"));
    if (cli->json) return print_json(&l);
    if (!cli->csv) print_heading(&l);
    if (l.counts.open || cli->csv) code = print_rows(&l);
    if (!code && !cli->csv && l.counts.open > l.rows)
        output_line(cli, _("and %" PRIu64 " more: sidan requests --open"), l.counts.open - l.rows);
    return code;
}
