#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/output.h"
#include "tools/receipts.h"

#include "node/damage.h"

#include <inttypes.h>
#include <string.h>

/* Problems are told one by one up to here, then only counted. */
#define PROBLEMS_SHOWN 20

struct verify {
    struct cli *cli;
    struct progress progress;
    struct visible visible;
    struct audit_result audit;
    struct receipts_result receipts;
    uint64_t told;
    struct damage damage;
    uint64_t differing; /* things whose rows are not what the fold gives */
    json_t *scopes, *problems;
    char roster_heads[65];
};

static void show_progress(void *state, uint64_t done, uint64_t total)
{
    struct verify *v = state;
    visible_progress(&v->visible, &done, &total);
    progress_show(&v->progress, done, total);
}

static void tell(struct verify *v, uint64_t arrival, enum err err, const char *what)
{
    if (v->told++ >= PROBLEMS_SHOWN) {
        return;
    }
    json_t *p = json_object();
    json_object_set_new(p, "arrival", json_integer((json_int_t)arrival));
    json_object_set_new(p, "error", json_string(err_name(err)));
    json_object_set_new(p, "what", json_string(what));
    json_array_append_new(v->problems, p);
}

static void tell_event(void *state, uint64_t arrival, enum err err, const char *what)
{
    struct verify *v = state;
    damage_add(&v->damage, arrival);
    tell(v, visible_number(&v->visible, arrival), err, what);
}

/* For doctor and status. Only a change is written: verify needs no write access on a good store. */
static int keep_damage(struct verify *v)
{
    struct txn *t;
    struct damage kept;
    int code = cli_begin(v->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    damage_read(t, &kept);
    txn_abort(t);
    if (kept.count == v->damage.count &&
        memcmp(kept.arrivals, v->damage.arrivals, kept.count * sizeof kept.arrivals[0]) == 0) {
        return EXIT_OK;
    }
    code = cli_open_store_writable(v->cli);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = txn_begin(v->cli->store, true, &t);
    if (e == OK) {
        damage_write(t, &v->damage);
        e = txn_commit(t);
    }
    return e == OK ? EXIT_OK : cli_fail(v->cli, e, _("the damage was not noted"));
}

static void tell_receipt(void *state, enum err err, const char *what)
{
    tell(state, 0, err, what);
}

/* What is not shown is checked with the rest, and not counted. */
static int look(struct verify *v)
{
    struct txn *t;
    int code = cli_begin(v->cli, &t);
    if (code == EXIT_OK) {
        code = cli_visible(v->cli, t, &v->visible);
        txn_abort(t);
    }
    return code;
}

static int count_shown(struct verify *v)
{
    struct txn *t;
    struct event e;
    int code = cli_begin(v->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    v->audit.events -= v->visible.hidden_count;
    for (size_t i = 0; cli_has(v->cli, "--signatures") && i < v->visible.hidden_count; i++) {
        v->audit.signatures -=
            log_read(t, v->visible.hidden[i], &e) == OK && e.has_signature ? 1 : 0;
    }
    struct feed_row feed;
    uint32_t feeds = feed_count(t);
    for (uint32_t number = 1; !cli_has(v->cli, "--signatures") && number <= feeds; number++) {
        if (feed_get(t, number, &feed) && !visible_scope(&v->visible, &feed.feed.scope)) {
            struct head ends[FEED_BRANCHES_MAX];
            v->audit.signatures -= feed_ends(t, &feed, ends); /* the newest of each branch */
        }
    }
    txn_abort(t);
    return EXIT_OK;
}

static int audit(struct verify *v)
{
    struct audit_options options = {
        .all_signatures = cli_has(v->cli, "--signatures"),
        .progress = show_progress,
        .problem = tell_event,
        .state = v,
    };
    progress_begin(&v->progress, v->cli, _("records"));
    enum err e = audit_run(v->cli->store, &options, &v->audit);
    progress_end(&v->progress);
    if (e != OK) {
        return cli_fail(v->cli, e, _("the records could not be checked"));
    }
    int code = count_shown(v);
    if (code != EXIT_OK) {
        return code;
    }
    progress_begin(&v->progress, v->cli, _("views"));
    e = views_compare(v->cli->views, v->cli->store, &v->differing, show_progress, v);
    progress_end(&v->progress);
    if (e == ERR_CORRUPT) { /* told by the audit already, unless the damage is new */
        v->audit.problems += v->audit.problems == 0;
        e = OK;
    }
    return e == OK ? EXIT_OK : cli_fail(v->cli, e, _("the views could not be compared"));
}

static enum err digest_scope(struct verify *v, struct txn *t, const struct scope_row *scope)
{
    struct hash events_digest;
    struct views_digest views;
    uint64_t events;
    enum err e = audit_events_digest(v->cli->store, scope->number, &events_digest, &events);
    if (e == OK) {
        e = views_digest(t, &scope->scope, &views);
    }
    if (e != OK) {
        return e;
    }
    json_t *s = json_object();
    json_object_set_new(s, "scope", json_string(scope->scope.text));
    json_object_set_new(s, "events", json_integer((json_int_t)events));
    json_object_set_new(s, "events_digest",
                        output_json_hex(events_digest.bytes, sizeof events_digest.bytes));
    json_object_set_new(s, "views_digest",
                        output_json_hex(views.digest.bytes, sizeof views.digest.bytes));
    json_array_append_new(v->scopes, s);
    hex_encode(v->roster_heads, views.roster_heads.bytes, sizeof views.roster_heads.bytes);
    return OK;
}

static int digests(struct verify *v)
{
    struct txn *t;
    struct scope_row scope;
    int code = cli_begin(v->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    const struct roster *roster;
    enum err e = views_roster(v->cli->views, t, &roster);
    if (e == OK) {
        e = receipts_check(t, roster, &v->visible, &v->receipts, tell_receipt, v);
    }
    uint32_t count = scope_count(t);
    for (uint32_t number = 1; e == OK && number <= count; number++) {
        if (scope_get(t, number, &scope) && visible_scope(&v->visible, &scope.scope)) {
            e = digest_scope(v, t, &scope);
        }
    }
    if (e != OK) {
        code = cli_fail(v->cli, e, _("the digests could not be computed"));
    }
    txn_abort(t);
    return code;
}

static bool is_good(const struct verify *v)
{
    return v->audit.problems == 0 && v->receipts.problems == 0 && v->differing == 0;
}

static int print_json(struct verify *v)
{
    json_t *o = output_json("sidan.verify/1");
    json_object_set_new(o, "ok", json_boolean(is_good(v)));
    json_object_set_new(o, "events", json_integer((json_int_t)v->audit.events));
    json_object_set_new(o, "signatures", json_integer((json_int_t)v->audit.signatures));
    json_object_set_new(o, "receipts", json_integer((json_int_t)v->receipts.receipts));
    json_object_set_new(o, "differing", json_integer((json_int_t)v->differing));
    json_object_set_new(o, "fold_version", json_integer(FOLD_VERSION));
    json_object_set_new(o, "roster_heads", json_string(v->roster_heads));
    json_object_set(o, "problems", v->problems);
    json_object_set(o, "scopes", v->scopes);
    return output_json_end(o);
}

static void print_problems(struct verify *v)
{
    size_t i;
    json_t *p;
    json_array_foreach(v->problems, i, p)
    {
        json_int_t arrival = json_integer_value(json_object_get(p, "arrival"));
        const char *what = _(json_string_value(json_object_get(p, "what")));
        if (arrival > 0) {
            output_line(v->cli, _("! record %lld: %s"), (long long)arrival, what);
        } else {
            output_line(v->cli, "! %s", what);
        }
    }
    if (v->told > PROBLEMS_SHOWN) {
        output_line(v->cli, _("! and %" PRIu64 " more"), v->told - PROBLEMS_SHOWN);
    }
    if (v->differing > 0) {
        output_line(v->cli, _("! %" PRIu64 " views are not what the records give: sidan rebuild"),
                    v->differing);
    }
}

static int print_people(struct verify *v)
{
    static const struct table_column columns[] = {
        {N_("scope"), false, 0},
        {N_("records"), true, 0},
        {N_("events digest"), false, 0},
        {N_("views digest"), false, 0},
    };
    struct table table;
    size_t i;
    json_t *s;
    print_problems(v);
    table_begin(&table, v->cli, columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(v->scopes, i, s)
    {
        table_cellf(&table, "%s", json_string_value(json_object_get(s, "scope")));
        table_cellf(&table, "%lld", (long long)json_integer_value(json_object_get(s, "events")));
        table_cellf(&table, "%.16s", json_string_value(json_object_get(s, "events_digest")));
        table_cellf(&table, "%.16s", json_string_value(json_object_get(s, "views_digest")));
    }
    int code = table_end(&table);
    if (!v->cli->csv) {
        output_line(v->cli,
                    _("%s: %" PRIu64 " records, %" PRIu64 " signatures, %" PRIu64 " receipts; "
                      "fold version %d, roster %.16s"),
                    is_good(v) ? _("all is whole") : _("NOT whole"), v->audit.events,
                    v->audit.signatures, v->receipts.receipts, FOLD_VERSION, v->roster_heads);
        if (v->damage.count > 0) {
            hint_line(v->cli, "%s", _("next: sidan doctor"));
        }
    }
    return code;
}

int cmd_verify(struct cli *cli)
{
    if (cli_flag(cli, "--bundle")) return cmd_bundle_verify(cli);
    struct verify v = {.cli = cli, .scopes = json_array(), .problems = json_array()};
    int code = cli_open_views(cli);
    if (code == EXIT_OK) {
        code = look(&v);
    }
    if (code == EXIT_OK) {
        code = audit(&v);
    }
    if (code == EXIT_OK) {
        code = digests(&v);
    }
    if (code == EXIT_OK) {
        code = cli->json ? print_json(&v) : print_people(&v);
    }
    if (code == EXIT_OK && cli->locked) {
        output_note(cli, "%s",
                    _("locked: every record was checked, and what its box holds was not"));
    } else if (code == EXIT_OK) {
        code = keep_damage(&v);
    }
    if (code == EXIT_OK && !is_good(&v)) {
        code = EXIT_VERIFY_FAILED;
    }
    json_decref(v.scopes);
    json_decref(v.problems);
    visible_end(&v.visible);
    return code;
}
