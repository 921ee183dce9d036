#include "tools/subject_correcting.h"

#include "node/views/body.h"
#include "tools/words.h"

#include <string.h>

#define ERASES_MAX 64u /* records that one correction names */

static const char *const carried[] = {"name", "phone", "place", "content"};
enum { CARRIED = sizeof carried / sizeof carried[0] };

static bool is_given(const struct doing *d, const char *field)
{
    const char *text = cli_field(d->cli, field);
    return text && *text;
}

/* The field itself, or what an earlier correction of it says. */
static bool box_says(const struct event *e, const char *field, struct mp_reader *value)
{
    bool corrects = slice_is_text(e->kind, "correct.entry") &&
                    slice_is_text(body_text(e->body, "field"), field);
    return e->box_state == BOX_HERE &&
           mp_map_get(e->box, corrects ? "personal_value" : field, value);
}

static bool says_what_is_corrected(const struct doing *d, const struct event *e)
{
    struct mp_reader value;
    for (size_t i = 0; i < CARRIED; i++)
        if (is_given(d, carried[i]) && box_says(e, carried[i], &value)) return true;
    return false;
}

/* The newest text of a field, where a record that goes has it. */
static int carry(struct doing *d, const struct history *h, const char *name)
{
    const struct field *field = kind_field(d->kind, name);
    struct mp_reader value;
    bool goes = false;
    struct slice text = SLICE_EMPTY;
    for (size_t i = 0; i < h->count; i++) {
        const struct history_item *item = &h->items[i];
        if (!box_says(&item->event, name, &value)) continue;
        goes |= says_what_is_corrected(d, &item->event);
        if (item->effect == EFFECT_COUNTS) text = mp_read_str(&value, SIZE_MAX);
    }
    if (!goes || !text.size) return EXIT_OK;
    struct act_problem problem;
    enum err e = act_put(&d->act, field->name, text, &problem);
    if (e == ERR_RANGE) return recording_refused(d->cli, &problem);
    return e ? cli_fail(d->cli, e, _("nothing was recorded")) : EXIT_OK;
}

/* What no field of the correction can take over is lost with the box; it is named. */
static void say_lost(struct doing *d, const struct event *e)
{
    const struct kind *k = kind_find(e->kind);
    for (size_t i = 0; k && i < k->field_count; i++) {
        struct mp_reader value;
        const struct field *f = &k->fields[i];
        if (f->personal && !kind_field(d->kind, f->name) && mp_map_get(e->box, f->name, &value) &&
            strcmp(f->name, "personal_value") != 0)
            output_note(d->cli, _("goes with the old record: %s"), words_field(f));
    }
}

static int name_records(struct doing *d, const struct history *h, struct buf *rows)
{
    size_t count = 0;
    struct mp_writer w = {rows};
    for (size_t i = 0; i < h->count; i++) count += says_what_is_corrected(d, &h->items[i].event);
    if (!count)
        return cli_error(d->cli, EXIT_NOT_FOUND, _("nothing was recorded"),
                         _("no record says what is to be corrected"),
                         _("leave --erase-old out, or look: sidan show ID"));
    if (count > ERASES_MAX)
        return cli_error(d->cli, EXIT_REFUSED, _("nothing was recorded"),
                         _("too many records say it"),
                         _("erase the whole thing: sidan subject erase"));
    mp_write_array(&w, count);
    for (size_t i = 0; i < h->count; i++) {
        const struct event *e = &h->items[i].event;
        if (!says_what_is_corrected(d, e)) continue;
        mp_write_array(&w, 1);
        mp_write_bin(&w, e->id.bytes, sizeof e->id.bytes);
        say_lost(d, e);
    }
    return EXIT_OK;
}

static int fill(struct doing *d, const struct history *h)
{
    struct buf rows = {0};
    int code = name_records(d, h, &rows);
    for (size_t i = 0; i < CARRIED && !code; i++)
        if (!is_given(d, carried[i])) code = carry(d, h, carried[i]);
    enum err e = rows.err;
    if (!code && !e) e = act_put_encoded(&d->act, kind_field(d->kind, "erases"), buf_slice(&rows));
    buf_clear(&rows);
    return e && !code ? cli_fail(d->cli, e, _("nothing was recorded")) : code;
}

int subject_correcting_fill(struct doing *d, struct txn *t)
{
    struct history history;
    if (!cli_has(d->cli, "--erase-old")) return EXIT_OK;
    const struct thing_key *key = &d->fields.subject;
    enum err e = views_history(d->cli->views, t, key->scope_number, &key->thing, &history);
    if (e) return cli_fail(d->cli, e, _("nothing was recorded"));
    int code = fill(d, &history);
    history_clear(&history);
    return code;
}
