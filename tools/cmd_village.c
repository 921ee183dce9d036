#include "tools/authority.h"
#include "tools/commands.h"
#include "tools/founding.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/recording.h"

#include <stdlib.h>
#include <string.h>

#define WHAT _("the list of villages was not changed")

/* What the authority is to sign. */
struct changing {
    struct cli *cli;
    const struct roster *roster;
    struct township_village *villages; /* to add */
    size_t count;
    struct act act; /* a renaming or closing */
    const char *name;
};

static int refuse(struct changing *c, enum exit_code code, const char *why, const char *todo)
{
    return cli_error(c->cli, code, WHAT, why, todo);
}

/* --- add --- */

static bool copy(char *out, size_t size, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

/* One village from the line. The short name is the name without 村 or 社区 and what follows it. */
static int village_of_line(struct changing *c)
{
    struct cli *cli = c->cli;
    const char *code = cli_argument(cli, 0), *name = cli_argument(cli, 1);
    const char *type = cli_flag(cli, "--type"), *short_name = cli_flag(cli, "--short-name");
    if (code == NULL || name == NULL || cli_flag(cli, "--pinyin") == NULL || short_name == NULL) {
        return cli_error(cli, EXIT_USAGE, _("the village is not fully named"), NULL,
                         _("sidan village add CODE NAME --short-name TEXT --pinyin TEXT, or "
                           "sidan village add --villages FILE"));
    }
    c->villages = calloc(1, sizeof *c->villages);
    if (c->villages == NULL) {
        return cli_fail(cli, ERR_NOMEM, WHAT);
    }
    struct township_village *v = c->villages;
    c->count = 1;
    if (copy(v->village.code, sizeof v->village.code, code) &&
        copy(v->village.name, sizeof v->village.name, name) &&
        copy(v->village.short_name, sizeof v->village.short_name, short_name) &&
        copy(v->village.pinyin, sizeof v->village.pinyin, cli_flag(cli, "--pinyin")) &&
        copy(v->type, sizeof v->type, type != NULL ? type : "village")) {
        return EXIT_OK;
    }
    return cli_error(cli, EXIT_USAGE, WHAT, _("a name is too long, or the code has not 12 digits"),
                     NULL);
}

/* New ones are numbered on; a code or a number is never given twice. */
static int number_villages(struct changing *c)
{
    uint32_t greatest = 0;
    size_t bad;
    const char *why;
    for (size_t i = 0; i < c->roster->village_count; i++) {
        uint32_t number = c->roster->villages[i].number;
        greatest = number > greatest ? number : greatest;
    }
    for (size_t i = 0; i < c->count; i++) {
        struct village *v = &c->villages[i].village;
        v->number = greatest + (uint32_t)i + 1;
        if (roster_village(c->roster, v->code) != NULL) {
            return refuse(c, EXIT_REFUSED,
                          cli_format(c->cli, _("%s is in the list already"), v->code),
                          _("another name: sidan village rename"));
        }
    }
    if (township_villages_check(c->villages, c->count, &bad, &why) != OK) {
        return refuse(c, EXIT_USAGE,
                      cli_format(c->cli, "%s: %s", c->villages[bad].village.code, _(why)),
                      _("columns: code,name,short_name,pinyin,kind (village or community)"));
    }
    return EXIT_OK;
}

static int record_villages(struct changing *c)
{
    struct buf *bodies = calloc(c->count, sizeof *bodies);
    struct draft *drafts = calloc(c->count, sizeof *drafts);
    enum err e = bodies != NULL && drafts != NULL ? OK : ERR_NOMEM;
    for (size_t i = 0; e == OK && i < c->count; i++) {
        e = township_village_write(&bodies[i], &c->villages[i]);
        drafts[i] =
            (struct draft){.kind = "village.put", .founding = true, .body = buf_slice(&bodies[i])};
    }
    int code =
        e == OK ? authority_record(c->cli, WHAT, drafts, c->count) : cli_fail(c->cli, e, WHAT);
    for (size_t i = 0; bodies != NULL && i < c->count; i++) {
        buf_clear(&bodies[i]);
    }
    free(bodies);
    free(drafts);
    return code;
}

static int add(struct changing *c)
{
    const char *path = cli_flag(c->cli, "--villages");
    int code = path != NULL ? founding_read_villages(c->cli, path, &c->villages, &c->count)
                            : village_of_line(c);
    if (code == EXIT_OK) {
        code = number_villages(c);
    }
    return code == EXIT_OK ? record_villages(c) : code;
}

/* --- rename and close --- */

static int put(struct changing *c, const char *field, const char *text)
{
    struct act_problem problem;
    enum err e = act_put(&c->act, field, slice_of_text(text), &problem);
    if (e == ERR_RANGE) {
        return recording_refused(c->cli, &problem);
    }
    return e == OK ? EXIT_OK : cli_fail(c->cli, e, WHAT);
}

/* What is not said stays as it is. */
static int put_names(struct changing *c, const struct village *v)
{
    const char *names[3][2] = {
        {"name", v->name}, {"short_name", v->short_name}, {"pinyin", v->pinyin}};
    static const char *const flags[] = {"--name", "--short-name", "--pinyin"};
    bool said = false;
    int code = EXIT_OK;
    for (size_t i = 0; code == EXIT_OK && i < 3; i++) {
        const char *given = cli_flag(c->cli, flags[i]);
        said = said || given != NULL;
        code = put(c, names[i][0], given != NULL ? given : names[i][1]);
    }
    if (code == EXIT_OK && !said) {
        return cli_error(c->cli, EXIT_USAGE, _("no new name was given"), NULL,
                         _("add --name, --short-name or --pinyin"));
    }
    return code;
}

static int act_on(struct changing *c, const char *kind)
{
    const struct village *v;
    struct act_problem problem;
    struct draft draft = {0};
    bool closing = strcmp(kind, "village.closed") == 0;
    int code = lookup_village(c->cli, c->roster, cli_argument(c->cli, 0), &v);
    if (code != EXIT_OK) {
        return code;
    }
    c->name = cli_format(c->cli, "%s", v->short_name);
    if (v->closed) {
        return refuse(c, EXIT_REFUSED, cli_format(c->cli, _("%s is closed already"), c->name),
                      NULL);
    }
    act_begin(&c->act, kind_find(slice_of_text(kind)));
    const char *reason = cli_flag(c->cli, "--reason");
    if (closing && reason == NULL) {
        return cli_error(c->cli, EXIT_USAGE, _("the reason is missing"), NULL,
                         _("add --reason TEXT"));
    }
    code = closing ? put(c, "reason", reason) : put_names(c, v);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = act_end(&c->act, &draft, &problem);
    if (e != OK) {
        return e == ERR_RANGE ? recording_refused(c->cli, &problem) : cli_fail(c->cli, e, WHAT);
    }
    draft.subject = v->thing;
    return authority_record(c->cli, WHAT, &draft, 1);
}

/* --- the verb --- */

static int told(struct changing *c, const char *verb)
{
    struct cli *cli = c->cli;
    if (cli->json) {
        json_t *o = output_json("sidan.villages/1"), *codes = json_array();
        for (size_t i = 0; i < c->count; i++) {
            json_array_append_new(codes, json_string(c->villages[i].village.code));
        }
        json_object_set_new(o, "added", codes);
        return output_json_end(o);
    }
    if (strcmp(verb, "add") == 0) {
        for (size_t i = 0; i < c->count; i++) {
            const struct village *v = &c->villages[i].village;
            output_line(cli, _("added: %s %s, number %u"), v->code, v->name, v->number);
        }
        hint_line(cli, _("next: sidan invite %s"), c->villages[0].village.short_name);
    } else if (strcmp(verb, "close") == 0) {
        output_line(cli, _("%s is closed; what is recorded there stays"), c->name);
    } else {
        output_line(cli, _("%s is renamed"), c->name);
    }
    return EXIT_OK;
}

static int change(struct changing *c, const char *verb)
{
    struct txn *t;
    int code = cli_begin(c->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = authority_ready(c->cli, t, WHAT);
    if (code == EXIT_OK) {
        code = cli_roster(c->cli, t, &c->roster);
    }
    txn_abort(t);
    if (code != EXIT_OK) {
        return code;
    }
    return strcmp(verb, "add") == 0     ? add(c)
           : strcmp(verb, "close") == 0 ? act_on(c, "village.closed")
                                        : act_on(c, "village.renamed");
}

int cmd_village(struct cli *cli)
{
    struct changing c = {.cli = cli};
    const char *verb = strchr(cli->command->name, ' ') + 1;
    int code = cli_open_store_writable(cli);
    if (code == EXIT_OK) {
        code = cli_open_keys(cli);
    }
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = change(&c, verb);
    }
    if (code == EXIT_OK) {
        code = told(&c, verb);
    }
    free(c.villages);
    act_clear(&c.act);
    return code;
}
