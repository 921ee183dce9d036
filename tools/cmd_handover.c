/* `sidan handover [SUCCESSOR]`: what a clerk leaves, and to whom. */
#include "tools/commands.h"
#include "tools/handover.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/recording.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WHAT _("nothing was handed over")

struct handing {
    struct cli *cli;
    struct handover over;
    struct scope scope; /* of who hands over */
    struct recording recording;
    struct act act;
    struct recorded recorded;
    const char *file; /* of the sheet; NULL: shown */
};

/* --- who, and what there is --- */

static int find_from(struct handing *h, struct txn *txn)
{
    struct cli *cli = h->cli;
    struct handover *over = &h->over;
    struct actor actor;
    struct scope_row scope;
    const char *given = cli_flag(cli, "--from");
    bool has = given != NULL;
    int code = has ? lookup_actor(cli, txn, given, &over->from.thing)
                   : cli_actor(cli, txn, &has, &over->from.thing);
    if (code) return code;
    if (!has)
        return cli_error(cli, EXIT_USAGE, WHAT, _("it is not known who hands over"),
                         _("add --from PERSON; sidan actor list shows them"));
    enum err err = actor_get(txn, &over->from.thing, &actor);
    if (!err && !scope_get(txn, actor.key.scope_number, &scope)) err = ERR_CORRUPT;
    if (err) return cli_fail(cli, err, WHAT);
    over->from = actor.key;
    h->scope = scope.scope;
    text_copy(over->from_name, sizeof over->from_name, actor.name);
    text_copy(over->from_unit, sizeof over->from_unit, actor.unit);
    return EXIT_OK;
}

static int find_to(struct handing *h, struct txn *txn)
{
    struct handover *over = &h->over;
    const char *text = cli_argument(h->cli, 0);
    if (!text) return EXIT_OK;
    int code = lookup_actor(h->cli, txn, text, &over->to);
    if (!code && !actor_name(txn, &over->to, over->to_name, sizeof over->to_name))
        text_copy(over->to_name, sizeof over->to_name, slice_of_text(text));
    return code;
}

static int look(struct handing *h)
{
    struct txn *txn;
    const char *on = cli_flag(h->cli, "--on");
    int code = cli_begin(h->cli, &txn);
    if (code) return code;
    code = find_from(h, txn);
    if (!code) code = find_to(h, txn);
    if (on && !time_date_valid(on))
        code = cli_error(h->cli, EXIT_USAGE, cli_format(h->cli, _("\"%s\" is no day"), on), NULL,
                         _("write it like 2026-11-25"));
    if (on && !code)
        text_copy(h->over.day, sizeof h->over.day, slice_of_text(on));
    else
        time_format_date(h->over.day, cli_now_ms(txn));
    if (!code) code = handover_read(&h->over, txn);
    txn_abort(txn);
    return code;
}

/* --- the sheet --- */

static int write_sheet(struct handing *h)
{
    struct buf sheet = {0};
    handover_sheet(&h->over, &sheet);
    enum err err = sheet.err;
    if (!err && h->file) err = file_create(h->file, buf_slice(&sheet), 0600);
    if (!err && !h->file && !h->cli->json && !h->cli->quiet)
        fwrite(sheet.data, 1, sheet.size, stdout);
    buf_clear(&sheet);
    if (!err) return EXIT_OK;
    const char *what = h->file ? cli_format(h->cli, _("\"%s\" was not written"), h->file) : WHAT;
    if (err != ERR_EXISTS) return cli_fail(h->cli, err, what);
    return cli_error(h->cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                     _("name another with -o"));
}

/* --- the record --- */

static int put(struct handing *h, const char *field, const char *text)
{
    struct act_problem problem;
    enum err err = text ? act_put(&h->act, field, slice_of_text(text), &problem) : OK;
    if (err == ERR_RANGE) return recording_refused(h->cli, &problem);
    return err ? cli_fail(h->cli, err, WHAT) : EXIT_OK;
}

static int put_all(struct handing *h)
{
    const struct handover *over = &h->over;
    char to[sizeof over->to.bytes * 2 + 1], number[24];
    const struct {
        const char *field;
        uint64_t value;
    } counts[] = {{"open", over->open},
                  {"overdue", over->overdue},
                  {"unsent", over->unsent},
                  {"unverified", over->unverified},
                  {"points", over->points}};
    hex_encode(to, over->to.bytes, sizeof over->to.bytes);
    int code = put(h, "to", to);
    if (!code) code = put(h, "on", over->day);
    for (size_t i = 0; !code && i < sizeof counts / sizeof counts[0]; i++) {
        snprintf(number, sizeof number, "%" PRIu64, counts[i].value);
        code = put(h, counts[i].field, number);
    }
    if (!code) code = put(h, "present", over->present);
    if (!code) code = put(h, "note", over->note);
    return code;
}

static int record(struct handing *h)
{
    struct act_problem problem;
    struct draft draft = {.subject = h->over.from.thing, .scope = h->scope, .lane = LANE_NORMAL};
    act_begin(&h->act, kind_find(slice_of_text("actor.handover")));
    int code = put_all(h);
    enum err err = code ? OK : act_end(&h->act, &draft, &problem);
    if (err)
        code = err == ERR_RANGE ? recording_refused(h->cli, &problem) : cli_fail(h->cli, err, WHAT);
    return code ? code : recording_one(h->cli, &h->recording, &draft, &h->recorded);
}

/* Whoever acted here by default and is gone is followed by who took over. */
static int follow(struct handing *h, bool *followed)
{
    char from[33], to[33];
    struct settings_problem problem = {0};
    int code = cli_open_settings(h->cli);
    if (code) return code;
    hex_encode(from, h->over.from.thing.bytes, sizeof h->over.from.thing.bytes);
    hex_encode(to, h->over.to.bytes, sizeof h->over.to.bytes);
    *followed = strcmp(h->cli->settings.actor, from) == 0;
    enum err err = *followed ? settings_set(h->cli->home, "actor", to, &problem) : OK;
    return err ? cli_fail(h->cli, err,
                          _("handed over, but who acts here by default was not changed"))
               : EXIT_OK;
}

static int tell(struct handing *h, bool followed)
{
    struct cli *cli = h->cli;
    const struct handover *over = &h->over;
    if (cli->json) {
        json_t *o = handover_json(&h->over);
        recording_describe(o, &h->recorded);
        json_object_set_new(o, "file", h->file ? json_string(h->file) : json_null());
        json_object_set_new(o, "actor_set", json_boolean(followed));
        return output_json_end(o);
    }
    output_line(cli, _("handed over: %s -> %s"), over->from_name, over->to_name);
    if (followed) output_line(cli, _("from now on %s acts on this machine"), over->to_name);
    if (h->file)
        output_line(cli, _("the sheet is in %s: print it, both sign"), h->file);
    else
        output_line(cli, _("print the sheet above, both sign (-o FILE writes it)"));
    if (over->unsent && !device_is_township(&h->recording.self))
        hint_line(cli, _("next: sidan sync, so that what was not sent arrives"));
    return EXIT_OK;
}

static int hand_over(struct handing *h)
{
    bool followed = false;
    int code = write_sheet(h); /* first: a sheet of nothing is torn up, a missing one is missed */
    if (code) return code;
    code = record(h);
    if (code && h->file && file_remove(h->file) != OK)
        output_note(h->cli, _("%s is left: delete it, it is worth nothing"), h->file);
    if (!code) code = follow(h, &followed);
    return code ? code : tell(h, followed);
}

static int show(struct handing *h)
{
    if (h->cli->json) return output_json_end(handover_json(&h->over));
    int code = write_sheet(h);
    if (!code) hint_line(h->cli, _("nothing is recorded yet; next: sidan handover SUCCESSOR"));
    return code;
}

int cmd_handover(struct cli *cli)
{
    struct handing h = {.cli = cli, .file = cli_flag(cli, "-o")};
    bool records = cli_argument(cli, 0) != NULL;
    h.over = (struct handover){
        .cli = cli, .present = cli_flag(cli, "--present"), .note = cli_flag(cli, "--note")};
    int code = records ? recording_begin(cli, &h.recording) : cli_open_views(cli);
    if (!code) code = look(&h);
    if (!code) code = records ? hand_over(&h) : show(&h);
    act_clear(&h.act);
    handover_clear(&h.over);
    return code;
}
