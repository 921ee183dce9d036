/* sidan subject export: everything that is held of a thing and of its person, as a readable copy
 * and as JSON beside it. */
#include "tools/commands.h"
#include "tools/erasures.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/subject_others.h"
#include "tools/words.h"

#include "common/file.h"
#include "common/text.h"
#include "common/time.h"
#include "node/views/actor.h"
#include "proto/json.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 14

struct copying {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct erased erased; /* of the thing that is written now */
    struct buf text;
    json_t *things;
};

static const char *who(struct copying *c, const struct event *e)
{
    char name[256] = "";
    const char *device = lookup_device_name(c->cli, c->roster, &e->feed.author);
    if (!e->has_by || !actor_name(c->txn, &e->by, name, sizeof name) || !name[0]) return device;
    return cli_format(c->cli, "%s (%s)", output_text(c->cli, slice_of_text(name)), device);
}

/* --- readable ----------------------------------------------------------------------------------
 */

static void fields_text(struct copying *c, const struct kind *k, struct slice map)
{
    struct mp_reader value;
    for (size_t i = 0; k && i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        if (!mp_map_get(map, f->name, &value)) continue;
        buf_append_text(&c->text, "    ");
        text_append_padded(&c->text, slice_of_text(words_field(f)), LABEL_WIDTH, false);
        buf_printf(&c->text, " %s\n", words_value(c->cli, c->txn, f, &value));
    }
}

static void event_text(struct copying *c, const struct event *e, size_t number)
{
    char time[TIME_TEXT_SIZE];
    const struct kind *k = kind_find(e->kind);
    time_format(time, HLC_MS(e->time));
    buf_printf(&c->text, "%zu. %s  %s  %s\n", number, time, words_kind(c->cli, e->kind), who(c, e));
    fields_text(c, k, e->body);
    if (e->box_state == BOX_HERE) fields_text(c, k, e->box);
    if (e->box_state == BOX_GONE)
        buf_printf(&c->text, "    %s\n",
                   erased_covers(&c->erased, &e->id)
                       ? _("(erased)")
                       : _("(the personal part is missing here; it is asked for)"));
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static json_t *event_json(struct copying *c, const struct event *e)
{
    const struct kind *k = kind_find(e->kind);
    json_t *o = json_object();
    json_object_set_new(o, "kind", output_json_text(e->kind));
    json_object_set_new(o, "time", output_json_time(HLC_MS(e->time)));
    json_object_set_new(o, "who", output_json_text(slice_of_text(who(c, e))));
    json_object_set_new(o, "id", output_json_hex(e->id.bytes, sizeof e->id.bytes));
    json_object_set_new(o, "body", json_of_fields(e->body, k));
    json_object_set_new(o, "box",
                        e->box_state == BOX_HERE ? json_of_fields(e->box, k) : json_null());
    json_object_set_new(
        o, "box_erased",
        json_boolean(e->box_state == BOX_GONE && erased_covers(&c->erased, &e->id)));
    return o;
}

/* --- one thing after the other -----------------------------------------------------------------
 */

static int thing_copy(struct copying *c, const struct thing_key *key)
{
    struct history history;
    enum err e = views_history(c->cli->views, c->txn, key->scope_number, &key->thing, &history);
    if (e) return cli_fail(c->cli, e, _("it cannot be read"));
    char id[33];
    json_t *o = json_object(), *events = json_array();
    const char *name = lookup_typed_name(c->cli, c->txn, history.type, key);
    if (!erased_get(c->txn, key, &c->erased)) c->erased = (struct erased){.whole = false};
    hex_encode(id, key->thing.bytes, sizeof key->thing.bytes);
    buf_printf(&c->text, "\n== %s  %s  (%s)\n",
               i18n_is_chinese() ? thing_type_zh(history.type) : thing_type_en(history.type), name,
               id);
    for (size_t i = 0; i < history.count; i++) {
        event_text(c, &history.items[i].event, i + 1);
        json_array_append_new(events, event_json(c, &history.items[i].event));
    }
    json_object_set_new(o, "subject", json_string(id));
    json_object_set_new(o, "type", json_string(thing_type_name(history.type)));
    json_object_set_new(o, "name", output_json_text(slice_of_text(name)));
    json_object_set_new(o, "history", events);
    json_array_append_new(c->things, o);
    history_clear(&history);
    return EXIT_OK;
}

static int all_copy(struct copying *c, const struct thing_key *key)
{
    static struct subject_others others; /* large */
    char now[TIME_TEXT_SIZE];
    int code = subject_others_find(c->cli, c->txn, key, &others);
    if (code) return code;
    time_format(now, cli_now_ms(c->txn));
    buf_printf(&c->text, "%s  %s\n%s\n", c->roster->township_name, now,
               _("copy of what is held of a person, for that person alone"));
    code = thing_copy(c, key);
    for (size_t i = 0; i < others.count && !code; i++)
        if (others.items[i].same_phone) code = thing_copy(c, &others.items[i].hit.key);
    for (size_t i = 0; i < others.count && !code; i++)
        if (!others.items[i].same_phone)
            output_note(c->cli, _("not copied: %s"),
                        subject_other_words(c->cli, c->txn, &others.items[i]));
    return code;
}

/* --- files -------------------------------------------------------------------------------------
 */

static int file_failed(struct cli *cli, enum err e, const char *path)
{
    const char *what = cli_format(cli, _("\"%s\" was not written"), path);
    if (e != ERR_EXISTS) return cli_fail(cli, e, what);
    return cli_error(cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                     _("name another file"));
}

static int files_write(struct copying *c, const char *path, const char *json_path)
{
    json_t *o = output_json("sidan.subject-export/1");
    json_object_set(o, "things", c->things);
    char *text = json_dumps(o, JSON_INDENT(1));
    json_decref(o);
    enum err e = text ? c->text.err : ERR_NOMEM;
    if (!e) e = file_create(path, buf_slice(&c->text), 0600);
    int code = e ? file_failed(c->cli, e, path) : EXIT_OK;
    if (!code) {
        e = file_create(json_path, slice_of_text(text), 0600);
        if (e) code = file_failed(c->cli, e, json_path);
        if (e && file_remove(path)) output_note(c->cli, _("remove it by hand: %s"), path);
    }
    free(text);
    return code;
}

static int copy(struct cli *cli, const char *path, const char *json_path)
{
    struct copying c = {.cli = cli, .things = json_array()};
    struct thing_key key;
    int code = cli_begin(cli, &c.txn);
    if (!code) code = cli_roster(cli, c.txn, &c.roster);
    if (!code) code = lookup_shown(cli, c.txn, cli_argument(cli, 0), &key);
    if (!code) code = all_copy(&c, &key);
    if (!code) code = files_write(&c, path, json_path);
    txn_abort(c.txn);
    buf_clear(&c.text);
    json_decref(c.things);
    return code;
}

int cmd_subject_export(struct cli *cli)
{
    const char *path = cli_flag(cli, "-o");
    if (!path)
        return cli_error(cli, EXIT_USAGE, _("no file was named for the copy"), NULL,
                         _("sidan subject export ID -o FILE"));
    const char *json_path = cli_format(cli, "%s.json", path);
    int code = copy(cli, path, json_path);
    if (code) return code;
    code = cmd_act(cli);
    /* What was not recorded was not handed out. */
    if (code && (file_remove(path) || file_remove(json_path)))
        output_note(cli, _("remove it by hand: %s"), path);
    if (!code && !cli->json)
        output_line(cli, _("written: %s and %s; for the person alone"), path, json_path);
    return code;
}
