/* `sidan courier take|give`: this laptop carries sealed files for others. */
#include "tools/commands.h"

#include "node/bundle_taking.h"
#include "node/courier.h"
#include "tools/couriers.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/recording.h"
#include "tools/stick.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM_MIN MIB(1)

struct carrying {
    struct cli *cli;
    struct recording recording;
    const char *from, *to; /* village codes; NULL: not said */
    bool to_said;
    int code; /* of the first that was refused */
    json_t *done, *imported;
    size_t count;
};

static void trouble(struct carrying *c, int code)
{
    if (!c->code) c->code = code;
}

/* --- what was said of it --- */

/* --to of the township: "hub" or "town". */
static int village_flag(struct carrying *c, const struct roster *roster, const char *flag,
                        const char **code)
{
    const char *text = cli_flag(c->cli, flag);
    const struct village *v;
    if (!text || strcmp(text, "hub") == 0 || strcmp(text, "town") == 0) return EXIT_OK;
    int found = lookup_village(c->cli, roster, text, &v);
    if (!found) *code = cli_format(c->cli, "%s", v->code);
    return found;
}

static int begin(struct carrying *c)
{
    struct txn *t;
    const struct roster *roster;
    int code = recording_begin(c->cli, &c->recording);
    if (!code) code = cli_open_settings(c->cli);
    if (code || (code = cli_begin(c->cli, &t))) return code;
    code = cli_roster(c->cli, t, &roster);
    if (!code) code = village_flag(c, roster, "--from", &c->from);
    if (!code) code = village_flag(c, roster, "--to", &c->to);
    c->to_said = cli_has(c->cli, "--to");
    txn_abort(t);
    c->done = json_array();
    c->imported = json_array();
    return code;
}

static void end(struct carrying *c)
{
    json_decref(c->done);
    json_decref(c->imported);
}

/* A village's devices say it to the township in their own scope, the township's among themselves.
 */
static struct scope own_scope(const struct carrying *c)
{
    return device_is_township(&c->recording.self) ? scope_office()
                                                  : scope_of_village(c->recording.self.village);
}

/* What this device carries, or carried, of a bundle; false: nothing was said of it. */
static int find_leg(struct carrying *c, const struct bundle_id *id, bool *found,
                    struct courier_leg *out)
{
    struct txn *t;
    const struct roster *roster;
    struct couriers all = {0};
    int code = cli_begin(c->cli, &t);
    if (code) return code;
    code = cli_roster(c->cli, t, &roster);
    if (!code) code = couriers_read(c->cli, t, roster, &all);
    *found = false;
    for (size_t i = 0; !code && i < all.count && !*found; i++) {
        const struct courier_leg *leg = &all.legs[i];
        if (!sign_key_equal(&leg->author, &c->recording.self.first)) continue;
        if (memcmp(leg->bundle.bytes, id->bytes, sizeof id->bytes) != 0) continue;
        *found = true;
        *out = *leg;
    }
    couriers_clear(&all);
    txn_abort(t);
    return code;
}

static void put_text(struct mp_map *body, const char *key, const char *text)
{
    if (!text) return;
    struct mp_writer w = mp_map_put(body, key);
    mp_write_str(&w, slice_of_text(text));
}

static int record(struct carrying *c, const char *kind, const struct thing_id *subject,
                  struct mp_map *body)
{
    struct buf bytes = {0};
    struct recorded recorded;
    struct draft draft = {
        .kind = kind, .scope = own_scope(c), .lane = LANE_NORMAL, .founding = !subject};
    enum err err = mp_map_end(body, &bytes);
    if (subject) draft.subject = *subject;
    draft.body = buf_slice(&bytes);
    int code = err ? cli_fail(c->cli, err, _("nothing was recorded"))
                   : recording_one(c->cli, &c->recording, &draft, &recorded);
    mp_map_clear(body);
    buf_clear(&bytes);
    return code;
}

static int record_taken(struct carrying *c, const struct courier_file *f)
{
    struct mp_map body = {0};
    struct mp_writer w = mp_map_put(&body, "bundle");
    mp_write_bin(&w, f->id.bytes, sizeof f->id.bytes);
    w = mp_map_put(&body, "size");
    mp_write_uint(&w, f->bytes);
    put_text(&body, "from", c->from);
    put_text(&body, "to", c->to);
    return record(c, "courier.taken", NULL, &body);
}

static int record_given(struct carrying *c, const struct thing_id *subject)
{
    struct mp_map body = {0};
    put_text(&body, "how", "stick");
    return record(c, "courier.given", subject, &body);
}

/* --- take --- */

static int refuse(struct carrying *c, const char *path, enum err err)
{
    struct cli *cli = c->cli;
    const char *what = cli_format(cli, _("\"%s\" was not taken along"), path);
    switch (err) {
    case ERR_MALFORMED:
    case ERR_CORRUPT:
        return cli_error(cli, EXIT_VERIFY_FAILED, what,
                         _("it is no file of sidan bundle export, or its beginning is damaged"),
                         _("copy the file again, or ask for a new one"));
    case ERR_VERSION:
        return cli_error(cli, EXIT_REFUSED, what, _("a newer sidan made it"),
                         _("install the newer sidan here first"));
    case ERR_LIMIT:
        return cli_error(cli, EXIT_REFUSED, what,
                         cli_format(cli, _("more than %u MiB would be carried"),
                                    (unsigned)cli->settings.courier_mib),
                         _("hand over what is carried (sidan courier give), or allow more: sidan "
                           "config set courier_mib MIB"));
    default:
        return cli_fail(cli, err, what);
    }
}

static int is_imported(struct carrying *c, const char *path, const struct bundle_taken *taken)
{
    struct cli *cli = c->cli;
    const uint64_t events = taken->fresh + taken->known + taken->refused;
    json_t *o = json_object();
    json_object_set_new(o, "file", json_string(path));
    json_object_set_new(o, "new", json_integer((json_int_t)taken->fresh));
    json_object_set_new(o, "known", json_integer((json_int_t)taken->known));
    json_object_set_new(o, "refused", json_integer((json_int_t)taken->refused));
    json_object_set_new(o, "damaged", json_boolean(taken->damaged));
    json_array_append_new(c->imported, o);
    if (!cli->json)
        output_line(cli,
                    _("\"%s\" is for this computer and was taken in: %" PRIu64 " records, "
                      "%" PRIu64 " new"),
                    path, events, taken->fresh);
    if (!taken->damaged && !taken->refused) return EXIT_OK;
    return cli_error(cli, taken->damaged ? EXIT_VERIFY_FAILED : EXIT_FAILED,
                     cli_format(cli, _("\"%s\" was taken in in part"), path), NULL,
                     cli_format(cli, _("sidan bundle import %s says more"), path));
}

/* What is for this device itself is not carried. Exit code, or -1: it is for somebody else. */
static int import(struct carrying *c, const char *path, int fd)
{
    struct cli *cli = c->cli;
    struct bundle_taken taken;
    const struct bundle_taking b = {.store = cli->store,
                                    .views = cli->views,
                                    .keys = &cli->keys,
                                    .wall_ms = c->recording.clock.wall_ms,
                                    .way = BUNDLE_BY_COURIER};
    enum err err = bundle_take(fd, &b, &taken);
    if (err == ERR_FOREIGN) return -1;
    return err ? refuse(c, path, err) : is_imported(c, path, &taken);
}

static void say_taken(struct carrying *c, const char *path, const struct courier_file *f)
{
    json_t *o = json_object();
    json_object_set_new(o, "file", json_string(path));
    json_object_set_new(o, "bundle", output_json_hex(f->id.bytes, sizeof f->id.bytes));
    json_object_set_new(o, "bytes", json_integer((json_int_t)f->bytes));
    json_object_set_new(o, "from", c->from ? json_string(c->from) : json_null());
    json_object_set_new(o, "to", c->to ? json_string(c->to) : json_null());
    json_array_append_new(c->done, o);
    c->count++;
    if (!c->cli->json)
        output_line(c->cli, _("taken along: %s, %s"), path, words_bytes(c->cli, f->bytes));
}

static int carry(struct carrying *c, const char *path, int fd)
{
    struct cli *cli = c->cli;
    struct courier_file f;
    struct courier_leg leg;
    bool noted;
    if (device_is_township(&c->recording.self) && !c->to_said)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" was not taken along"), path),
                         _("it is sealed for somebody else, and it is not said for whom"),
                         _("add --to VILLAGE"));
    enum err err = courier_keep(&f, cli->home, fd, MIB(cli->settings.courier_mib));
    if (err && err != ERR_EXISTS) return refuse(c, path, err);
    int code = find_leg(c, &f.id, &noted, &leg);
    if (!code && (!noted || leg.given_ms)) code = record_taken(c, &f);
    if (!code) say_taken(c, path, &f);
    return code;
}

static int take_one(struct carrying *c, const char *path)
{
    struct cli *cli = c->cli;
    int fd = -1;
    enum err err = stick_open(&fd, path, BUNDLE_SIZE_MAX);
    if (err == ERR_MALFORMED)
        return cli_error(cli, EXIT_VERIFY_FAILED,
                         cli_format(cli, _("\"%s\" was not taken along"), path),
                         _("it is a link, a folder or a device"), _("name the file itself"));
    if (err) return refuse(c, path, err);
    int code = import(c, path, fd);
    if (code < 0) code = carry(c, path, fd);
    close(fd);
    return code;
}

int cmd_courier_take(struct cli *cli)
{
    struct carrying c = {.cli = cli};
    int code = begin(&c);
    for (size_t i = 0; !code && i < cli->argument_count; i++)
        trouble(&c, take_one(&c, cli_argument(cli, i)));
    if (!code && cli->json) {
        json_t *o = output_json("sidan.courier.take/1");
        json_object_set(o, "taken", c.done);
        json_object_set(o, "imported", c.imported);
        code = output_json_end(o);
    } else if (!code && c.count) {
        hint_line(
            cli,
            _("next: with a link it goes over by itself (sidan sync); else, there: sidan courier "
              "give FOLDER"));
    }
    end(&c);
    return code ? code : c.code;
}

/* --- give --- */

static int fail_to_give(struct carrying *c, const char *name, enum err err)
{
    struct cli *cli = c->cli;
    const char *what = cli_format(cli, _("\"%s\" was not handed over"), name);
    switch (err) {
    case ERR_EXISTS:
        return cli_error(cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                         _("take that one off the stick"));
    case ERR_NOSPACE:
        return cli_error(cli, EXIT_FAILED, what, _("the stick is full"),
                         _("take away what is not needed, or take another stick"));
    case ERR_CORRUPT:
        return cli_error(cli, EXIT_FAILED, what,
                         _("read back from the stick it is not what was written"),
                         _("the stick is broken: take another"));
    default:
        return cli_fail(cli, err, what);
    }
}

/* The same file from an earlier time serves as well. */
static enum err is_there(const char *path, int fd)
{
    int there = -1;
    enum err err = stick_open(&there, path, BUNDLE_SIZE_MAX);
    if (err) return err;
    err = courier_compare(fd, there);
    close(there);
    return err == ERR_CORRUPT ? ERR_EXISTS : err;
}

static enum err copy_to(const char *folder, const char *name, int fd, uint64_t bytes)
{
    struct stick_file f;
    uint64_t copied;
    enum err err = stick_create(&f, folder, name, bytes + ROOM_MIN);
    if (err == ERR_EXISTS) return is_there(f.path, fd);
    if (err) return err;
    err = courier_copy(f.fd, fd, BUNDLE_SIZE_MAX, &copied);
    if (!err) err = courier_compare(fd, f.fd);
    if (err) {
        stick_abandon(&f);
        return err;
    }
    return stick_keep(&f);
}

static void say_given(struct carrying *c, const struct courier_file *f, const char *folder)
{
    json_t *o = json_object();
    const char *path = cli_format(c->cli, "%s/%s", folder, f->name);
    json_object_set_new(o, "file", json_string(path));
    json_object_set_new(o, "bundle", output_json_hex(f->id.bytes, sizeof f->id.bytes));
    json_object_set_new(o, "bytes", json_integer((json_int_t)f->bytes));
    json_array_append_new(c->done, o);
    c->count++;
    if (!c->cli->json)
        output_line(c->cli, _("handed over: %s, %s"), path, words_bytes(c->cli, f->bytes));
}

/* First the stick has it, then it is said, then it goes here: whatever ends this in between leaves
 * it in one place at least. */
static int give_file(struct carrying *c, const struct courier_file *f, int fd, const char *folder)
{
    struct courier_leg leg;
    bool noted;
    int code = find_leg(c, &f->id, &noted, &leg);
    if (code) return code;
    if (c->to_said && (!noted || strcmp(leg.to, c->to ? c->to : "") != 0)) return EXIT_OK;
    enum err err = copy_to(folder, f->name, fd, f->bytes);
    if (err) return fail_to_give(c, f->name, err);
    if (noted) code = record_given(c, &leg.key.thing);
    if (code) return code;
    err = cli_has(c->cli, "--copy") ? OK : courier_drop(c->cli->home, &f->id);
    if (err) return fail_to_give(c, f->name, err);
    say_given(c, f, folder);
    return EXIT_OK;
}

static int give_one(struct carrying *c, const struct courier_file *f, const char *folder)
{
    struct cli *cli = c->cli;
    int fd = -1;
    enum err err = f->damaged ? ERR_CORRUPT : courier_open(&fd, cli->home, &f->id);
    if (err == ERR_CORRUPT)
        return cli_error(cli, EXIT_VERIFY_FAILED,
                         cli_format(cli, _("\"%s\" was not handed over"), f->name),
                         _("it is damaged here"),
                         cli_format(cli,
                                    _("remove %s/courier/%s: its sender's next file holds "
                                      "the same again"),
                                    cli->home, f->name));
    if (err) return fail_to_give(c, f->name, err);
    int code = give_file(c, f, fd, folder);
    close(fd);
    return code;
}

static int check_folder(struct cli *cli, const char *folder)
{
    struct stat st;
    if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode)) return EXIT_OK;
    return cli_error(cli, EXIT_NOT_FOUND, _("nothing was handed over"),
                     cli_format(cli, _("\"%s\" is no folder"), folder),
                     _("put the stick in and name its folder"));
}

int cmd_courier_give(struct cli *cli)
{
    struct carrying c = {.cli = cli};
    struct courier_files all = {0};
    const char *folder = cli_argument(cli, 0);
    int code = check_folder(cli, folder);
    if (!code) code = begin(&c);
    enum err err = code ? OK : courier_list(&all, cli->home);
    if (err) code = cli_fail(cli, err, _("nothing was handed over"));
    for (size_t i = 0; !code && i < all.count; i++)
        trouble(&c, give_one(&c, &all.files[i], folder));
    if (!code && cli->json) {
        json_t *o = output_json("sidan.courier.give/1");
        json_object_set(o, "given", c.done);
        code = output_json_end(o);
    } else if (!code && !c.count && !c.code) {
        output_line(cli, _("nothing is carried here for that"));
    }
    courier_files_clear(&all);
    end(&c);
    return code ? code : c.code;
}
