#include "tools/doing.h"

#include "node/lives.h"
#include "node/series.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/deadlines.h"
#include "node/views/body.h"
#include "node/views/person.h"
#include "tools/act_defaults.h"
#include "tools/doing_points.h"
#include "tools/flags.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/subject_correcting.h"

static bool is_kind(const struct doing *d, const char *name)
{
    return strcmp(d->kind->name, name) == 0;
}

/* --- the request that is acted on --- */

int doing_read_request(struct doing *d, struct txn *t)
{
    struct request r;
    if (d->type != THING_REQUEST) return EXIT_OK;
    enum err e = request_get(t, &d->fields.subject, &r);
    if (e) return cli_fail(d->cli, e, _("nothing was recorded"));
    d->due_ms = r.due_ms;
    d->attempt = r.callbacks_failed + (r.callback_reached ? 1u : 0u) + 1;
    d->state_before = r.state;
    d->draft.lane = r.urgency == 3 ? LANE_URGENT : LANE_NORMAL;
    return EXIT_OK;
}

int doing_may_begin(struct doing *d)
{
    static const uint8_t empty_map[] = {0x80};
    struct txn *t;
    struct request r;
    enum request_state next;
    const char *why = "";
    d->draft.kind = d->kind->name;
    if (!(d->kind->roles & d->recording.self.roles))
        return recording_impossible(d->cli, ERR_FORBIDDEN, &d->draft,
                                    "this device has no role for it");
    if (d->type != THING_REQUEST || d->kind->thing != THING_REQUEST) return EXIT_OK;
    /* What is possible depends on whether it asks or answers. */
    if (is_kind(d, "request.supplement")) return EXIT_OK;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    const struct request_act act = {
        .kind = slice_of_text(d->kind->name),
        .roles = d->recording.self.roles,
        .author = d->recording.self.first,
        .has_by = d->recording.has_by,
        .by = d->recording.by,
        .thing = d->fields.subject.thing,
        .time_ms = d->recording.clock.wall_ms,
        .body = slice_of(empty_map, sizeof empty_map),
    };
    enum err e = request_get(t, &d->fields.subject, &r);
    if (!e) e = request_may(&r, &act, &next, &why);
    txn_abort(t);
    /* What only the body lacks yet is asked for. */
    if (e == ERR_STATE && strcmp(why, "not possible in this state") != 0) return EXIT_OK;
    return e ? recording_impossible(d->cli, e, &d->draft, why) : EXIT_OK;
}

/* --- defaults --- */

static const char *formatted(struct doing *d, void (*format)(char out[TIME_TEXT_SIZE], uint64_t ms))
{
    char text[TIME_TEXT_SIZE];
    format(text, d->recording.clock.wall_ms);
    return cli_format(d->cli, "%s", text);
}

struct versions {
    struct slice unit;
    uint64_t newest;
};

static bool see_version(void *state, const struct thing *duty)
{
    struct versions *v = state;
    uint64_t number = body_uint(duty->fields, "ver");
    if (slice_equal(body_text(duty->fields, "unit"), v->unit) && number > v->newest)
        v->newest = number;
    return true;
}

/* One more than the newest duties of the unit have. */
static int next_version(struct doing *d, const char **out)
{
    struct versions v = {.unit = act_text(&d->act, "unit")};
    struct txn *t;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    enum err e = things_each(t, d->kind->thing, 0, see_version, &v);
    txn_abort(t);
    if (e) return cli_fail(d->cli, e, _("nothing was recorded"));
    *out = cli_format(d->cli, "%" PRIu64, v.newest + 1);
    return EXIT_OK;
}

/* When an order of this moment is due: as the recorder would fill it in, were it let to. */
static int order_due(struct doing *d, const char **out)
{
    static const uint8_t empty_map[] = {0x80};
    struct deadlines deadlines = {0};
    struct kind_problem problem;
    const struct rules *rules;
    struct slice body = SLICE_EMPTY;
    struct request request;
    struct txn *t;
    char due[TIME_TEXT_SIZE];
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    enum err e = request_get(t, &d->fields.subject, &request);
    const struct deadlines_act act = {
        .kind = kind_find(slice_of_text("order.issue")),
        .body = slice_of(empty_map, sizeof empty_map),
        .now_ms = d->recording.clock.wall_ms,
        .trusted = d->recording.clock.trusted,
        .request = &request,
    };
    if (!e) e = views_rules(d->cli->views, t, &rules);
    if (!e) e = deadlines_fill(&deadlines, rules, &act, &body, &problem);
    time_format(due, body_uint(body, "due"));
    *out = cli_format(d->cli, "%s", due);
    deadlines_clear(&deadlines);
    txn_abort(t);
    return e ? cli_fail(d->cli, e, _("nothing was recorded")) : EXIT_OK;
}

/* Day and kind of service as the activity says them. */
static int of_activity(struct doing *d, const struct field *f, const char **out)
{
    struct txn *t;
    struct thing activity;
    if (!d->fields.has_activity) return EXIT_OK;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    if (thing_get(t, THING_ACTIVITY, &d->fields.activity, &activity) == OK)
        *out = output_text(d->cli, body_text(activity.fields, f->name));
    txn_abort(t);
    return EXIT_OK;
}

int doing_default(struct doing *d, const struct field *f, const char **out)
{
    const char *text = NULL;
    switch (act_default_of(d->kind, f, &text)) {
    case ACT_DEFAULT_TEXT:
        *out = text;
        break;
    case ACT_DEFAULT_NOW:
        *out = formatted(d, time_format);
        break;
    case ACT_DEFAULT_TODAY:
        *out = formatted(d, time_format_date);
        break;
    case ACT_DEFAULT_YEAR:
        *out = cli_format(d->cli, "%" PRIu32, time_year(d->recording.clock.wall_ms));
        break;
    case ACT_DEFAULT_ATTEMPT:
        *out = cli_format(d->cli, "%" PRIu32, d->attempt);
        break;
    case ACT_DEFAULT_VERSION:
        return next_version(d, out);
    case ACT_DEFAULT_DUE:
        return order_due(d, out);
    case ACT_DEFAULT_ACTIVITY:
        return of_activity(d, f, out);
    case ACT_DEFAULT_CHANNEL:
        *out = device_is_township(&d->recording.self) ? "phone" : "village";
        break;
    case ACT_DEFAULT_RULES:
        if (is_kind(d, "order.issue")) return order_due(d, out);
        *out = "";
        break;
    case ACT_DEFAULT_LEDGER:
        return doing_points_default(d, f, out);
    case ACT_DEFAULT_NONE:
        break;
    }
    return EXIT_OK;
}

/* --- where it stands --- */

static bool may_stand(const struct doing *d, const struct scope *scope)
{
    return d->kind->scopes & 1u << scope_class(scope);
}

static int named_village(struct doing *d, const char *name)
{
    const struct roster *roster;
    const struct village *village;
    struct txn *t;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    code = cli_roster(d->cli, t, &roster);
    if (!code) code = lookup_village(d->cli, roster, name, &village);
    if (!code) d->draft.scope = scope_of_village(village->code);
    txn_abort(t);
    return code;
}

/* The scope of a thing that was named, where the kind may stand there. */
static int near_scope(struct doing *d, bool *found)
{
    struct txn *t;
    struct scope_row row;
    *found = false;
    if (!d->fields.near) return EXIT_OK;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    *found = scope_get(t, d->fields.near, &row) && may_stand(d, &row.scope);
    if (*found) d->draft.scope = row.scope;
    txn_abort(t);
    return EXIT_OK;
}

int doing_scope(struct doing *d)
{
    const struct scope town = scope_town(), office = scope_office();
    const char *village = cli_flag(d->cli, "--village");
    bool found;
    if (!d->kind->founding) return EXIT_OK;
    if (village) return named_village(d, village);
    if (!device_is_township(&d->recording.self) && (d->kind->scopes & 1u << SCOPE_VILLAGE)) {
        d->draft.scope = scope_of_village(d->recording.self.village);
        return EXIT_OK;
    }
    int code = near_scope(d, &found);
    if (code || found) return code;
    if (may_stand(d, &town)) {
        d->draft.scope = town;
        return EXIT_OK;
    }
    if (d->kind->scopes == 1u << SCOPE_OFFICE) {
        d->draft.scope = office;
        return EXIT_OK;
    }
    return recording_own_scope(d->cli, &d->recording, "--village VILLAGE", &d->draft.scope);
}

/* --- what recording fills in --- */

bool doing_is_automatic(const struct doing *d, const struct field *f, const char *text)
{
    return is_kind(d, "request.accept") && strcmp(f->name, "official_no") == 0 &&
           strcmp(text, "auto") == 0;
}

static int put(struct doing *d, const char *field, const char *text)
{
    return fields_put(&d->fields, kind_field(d->kind, field), text);
}

/* Another hub that is not here may have been given the numbers: the node waits for it. */
static bool others_are_here(const struct doing *d, struct txn *t, const struct roster *roster)
{
    struct peer_row row;
    bool running = home_node_running(d->cli->home);
    for (size_t i = 0; i < roster->device_count; i++) {
        const struct device *hub = &roster->devices[i];
        if (!device_is_hub(hub) || thing_id_equal(&hub->thing, &d->recording.self.thing)) continue;
        if (!running || !peer_get(t, &hub->first, &row)) return false;
        bool here = row.state == PEER_SYNCED || row.state == PEER_SYNCING;
        peer_row_clear(&row);
        if (!here) return false;
    }
    return true;
}

/* At the hub that gives them an acceptance gets the next official number unless one is given. */
static int fill_official(struct doing *d, struct txn *t)
{
    const char *given = cli_field(d->cli, "official_no");
    char number[16];
    bool automatic = !given || strcmp(given, "auto") == 0;
    const struct roster *roster;
    /* An accusation has a number of its own series. */
    if (!automatic || !(d->recording.self.roles & ROLE_HUB) ||
        scope_class(&d->draft.scope) == SCOPE_OFFICE)
        return EXIT_OK;
    enum err e = views_roster(d->cli->views, t, &roster);
    if (!e && (series_state(t, roster) != SERIES_HERE || !others_are_here(d, t, roster)))
        return EXIT_OK;
    if (!e && lives_numbers_wait(t))
        return cli_error(d->cli, EXIT_REFUSED, _("no official number can be given"),
                         _("this hub was put back or copied: some may be missing here"),
                         _("take the last one from paper: sidan numbers --last NUMBER"));
    if (!e) e = request_next_official(t, time_year(d->recording.clock.wall_ms), number);
    return e ? cli_fail(d->cli, e, _("no official number could be given"))
             : put(d, "official_no", number);
}

/* A published result names the request as people know it. */
static int fill_notice(struct doing *d, struct txn *t)
{
    struct request r;
    if (!d->fields.has_request) return EXIT_OK;
    enum err e = request_get(t, &d->fields.request, &r);
    if (e) return cli_fail(d->cli, e, _("nothing was recorded"));
    struct slice number = r.official_number.size ? r.official_number : r.number;
    return put(d, "number", output_text(d->cli, number));
}

static int fill_volunteer(struct doing *d, struct txn *t)
{
    const struct roster *roster;
    char number[16];
    enum err e = views_roster(d->cli->views, t, &roster);
    if (!e) e = person_next_number(t, roster, &d->recording.self, number);
    return e ? cli_fail(d->cli, e, _("no number could be given")) : put(d, "number", number);
}

int doing_fill_in(struct doing *d)
{
    struct txn *t = recorder_txn(d->cli->recorder);
    if (is_kind(d, "request.accept")) return fill_official(d, t);
    if (is_kind(d, "volunteer.register")) return fill_volunteer(d, t);
    if (is_kind(d, "notice.publish")) return fill_notice(d, t);
    if (is_kind(d, "subject.correct")) return subject_correcting_fill(d, t);
    if (is_kind(d, "benefit.recommend")) return doing_points_fill_in(d, t);
    return EXIT_OK;
}

int doing_name(struct doing *d, struct txn *t, const struct recorded *recorded)
{
    struct scope_row row;
    char hex[sizeof recorded->subject.bytes * 2 + 1];
    if (d->kind->founding) {
        d->type = d->kind->thing;
        d->fields.subject.thing = recorded->subject;
        d->fields.subject.scope_number = scope_find(t, &d->draft.scope, &row) ? row.number : 0;
    }
    hex_encode(hex, recorded->subject.bytes, sizeof recorded->subject.bytes);
    hex[12] = 0;
    d->id = cli_format(d->cli, "%s", hex);
    d->label = lookup_typed_name(d->cli, t, d->type, &d->fields.subject);
    if (!*d->label) d->label = d->id;
    if (d->type == THING_REQUEST) d->id = d->label;
    /* "李四 03AV-0012": the number is what is typed. */
    if (d->type == THING_VOLUNTEER && strrchr(d->label, ' ')) d->id = strrchr(d->label, ' ') + 1;
    return EXIT_OK;
}
