#include "tools/commands.h"
#include "tools/lines.h"
#include "tools/record_entry.h"
#include "tools/recording_cross.h"

#include "common/text.h"
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

static void refuse_words(struct record *r, const struct act_problem *words)
{
    if (words->allowed[0] == '\0') {
        refuse(r, words->what);
        return;
    }
    struct buf why = {0};
    buf_printf(&why, _("%s; allowed: %s"), words->what, words->allowed);
    refuse(r, buf_text(&why));
    buf_clear(&why);
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
    refuse_words(r, &words);
}

static void print_recorded(struct record *r, const struct recorded *recorded, bool sealed)
{
    char id[sizeof recorded->id.bytes * 2 + 1], subject[sizeof recorded->subject.bytes * 2 + 1];
    if (sealed) {
        buf_append_text(&r->out, "{\"sealed\":true}\n");
        return;
    }
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

static void take_entry(struct record *r, struct record_entry *e)
{
    struct draft draft;
    struct kind_problem problem = {0};
    struct recorded recorded;
    struct act_problem crossed;
    struct checks_finding finding;
    uint64_t now_ms = r->recording.clock.wall_ms; /* of this commit: reading it costs */
    const char *why = record_entry_place(r->cli, &r->recording, e, &draft);
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
        err = recording_check(&draft, now_ms, &crossed);
        if (err == ERR_RANGE) {
            refuse_words(r, &crossed);
            return;
        }
    }
    if (err == OK) {
        err = recording_cross(r->cli, &draft, now_ms, false, &finding);
        if (finding.what != NULL && (err == ERR_EXISTS || err == ERR_STATE)) {
            refuse(r, recording_cross_words(r->cli, &draft, &finding));
            return;
        }
    }
    if (err == OK) {
        err = recorder_add(r->cli->recorder, &draft, &recorded, &problem);
    }
    if (err != OK) {
        refuse_problem(r, e->kind, err, &problem);
        return;
    }
    r->in_batch++;
    if (!r->cli->quiet) {
        print_recorded(r, &recorded, draft.sealed);
    }
}

static void record_line(struct record *r, struct slice line)
{
    struct record_entry e = {0};
    json_error_t error;
    json_t *object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        refuse(r, object == NULL ? error.text : _("not a JSON object"));
        json_decref(object);
        return;
    }
    const char *why = record_entry_read(&e, object);
    if (why != NULL) {
        refuse(r, _(why));
    } else {
        json_t *empty = e.body == NULL ? json_object() : NULL;
        e.body = e.body != NULL ? e.body : empty;
        take_entry(r, &e);
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
    bool printed =
        (r->out.size == 0 || fwrite(r->out.data, 1, r->out.size, stdout) == r->out.size) &&
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
