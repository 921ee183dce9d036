#include "tools/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/act_told.h"
#include "tools/recording_cross.h"
#include "tools/words.h"

int recording_begin(struct cli *cli, struct recording *r)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_recorder(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(cli, t, &roster);
    if (code == EXIT_OK) {
        code = cli_self(cli, roster, &self);
    }
    if (code == EXIT_OK) {
        r->self = *self;
        clock_read(t, &r->clock);
        code = cli_actor(cli, t, &r->has_by, &r->by);
    }
    txn_abort(t);
    return code;
}

enum err recording_clock(struct cli *cli, struct clock_reading *out)
{
    struct txn *t;
    enum err e = txn_begin(cli->store, false, &t);
    if (e == OK) {
        clock_read(t, out);
        txn_abort(t);
    }
    return e;
}

int recording_own_scope(struct cli *cli, const struct recording *r, const char *flag,
                        struct scope *out)
{
    if (device_is_township(&r->self)) {
        return cli_error(cli, EXIT_USAGE, _("it is not said which village this is about"),
                         _("this device belongs to the township"),
                         cli_format(cli, _("add %s"), flag));
    }
    *out = scope_of_village(r->self.village);
    return EXIT_OK;
}

int recording_refused(struct cli *cli, const struct act_problem *problem)
{
    return cli_error(
        cli, EXIT_USAGE, problem->what,
        problem->allowed[0] != '\0' ? cli_format(cli, _("allowed: %s"), problem->allowed) : NULL,
        _("correct it and try again; nothing was recorded"));
}

/* The request that a draft acts on: where it stands and what comes next, NULL where it is none. */
static const char *request_stands(struct cli *cli, const struct draft *draft, const char **next)
{
    struct txn *t;
    struct scope_row scope;
    struct request r;
    const struct roster *roster;
    if (draft->founding || cli_begin(cli, &t) != EXIT_OK) {
        return NULL;
    }
    const char *stands = NULL;
    struct thing_key key = {.thing = draft->subject};
    if (scope_find(t, &draft->scope, &scope)) {
        key.scope_number = scope.number;
        if (request_get(t, &key, &r) == OK) {
            struct slice number = r.number.size > 0 ? r.number : r.official_number;
            const char *label = output_text(cli, number);
            stands = cli_format(cli, _("%s stands at: %s"), label,
                                i18n_is_chinese() ? request_state_zh(r.state)
                                                  : request_state_name(r.state));
            const struct device *self =
                views_roster(cli->views, t, &roster) == OK
                    ? roster_device(roster, &store_identity(cli->store)->device)
                    : NULL;
            *next = act_request_next(cli, &r, self == NULL || device_is_township(self), label);
        }
    }
    txn_abort(t);
    return stands;
}

/* Another person may do it. */
static bool is_of_person(const char *why)
{
    static const char *const starts[] = {"must be done by another person", "this person "};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (strncmp(why, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    return false;
}

int recording_impossible(struct cli *cli, enum err e, const struct draft *draft, const char *why)
{
    const struct kind *kind = kind_find(slice_of_text(draft->kind));
    const char *next = NULL, *todo = _("sidan show ID tells how it stands, sidan kinds what each "
                                       "step needs");
    if (e == ERR_FORBIDDEN && kind != NULL) {
        todo = cli_format(cli, _("who may do it: %s; sidan devices shows the roles of each"),
                          words_roles(cli, kind->roles));
    }
    const char *stands = e == ERR_STATE ? request_stands(cli, draft, &next) : NULL;
    if (is_of_person(why)) {
        next = NULL;
        todo = _("let another person do it, and name that person: --by PERSON (sidan actor list)");
    }
    return cli_error(cli, cli_exit_code(e), _("nothing was recorded"),
                     stands != NULL ? cli_format(cli, "%s; %s", _(why), stands) : _(why),
                     next != NULL ? cli_format(cli, _("next: %s"), next) : todo);
}

int recording_may(struct cli *cli, const struct recording *r, const char *kind,
                  enum scope_class scope)
{
    const struct draft draft = {.kind = kind};
    if (r->self.roles & kind_roles(kind_find(slice_of_text(kind)), scope)) {
        return EXIT_OK;
    }
    return recording_impossible(cli, ERR_FORBIDDEN, &draft, N_("this device has no role for it"));
}

static int refused(struct cli *cli, enum err e, const struct draft *draft,
                   const struct kind_problem *problem)
{
    const char *what = _("nothing was recorded");
    const struct kind *kind = kind_find(slice_of_text(draft->kind));
    if (e == ERR_RANGE && kind != NULL && problem->what != NULL) {
        struct act_problem explained;
        act_explain(kind, problem, &explained);
        return recording_refused(cli, &explained);
    }
    if (problem->what == NULL || problem->what[0] == '\0') {
        return cli_fail(cli, e, what);
    }
    if (e == ERR_LIMIT && draft->sealed) {
        return cli_error(cli, EXIT_USAGE, what, _(problem->what),
                         _("shorten the text, and keep the rest on paper for the office"));
    }
    return recording_impossible(cli, e, draft, problem->what);
}

static int crossed_out(struct cli *cli, enum err e, const struct draft *draft,
                       const struct checks_finding *finding)
{
    const char *what = _("nothing was recorded");
    if (finding->what == NULL || (e != ERR_EXISTS && e != ERR_STATE)) {
        return cli_fail(cli, e, what);
    }
    return cli_error(cli, EXIT_REFUSED, what, recording_cross_words(cli, draft, finding),
                     _(finding->todo));
}

/* Ends the commit on failure. */
static int add(struct cli *cli, struct draft *draft, struct recorded *out)
{
    struct kind_problem problem = {0};
    struct act_problem crossed;
    struct checks_finding finding;
    uint64_t now_ms = cli_now_ms(recorder_txn(cli->recorder));
    enum err e = recording_check(draft, now_ms, &crossed);
    if (e != OK) {
        recorder_abort(cli->recorder);
        return e == ERR_RANGE ? recording_refused(cli, &crossed)
                              : cli_fail(cli, e, _("nothing was recorded"));
    }
    e = recording_cross(cli, draft, now_ms, true, &finding);
    if (e != OK) {
        recorder_abort(cli->recorder);
        return crossed_out(cli, e, draft, &finding);
    }
    const char *reminder =
        finding.what != NULL ? recording_cross_words(cli, draft, &finding) : NULL;
    e = recorder_add(cli->recorder, draft, out, &problem);
    if (e != OK) {
        recorder_abort(cli->recorder);
        return refused(cli, e, draft, &problem);
    }
    if (reminder != NULL) {
        output_note(cli, _("reminder: %s"), reminder);
        output_note(cli, _("to do: %s"), _(finding.todo));
    }
    return EXIT_OK;
}

static int commit(struct cli *cli)
{
    enum err e = recorder_commit(cli->recorder);
    return e == OK ? EXIT_OK : cli_fail(cli, e, _("it is not certain that it was recorded"));
}

int recording_add(struct cli *cli, struct draft *draft, struct recorded *out)
{
    int code = add(cli, draft, out);
    return code != EXIT_OK ? code : commit(cli);
}

int recording_all(struct cli *cli, const struct recording *r, struct draft *drafts, size_t count,
                  struct recorded *out)
{
    for (size_t i = 0; i < count; i++) {
        drafts[i].has_by = r->has_by;
        drafts[i].by = r->by;
        int code = add(cli, &drafts[i], &out[i]);
        if (code != EXIT_OK) {
            return code;
        }
    }
    return commit(cli);
}

int recording_one(struct cli *cli, const struct recording *r, struct draft *draft,
                  struct recorded *out)
{
    draft->has_by = r->has_by;
    draft->by = r->by;
    enum err e = recorder_begin(cli->recorder, &r->clock);
    return e == OK ? recording_add(cli, draft, out) : cli_fail(cli, e, _("nothing was recorded"));
}

uint8_t recording_request_lane(struct slice body)
{
    struct mp_reader urgency;
    bool urgent = mp_map_get(body, "urgency", &urgency) && mp_read_uint(&urgency, UINT64_MAX) == 3;
    return urgent ? LANE_URGENT : LANE_NORMAL;
}

static const char *const lanes[LANE_COUNT] = {"urgent", "normal", "intake"};

const char *recording_lane_name(uint8_t lane)
{
    return lane < LANE_COUNT ? lanes[lane] : "?";
}

bool recording_lane_parse(uint8_t *lane, const char *name)
{
    for (uint8_t i = 0; i < LANE_COUNT; i++) {
        if (strcmp(lanes[i], name) == 0) {
            *lane = i;
            return true;
        }
    }
    return false;
}

void recording_feed_print(struct buf *out, const struct feed *feed)
{
    char author[sizeof feed->author.bytes * 2 + 1];
    hex_encode(author, feed->author.bytes, sizeof feed->author.bytes);
    buf_printf(out, "%s/%s/%s", author, feed->scope.text, recording_lane_name(feed->lane));
    if (feed->has_epoch) {
        char epoch[sizeof feed->epoch * 2 + 1];
        hex_encode(epoch, feed->epoch, sizeof feed->epoch);
        buf_printf(out, "/%s", epoch);
    }
}

void recording_describe(json_t *object, const struct recorded *recorded)
{
    struct buf feed = {0};
    recording_feed_print(&feed, &recorded->feed);
    json_object_set_new(object, "feed", json_string(buf_text(&feed)));
    json_object_set_new(object, "seq", json_integer((json_int_t)recorded->seq));
    json_object_set_new(object, "id",
                        output_json_hex(recorded->id.bytes, sizeof recorded->id.bytes));
    json_object_set_new(object, "subject",
                        output_json_hex(recorded->subject.bytes, sizeof recorded->subject.bytes));
    buf_clear(&feed);
}
