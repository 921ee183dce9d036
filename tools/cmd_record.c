#include "tools/commands.h"
#include "tools/lines.h"
#include "tools/recording.h"

#include "common/text.h"
#include "common/time.h"
#include "proto/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A batch never holds the store's write lock for longer than this while it waits for input. */
enum { INPUT_WAIT_MS = 50 };

#define BATCH_MAX 65536

struct record {
    struct cli *cli;
    struct recording recording;
    struct lines lines;
    struct json_packer packer;
    struct buf body, box;
    struct buf out;           /* what is printed when the batch is committed */
    struct feed printed_feed; /* as text in `feed` */
    struct buf feed;
    uint64_t batch;      /* lines a commit */
    uint64_t in_batch;   /* events added since the last commit */
    uint64_t first_line; /* of the batch */
    uint64_t recorded, refused;
    bool open;
};

/* --- refusals: line by line, the others go on --- */

static void refuse(struct record *r, const char *why)
{
    r->refused++;
    if (r->cli->json) {
        json_t *o =
            json_pack("{s:s,s:i,s:I,s:s,s:s}", "schema", "sidan.error/1", "code", EXIT_FAILED,
                      "line", (json_int_t)r->lines.number, "what", "not recorded", "why", why);
        if (o != NULL) {
            json_dumpf(o, stderr, JSON_COMPACT);
            fputc('\n', stderr);
        }
        json_decref(o);
        return;
    }
    struct buf text = {0};
    text_append_shown(&text, slice_of_text(why));
    fprintf(stderr, _("line %" PRIu64 ": not recorded: %s\n"), r->lines.number, buf_text(&text));
    buf_clear(&text);
}

static void refuse_problem(struct record *r, const struct kind *kind, enum err e,
                           const struct kind_problem *problem)
{
    struct act_problem words;
    if (problem->what == NULL) {
        refuse(r, cli_err_text(e));
        return;
    }
    act_explain(kind, problem, &words);
    if (words.allowed[0] == '\0') {
        refuse(r, words.what);
        return;
    }
    struct buf why = {0};
    buf_printf(&why, _("%s; allowed: %s"), words.what, words.allowed);
    refuse(r, buf_text(&why));
    buf_clear(&why);
}

/* --- one line to a draft --- */

/* The keys of a line. */
struct entry {
    const struct kind *kind;
    const char *subject, *scope, *lane, *by, *at;
    json_t *body, *box;
};

static const char *read_keys(json_t *object, struct entry *e)
{
    const char *key, *name = NULL;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char **text = strcmp(key, "kind") == 0      ? &name
                            : strcmp(key, "subject") == 0 ? &e->subject
                            : strcmp(key, "scope") == 0   ? &e->scope
                            : strcmp(key, "lane") == 0    ? &e->lane
                            : strcmp(key, "by") == 0      ? &e->by
                            : strcmp(key, "at") == 0      ? &e->at
                                                          : NULL;
        if (json_is_null(value)) {
            continue;
        }
        if (text != NULL && json_is_string(value)) {
            *text = json_string_value(value);
        } else if (strcmp(key, "body") == 0 && json_is_object(value)) {
            e->body = value;
        } else if (strcmp(key, "box") == 0 && json_is_object(value)) {
            e->box = value;
        } else {
            return N_("a key that is not known here, or its value has another type; allowed: "
                      "kind subject scope lane body box by at");
        }
    }
    e->kind = name != NULL ? kind_find(slice_of_text(name)) : NULL;
    return e->kind != NULL ? NULL : N_("the kind is missing or not known; see sidan kinds");
}

/* A thing by its id, a prefix of it, or a request's number. */
static const char *find_thing(struct txn *t, const char *text, struct thing_key *out)
{
    uint8_t prefix[16] = {0};
    struct thing_key found[2];
    char digits[33];
    size_t size = strlen(text);
    if (request_find_number(t, slice_of_text(text), out) == OK) {
        return NULL;
    }
    if (size < 6 || size > 32) {
        return N_("there is no such subject");
    }
    snprintf(digits, sizeof digits, "%s%.*s", text, (int)(32 - size),
             "00000000000000000000000000000000");
    if (hex_decode(prefix, sizeof prefix, digits, 32) != OK) {
        return N_("there is no such subject");
    }
    size_t count = thing_find_prefix(t, prefix, size, found, 2);
    if (count != 1) {
        return count == 0 ? N_("there is no such subject") : N_("more than one id begins so");
    }
    *out = found[0];
    return NULL;
}

static const char *place_founding(struct record *r, const struct entry *e, struct draft *draft)
{
    bool village = !device_is_township(&r->recording.self);
    if (village && (e->kind->scopes & 1u << SCOPE_VILLAGE)) {
        draft->scope = scope_of_village(r->recording.self.village);
    } else if (e->kind->scopes == 1u << SCOPE_TOWN) {
        draft->scope = scope_town();
    } else {
        return N_("the scope is missing: village:CODE");
    }
    return NULL;
}

static const char *place(struct record *r, const struct entry *e, struct draft *draft)
{
    struct thing_key subject;
    const char *why = NULL;
    draft->founding = e->kind->founding && e->subject == NULL;
    if (e->subject != NULL) {
        struct scope_row row;
        why = find_thing(recorder_txn(r->cli->recorder), e->subject, &subject);
        if (why == NULL && scope_get(recorder_txn(r->cli->recorder), subject.scope_number, &row)) {
            draft->subject = subject.thing;
            draft->scope = row.scope;
        }
    } else if (!e->kind->founding) {
        return N_("the subject is missing");
    } else if (e->scope == NULL) {
        why = place_founding(r, e, draft);
    }
    if (why == NULL && e->scope != NULL &&
        scope_parse(&draft->scope, slice_of_text(e->scope)) != OK) {
        why = N_("the scope is none: town, office or village:CODE");
    }
    if (why == NULL && e->lane != NULL && !recording_lane_parse(&draft->lane, e->lane)) {
        why = N_("the lane is none: urgent, normal or intake");
    }
    return why;
}

static const char *find_actor(struct record *r, const struct entry *e, struct draft *draft)
{
    struct thing_key actor;
    draft->has_by = r->recording.has_by;
    draft->by = r->recording.by;
    if (e->by == NULL) {
        return NULL;
    }
    if (find_thing(recorder_txn(r->cli->recorder), e->by, &actor) != NULL) {
        return N_("there is no such person: see sidan actor list");
    }
    draft->has_by = true;
    draft->by = actor.thing;
    return NULL;
}

/* What the caller may leave out: the claimed time beside the body, a request's number. */
static const char *complete_body(struct record *r, struct entry *e)
{
    uint64_t ms;
    if (e->at != NULL) {
        if (time_parse(&ms, e->at) != OK) {
            return N_("at is no time: YYYY-MM-DD HH:MM");
        }
        json_object_set_new(e->body, "at", json_integer((json_int_t)ms));
    }
    if (kind_field(e->kind, "number") != NULL && e->kind->thing == THING_REQUEST &&
        json_object_get(e->body, "number") == NULL) {
        char number[16];
        struct txn *t = recorder_txn(r->cli->recorder);
        const struct roster *roster;
        if (views_roster(r->cli->views, t, &roster) != OK ||
            request_next_number(t, roster, &r->recording.self, number) != OK) {
            return N_("no number could be given");
        }
        json_object_set_new(e->body, "number", json_string(number));
    }
    return NULL;
}

static void print_recorded(struct record *r, const struct recorded *recorded)
{
    char id[sizeof recorded->id.bytes * 2 + 1], subject[sizeof recorded->subject.bytes * 2 + 1];
    if (r->feed.size == 0 || !feed_equal(&r->printed_feed, &recorded->feed)) {
        r->printed_feed = recorded->feed;
        buf_reset(&r->feed);
        recording_feed_print(&r->feed, &recorded->feed);
    }
    hex_encode(id, recorded->id.bytes, sizeof recorded->id.bytes);
    hex_encode(subject, recorded->subject.bytes, sizeof recorded->subject.bytes);
    buf_append_text(&r->out, "{\"feed\":\"");
    buf_append_slice(&r->out, buf_slice(&r->feed));
    buf_printf(&r->out, "\",\"seq\":%" PRIu64 ",\"id\":\"", recorded->seq);
    buf_append(&r->out, id, sizeof id - 1);
    buf_append_text(&r->out, "\",\"subject\":\"");
    buf_append(&r->out, subject, sizeof subject - 1);
    buf_append_text(&r->out, "\"}\n");
}

static void record_entry(struct record *r, struct entry *e)
{
    struct draft draft = {.kind = e->kind->name, .lane = LANE_NORMAL};
    struct kind_problem problem = {0};
    struct recorded recorded;
    const char *why = place(r, e, &draft);
    if (why == NULL) {
        why = find_actor(r, e, &draft);
    }
    if (why == NULL) {
        why = complete_body(r, e);
    }
    if (why != NULL) {
        refuse(r, _(why));
        return;
    }
    buf_reset(&r->body);
    buf_reset(&r->box);
    enum err err = json_pack_map(&r->packer, &r->body, e->body, e->kind, &problem);
    if (err == OK && e->box != NULL) {
        err = json_pack_map(&r->packer, &r->box, e->box, e->kind, &problem);
    }
    if (err == OK) {
        draft.body = buf_slice(&r->body);
        draft.box = buf_slice(&r->box);
        err = recorder_add(r->cli->recorder, &draft, &recorded, &problem);
    }
    if (err != OK) {
        refuse_problem(r, e->kind, err, &problem);
        return;
    }
    r->in_batch++;
    if (!r->cli->quiet) {
        print_recorded(r, &recorded);
    }
}

static void record_line(struct record *r, struct slice line)
{
    struct entry e = {0};
    json_error_t error;
    json_t *object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        refuse(r, object == NULL ? error.text : _("not a JSON object"));
        json_decref(object);
        return;
    }
    const char *why = read_keys(object, &e);
    if (why != NULL) {
        refuse(r, _(why));
    } else {
        json_t *empty = e.body == NULL ? json_object() : NULL;
        e.body = e.body != NULL ? e.body : empty;
        record_entry(r, &e);
        json_decref(empty);
    }
    json_decref(object);
}

/* --- batches --- */

static int commit(struct record *r)
{
    if (!r->open) {
        return EXIT_OK;
    }
    r->open = false;
    enum err e = recorder_commit(r->cli->recorder);
    if (e != OK) {
        const char *what = e == ERR_AMBIGUOUS_COMMIT
                               ? _("nobody knows whether lines %llu to %llu were recorded")
                               : _("lines %llu to %llu were not recorded");
        return cli_fail(r->cli, e,
                        cli_format(r->cli, what, (unsigned long long)r->first_line,
                                   (unsigned long long)r->lines.number));
    }
    r->recorded += r->in_batch;
    r->in_batch = 0;
    if (r->out.err != OK) {
        return cli_fail(r->cli, r->out.err, _("recorded, but it cannot be printed"));
    }
    bool printed = (r->out.size == 0 ||
                    fwrite(r->out.data, 1, r->out.size, stdout) == r->out.size) &&
                   (r->batch > 1 || fflush(stdout) == 0);
    buf_reset(&r->out);
    return printed ? EXIT_OK
                   : cli_fail(r->cli, err_from_errno(errno), _("recorded, but not printed"));
}

static int begin(struct record *r)
{
    if (r->open) {
        return EXIT_OK;
    }
    enum err e = recording_clock(r->cli, &r->recording.clock);
    if (e == OK) {
        e = recorder_begin(r->cli->recorder, &r->recording.clock);
    }
    if (e != OK) {
        return cli_fail(r->cli, e, _("nothing more can be recorded"));
    }
    r->open = true;
    r->first_line = r->lines.number;
    return EXIT_OK;
}

static int take_line(struct record *r, enum lines_result result, struct slice line)
{
    if (result == LINES_FAILED) {
        return cli_fail(r->cli, err_from_errno(errno), _("the input cannot be read"));
    }
    int code = begin(r);
    if (code != EXIT_OK) {
        return code;
    }
    if (result == LINES_TOO_LONG) {
        refuse(r, _("the line is too long: allowed are 262144 bytes"));
    } else if (line.size > 0) {
        record_line(r, line);
    }
    if (r->lines.number - r->first_line + 1 >= r->batch ||
        lines_would_wait(&r->lines, INPUT_WAIT_MS)) {
        code = commit(r);
    }
    return code;
}

static int record_all(struct record *r)
{
    enum lines_result result;
    struct slice line = SLICE_EMPTY;
    int code = EXIT_OK;
    while (code == EXIT_OK && (result = lines_next(&r->lines, &line)) != LINES_END) {
        code = take_line(r, result, line);
    }
    if (code == EXIT_OK) {
        code = commit(r);
    } else if (r->open) {
        recorder_abort(r->cli->recorder);
    }
    return code;
}

int cmd_record(struct cli *cli)
{
    struct record r = {.cli = cli, .lines = lines_of(STDIN_FILENO), .batch = 1};
    int code = cli_flag_uint(cli, "--batch", 1, BATCH_MAX, &r.batch);
    if (code == EXIT_OK) {
        code = recording_begin(cli, &r.recording);
    }
    if (code == EXIT_OK) {
        code = record_all(&r);
    }
    if (code == EXIT_OK && r.refused > 0) {
        output_note(cli, _("%" PRIu64 " recorded, %" PRIu64 " refused"), r.recorded, r.refused);
        code = EXIT_FAILED;
    }
    lines_clear(&r.lines);
    json_packer_clear(&r.packer);
    buf_clear(&r.body);
    buf_clear(&r.box);
    buf_clear(&r.out);
    buf_clear(&r.feed);
    return code;
}
