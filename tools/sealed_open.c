#include "tools/sealed_open.h"

#include <string.h>

#include "node/office_key.h"
#include "tools/accusation.h"

static const char *hint(const struct sealed_opening *o)
{
    const struct kind *opened = kind_find(slice_of_text("sealed.opened"));
    return o->recording.self.roles & kind_roles(opened, SCOPE_OFFICE)
               ? _("the hub gives it once it runs; then: sidan sync")
               : _("a device with the role dispatch or office opens them");
}

static int open_office(struct sealed_opening *o)
{
    struct txn *t;
    const struct roster *roster;
    int code = cli_begin(o->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(o->cli, t, &roster);
    if (code == EXIT_OK) {
        enum err e = office_keys_open(t, roster, &o->cli->keys, &o->office);
        if (e == ERR_NOT_FOUND) {
            code = cli_error(o->cli, EXIT_REFUSED, _("this device cannot open sealed records"),
                             _("it was not given the office's key"), hint(o));
        } else if (e != OK) {
            code = cli_fail(o->cli, e, _("the office's key cannot be used"));
        }
    }
    txn_abort(t);
    return code;
}

int sealed_refuse_village(struct cli *cli)
{
    return cli_error(cli, EXIT_REFUSED, _("sealed records are for the township's office"),
                     _("this device belongs to a village"), NULL);
}

int sealed_open_begin(struct sealed_opening *o, struct cli *cli)
{
    *o = (struct sealed_opening){.cli = cli};
    int code = recording_begin(cli, &o->recording);
    if (code == EXIT_OK && !device_is_township(&o->recording.self)) {
        code = sealed_refuse_village(cli);
    }
    if (code == EXIT_OK) {
        code = open_office(o);
    }
    if (code == EXIT_OK) {
        enum err e = zstd_open(&o->z);
        code = e == OK ? EXIT_OK : cli_fail(cli, e, _("nothing was opened"));
    }
    return code;
}

void sealed_open_end(struct sealed_opening *o)
{
    office_keys_wipe(&o->office);
    seal_wipe(&o->box);
    seal_wipe(&o->content);
    seal_wipe(&o->body);
    zstd_close(o->z);
}

enum err sealed_founder(struct txn *t, const struct thing_key *key, struct event *out)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        enum err e = log_read(t, arrival, out);
        if (e != OK || out->founding) {
            return e;
        }
    }
    return ERR_NOT_FOUND;
}

/* What was recorded, in o->content. */
static enum err read_content(struct sealed_opening *o, struct txn *t, const struct thing_key *key,
                             struct seal_content *out)
{
    struct event e;
    struct mp_reader value;
    enum err err = sealed_founder(t, key, &e);
    buf_reset(&o->box);
    if (err == OK) {
        err = log_open_box(t, &e, &o->box);
    }
    if (err != OK) {
        return err;
    }
    if (e.box_state != BOX_HERE) {
        return ERR_NOT_FOUND;
    }
    if (!mp_map_get(e.box, "sealed", &value) || mp_peek(&value) != MP_BIN) {
        return ERR_MALFORMED;
    }
    struct slice sealed = mp_read_bin(&value, SIZE_MAX);
    enum err opened = ERR_SIGNATURE;
    for (size_t i = 0; i < o->office.count && opened == ERR_SIGNATURE; i++) {
        buf_reset(&o->content);
        opened =
            seal_open(&o->content, out, o->z, &o->office.keys[i], &o->office.secrets[i], sealed);
    }
    return opened;
}

static enum err body_with_number(struct sealed_opening *o, struct slice body, const char *number)
{
    struct buf value = {0};
    struct mp_writer w = {&value};
    mp_write_text(&w, number);
    buf_reset(&o->body);
    enum err e = mp_map_with(&o->body, body, "number", buf_slice(&value));
    buf_clear(&value);
    return e;
}

/* Only a registration is known to be sealed; it is judged before it gets a number. */
static enum err check(struct sealed_opening *o, const struct seal_content *content)
{
    const struct kind *kind = kind_find(content->kind);
    struct kind_problem problem;
    if (kind == NULL || strcmp(kind->name, "request.register") != 0) {
        return ERR_VERSION;
    }
    enum err e = body_with_number(o, content->body, ACCUSATION_NO_NUMBER);
    return e != OK ? e : kind_check(kind, buf_slice(&o->body), content->box, false, &problem);
}

static enum err add(struct sealed_opening *o, struct draft *draft, struct recorded *out)
{
    struct kind_problem problem;
    draft->scope = scope_office();
    draft->lane = LANE_NORMAL;
    draft->has_by = o->recording.has_by;
    draft->by = o->recording.by;
    return recorder_add(o->cli->recorder, draft, out, &problem);
}

static enum err register_request(struct sealed_opening *o, const struct seal_content *content,
                                 struct sealed_opened *out)
{
    struct draft draft = {.kind = "request.register", .founding = true, .box = content->box};
    struct recorded recorded;
    enum err e = accusation_number(o->cli, &o->recording, out->number);
    if (e == OK) {
        e = body_with_number(o, content->body, out->number);
    }
    if (e == OK) {
        draft.body = buf_slice(&o->body);
        e = add(o, &draft, &recorded);
    }
    if (e == OK) {
        out->request = recorded.subject;
    }
    return e;
}

static enum err mark_opened(struct sealed_opening *o, const struct seal_content *content,
                            const struct thing_key *key, const struct sealed_opened *opened)
{
    struct draft draft = {.kind = "sealed.opened", .subject = key->thing};
    struct recorded recorded;
    struct mp_map body = {0};
    struct buf bytes = {0};
    struct mp_writer w = mp_map_put(&body, "request");
    mp_write_bin(&w, opened->request.bytes, sizeof opened->request.bytes);
    w = mp_map_put(&body, "recorded");
    mp_write_uint(&w, HLC_MS(content->time));
    if (content->has_by) {
        w = mp_map_put(&body, "taken_by");
        mp_write_bin(&w, content->by.bytes, sizeof content->by.bytes);
    }
    enum err e = mp_map_end(&body, &bytes);
    if (e == OK) {
        draft.body = buf_slice(&bytes);
        e = add(o, &draft, &recorded);
    }
    mp_map_clear(&body);
    buf_clear(&bytes);
    return e;
}

static const char *reason(enum err e)
{
    switch (e) {
    case ERR_STATE:
        return N_("was opened already");
    case ERR_NOT_FOUND:
        return N_("its content is not held here");
    case ERR_SIGNATURE:
        return N_("it is not sealed to this township's office");
    case ERR_VERSION:
        return N_("it is of a later version of sidan");
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_RANGE:
        return N_("its content cannot be read");
    default:
        return NULL;
    }
}

static enum err read_sealed(struct sealed_opening *o, struct txn *t, const struct thing_key *key,
                            struct seal_content *content, const char **why)
{
    struct sealed sealed;
    enum err e = sealed_get(t, key, &sealed);
    if (e == OK && sealed.opened) {
        e = ERR_STATE;
    }
    if (e == OK) {
        e = read_content(o, t, key, content);
    }
    if (e == OK) {
        e = check(o, content);
    }
    *why = e != OK ? reason(e) : NULL;
    return e;
}

enum err sealed_open_try(struct sealed_opening *o, struct txn *t, const struct thing_key *key,
                         const char **why)
{
    struct seal_content content;
    return read_sealed(o, t, key, &content, why);
}

enum err sealed_open_one(struct sealed_opening *o, const struct thing_key *key,
                         struct sealed_opened *out, const char **why)
{
    struct seal_content content;
    enum err e = read_sealed(o, recorder_txn(o->cli->recorder), key, &content, why);
    if (e != OK) {
        return e;
    }
    e = register_request(o, &content, out);
    return e == OK ? mark_opened(o, &content, key, out) : e;
}
