/* `sidan bundle export|import|show`: what a stick carries where no link is. */
#include "tools/commands.h"

#include "common/time.h"
#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "node/clock.h"
#include "node/township.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/stick.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define ROOM_MIN MIB(1)

static int open_node(struct cli *cli)
{
    int code = cli_open_keys(cli);
    if (!code) code = cli_open_store_writable(cli);
    return code ? code : cli_open_views(cli);
}

/* --- export --- */

struct exporting {
    struct cli *cli;
    const char *what;
    struct bundle_making making;
    struct bundle_made made;
    const char *to; /* for people */
};

static struct exporting exporting_of(struct cli *cli)
{
    return (struct exporting){
        .cli = cli,
        .what = _("no file was written"),
        .making = {.store = cli->store, .views = cli->views, .keys = &cli->keys}};
}

static int to_device(struct exporting *e, const struct device *d)
{
    struct cli *cli = e->cli;
    if (d->state != DEVICE_JOINED)
        return cli_error(cli, EXIT_REFUSED, e->what,
                         cli_format(cli, _("%s has not joined, or was revoked"), d->name),
                         _("sidan devices lists those that have joined"));
    if (sign_key_equal(&d->first, &store_identity(cli->store)->device))
        return cli_error(cli, EXIT_USAGE, e->what, _("it would be for this device itself"),
                         _("name another: --to NODE"));
    e->making.to = d->first;
    e->to = cli_format(cli, "%s", d->name);
    return EXIT_OK;
}

/* Of a village with two devices one is to be named: each has its own key. */
static int to_village(struct exporting *e, const struct roster *roster, const struct village *v)
{
    struct cli *cli = e->cli;
    const struct device *found = NULL;
    const char *names = "";
    size_t count = 0;
    for (size_t i = 0; i < roster->device_count; i++) {
        const struct device *d = &roster->devices[i];
        if (d->state != DEVICE_JOINED || strcmp(d->village, v->code) != 0) continue;
        names = cli_format(cli, count++ ? "%s, %s" : "%s%s", names, d->name);
        found = d;
    }
    if (count > 1)
        return cli_error(cli, EXIT_USAGE, e->what,
                         cli_format(cli, _("%s has several devices: %s"), v->short_name, names),
                         _("name one of them: --to DEVICE"));
    if (!found)
        return cli_error(cli, EXIT_NOT_FOUND, e->what,
                         cli_format(cli, _("%s has no device yet"), v->short_name),
                         _("its first one joins with sidan join INVITE --offline"));
    return to_device(e, found);
}

static int to_township(struct exporting *e, const struct roster *roster)
{
    const struct device *hub = roster_hub(roster);
    int code = hub ? to_device(e, hub) : cli_fail(e->cli, ERR_NOT_FOUND, e->what);
    e->making.to_township = true;
    e->to = _("the township");
    return code;
}

/* The caller ends the transaction, where this succeeds. */
static int begin_export(struct exporting *e, struct txn **t, const struct roster **roster,
                        const struct device **self)
{
    struct clock_reading clock;
    int code = cli_begin(e->cli, t);
    if (code) return code;
    clock_read(*t, &clock);
    e->making.wall_ms = clock.wall_ms;
    e->making.time_trusted = clock.trusted;
    code = cli_roster(e->cli, *t, roster);
    if (!code) code = cli_self(e->cli, *roster, self);
    if (code) txn_abort(*t);
    return code;
}

static int find_receiver(struct exporting *e)
{
    struct cli *cli = e->cli;
    const char *named = cli_flag(cli, "--to");
    const struct roster *roster;
    const struct device *self, *d;
    const struct village *v;
    struct txn *t;
    int code = begin_export(e, &t, &roster, &self);
    if (code) return code;
    if (!named && device_is_township(self))
        code = cli_error(cli, EXIT_USAGE, e->what, _("it is not said for whom"),
                         _("sidan bundle export --to VILLAGE"));
    else if (!named)
        code = to_township(e, roster);
    else if (township_find_village(roster, slice_of_text(named), &v) == OK)
        code = to_village(e, roster, v);
    else if (!(code = lookup_device(cli, roster, named, &d)))
        code = to_device(e, d);
    txn_abort(t);
    return code;
}

/* Tells nothing of who it is from or for. */
static const char *file_name(struct cli *cli)
{
    uint8_t id[4];
    char hex[2 * sizeof id + 1];
    crypto_random(id, sizeof id);
    hex_encode(hex, id, sizeof id);
    return cli_format(cli, "%s.sidan", hex);
}

static int fail_to_write(struct exporting *e, enum err err, const char *path)
{
    struct cli *cli = e->cli;
    const char *what = cli_format(cli, _("\"%s\" was not written"), path);
    if (err == ERR_EXISTS)
        return cli_error(cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                         _("name another file"));
    if (err == ERR_CORRUPT)
        return cli_error(cli, EXIT_FAILED, what,
                         _("read back from the stick it is not what was written"),
                         _("the stick is broken: take another"));
    if (err == ERR_NOSPACE)
        return cli_error(cli, EXIT_FAILED, what, _("the stick is full"),
                         _("take away what is not needed, or take another stick"));
    if (err == ERR_MALFORMED)
        return cli_error(cli, EXIT_REFUSED, what, _("its receiver has no key to seal to"), NULL);
    return cli_fail(cli, err, what);
}

static int write_file(struct exporting *e, const char *path, const char **written)
{
    struct stick_file f;
    enum err err = stick_create(&f, path, file_name(e->cli), ROOM_MIN);
    if (err) return fail_to_write(e, err, path);
    e->making.read_back = true;
    err = bundle_make(f.fd, &e->making, &e->made);
    if (err)
        stick_abandon(&f);
    else
        err = stick_keep(&f);
    if (err) return fail_to_write(e, err, path);
    *written = cli_format(e->cli, "%s", f.path);
    return EXIT_OK;
}

static int write_stdout(struct exporting *e)
{
    enum err err = bundle_make(STDOUT_FILENO, &e->making, &e->made);
    return err ? fail_to_write(e, err, "-") : EXIT_OK;
}

static json_t *made_json(const struct exporting *e, const char *file)
{
    json_t *o = output_json("sidan.bundle.export/1");
    json_object_set_new(o, "to", json_string(e->to));
    json_object_set_new(o, "number", json_integer((json_int_t)e->made.number));
    json_object_set_new(o, "events", json_integer((json_int_t)e->made.events));
    json_object_set_new(o, "bytes", json_integer((json_int_t)e->made.bytes));
    json_object_set_new(o, "left", json_integer((json_int_t)e->made.left));
    json_object_set_new(o, "file", file ? json_string(file) : json_null());
    return o;
}

static void say_made(const struct exporting *e, const char *file)
{
    struct cli *cli = e->cli;
    output_line(cli, _("written for %s: %" PRIu64 " records, %s"), e->to, e->made.events,
                words_bytes(cli, e->made.bytes));
    output_line(cli, _("read back and compared; the stick may be taken out: %s"), file);
    if (e->made.left)
        output_line(cli, _("%" PRIu64 " records did not fit or cannot be read: sidan doctor"),
                    e->made.left);
}

static int export_to(struct exporting *e)
{
    struct cli *cli = e->cli;
    const char *path = cli_flag(cli, "-o"), *file = NULL;
    if (path && strcmp(path, "-") == 0) return write_stdout(e);
    int code = write_file(e, path ? path : ".", &file);
    if (code) return code;
    if (cli->json) return output_json_end(made_json(e, file));
    say_made(e, file);
    output_line(cli, _("next, there: sidan bundle import %s"), file);
    return EXIT_OK;
}

int cmd_bundle_export(struct cli *cli)
{
    int code = open_node(cli);
    if (code) return code;
    struct exporting e = exporting_of(cli);
    code = find_receiver(&e);
    return code ? code : export_to(&e);
}

/* --- import and show --- */

struct importing {
    struct cli *cli;
    const char *path, *what;
    struct bundle_taken taken;
    const char *from; /* its maker's name */
};

static int fail_to_read(const struct importing *i, enum err err)
{
    struct cli *cli = i->cli;
    switch (err) {
    case ERR_MALFORMED:
        return cli_error(cli, EXIT_VERIFY_FAILED, i->what,
                         _("it is no file of sidan bundle export, or its beginning is damaged"),
                         _("copy the file again, or ask for a new one"));
    case ERR_VERSION:
        return cli_error(cli, EXIT_REFUSED, i->what, _("a newer sidan made it"),
                         _("install the newer sidan here first"));
    case ERR_FOREIGN:
        return cli_error(cli, EXIT_REFUSED, i->what, _("it is sealed for somebody else"),
                         _("carry it on to whom it is for; nothing is wrong with it"));
    case ERR_LIMIT:
        return cli_error(cli, EXIT_REFUSED, i->what, _("it is longer than such a file can be"),
                         _("ask for a new one"));
    case ERR_CORRUPT:
        return cli_error(cli, EXIT_VERIFY_FAILED, i->what,
                         _("it is damaged right at its beginning"),
                         _("copy the file again, or ask for a new one"));
    default:
        return cli_fail(cli, err, i->what);
    }
}

static int take(struct importing *i, bool look)
{
    struct cli *cli = i->cli;
    struct txn *t;
    struct clock_reading clock;
    const struct roster *roster;
    int fd = -1;
    enum err err = stick_open(&fd, i->path, BUNDLE_SIZE_MAX);
    if (err == ERR_NOT_FOUND || err == ERR_PERMISSION) return cli_fail(cli, err, i->what);
    if (err == ERR_MALFORMED)
        return cli_error(cli, EXIT_VERIFY_FAILED, i->what, _("it is a link, a folder or a device"),
                         _("name the file itself"));
    if (err) return fail_to_read(i, err);
    int code = cli_begin(cli, &t);
    if (!code) {
        clock_read(t, &clock);
        txn_abort(t);
        const struct bundle_taking taking = {.store = cli->store,
                                             .views = cli->views,
                                             .keys = &cli->keys,
                                             .wall_ms = clock.wall_ms,
                                             .look = look};
        err = bundle_take(fd, &taking, &i->taken);
        code = err ? fail_to_read(i, err) : EXIT_OK;
    }
    close(fd);
    if (code || (code = cli_begin(cli, &t))) return code;
    code = cli_roster(cli, t, &roster);
    if (!code) i->from = lookup_device_name(cli, roster, &i->taken.head.from);
    txn_abort(t);
    return code;
}

static uint64_t events_of(const struct bundle_taken *b)
{
    return b->fresh + b->known + b->refused;
}

static json_t *taken_json(const struct importing *i, const char *name)
{
    const struct bundle_taken *b = &i->taken;
    json_t *o = output_json(name);
    json_object_set_new(o, "from", json_string(i->from));
    json_object_set_new(o, "device",
                        output_json_hex(b->head.from.bytes, sizeof b->head.from.bytes));
    json_object_set_new(o, "verified", json_boolean(b->verified));
    json_object_set_new(o, "number", json_integer((json_int_t)b->head.number));
    json_object_set_new(o, "made", json_integer((json_int_t)b->time_ms));
    json_object_set_new(o, "bytes", json_integer((json_int_t)b->bytes));
    json_object_set_new(o, "events", json_integer((json_int_t)events_of(b)));
    json_object_set_new(o, "new", json_integer((json_int_t)b->fresh));
    json_object_set_new(o, "known", json_integer((json_int_t)b->known));
    json_object_set_new(o, "refused", json_integer((json_int_t)b->refused));
    json_object_set_new(o, "receipts", json_integer((json_int_t)b->receipts));
    json_object_set_new(o, "damaged", json_boolean(b->damaged));
    return o;
}

/* What was not taken, and why. */
static int verdict(struct importing *i)
{
    struct cli *cli = i->cli;
    const struct bundle_taken *b = &i->taken;
    const struct roster *roster;
    struct txn *t;
    struct buf feed = {0};
    if (b->damaged)
        return cli_error(cli, EXIT_VERIFY_FAILED, i->what,
                         cli_format(cli,
                                    _("it is damaged or cut short after %" PRIu64 " records;"
                                      " those before are taken in"),
                                    events_of(b)),
                         _("copy the file again from where it was made; what is here already does"
                           " no harm"));
    if (!b->refused) return EXIT_OK;
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = cli_roster(cli, t, &roster);
    if (!code && b->refused_named) lookup_feed_print_short(&feed, roster, &b->refused_feed);
    txn_abort(t);
    const char *why = b->why == ERR_BASE || b->why == ERR_UNKNOWN_AUTHOR
                          ? _("what comes before them is not here")
                          : cli_err_text(b->why);
    const char *todo = b->why == ERR_BASE || b->why == ERR_UNKNOWN_AUTHOR
                           ? _("answer with a file of your own (--reply): the next one from there"
                               " begins where it is needed")
                           : _("tell the township's admin; the others are taken in");
    if (!code)
        code = cli_error(cli, EXIT_FAILED,
                         cli_format(cli, _("%" PRIu64 " of %" PRIu64 " records were not taken in"),
                                    b->refused, events_of(b)),
                         b->refused_named ? cli_format(cli, "%s: %s", buf_text(&feed), why) : why,
                         todo);
    buf_clear(&feed);
    return code;
}

/* A file for its maker, in the folder of the one that came. */
static int find_maker(struct exporting *e, const struct importing *i)
{
    struct cli *cli = e->cli;
    const struct roster *roster;
    const struct device *self;
    struct txn *t;
    int code = begin_export(e, &t, &roster, &self);
    if (code) return code;
    const struct device *from = roster_device(roster, &i->taken.head.from);
    if (from)
        code = to_device(e, from);
    else
        code = cli_error(cli, EXIT_REFUSED, e->what, _("its maker is not in the roster"), NULL);
    e->making.to_township = from && device_is_township(from) && !device_is_township(self);
    txn_abort(t);
    return code;
}

static int reply(const struct importing *i, const char **file)
{
    char folder[PATH_MAX];
    struct exporting e = exporting_of(i->cli);
    int code = find_maker(&e, i);
    if (code) return code;
    const char *slash = strrchr(i->path, '/');
    int size = slash == i->path ? 1 : slash ? (int)(slash - i->path) : 0;
    snprintf(folder, sizeof folder, "%.*s", size ? size : 1, size ? i->path : ".");
    code = write_file(&e, folder, file);
    if (code || i->cli->json) return code;
    say_made(&e, *file);
    output_line(i->cli, _("take the stick back there: sidan bundle import %s"), *file);
    return EXIT_OK;
}

static void say_taken(const struct importing *i, bool look)
{
    struct cli *cli = i->cli;
    const struct bundle_taken *b = &i->taken;
    uint64_t now_ms = clock_machine_ms();
    output_line(cli, _("from %s, made %s%s"), i->from, words_moment(cli, b->time_ms, now_ms),
                b->verified ? "" : _(" (its signature cannot be checked here)"));
    output_line(
        cli,
        look ? _("%" PRIu64 " records: %" PRIu64 " would be new, %" PRIu64 " are here already")
             : _("%" PRIu64 " records: %" PRIu64 " new, %" PRIu64 " were here already"),
        events_of(b), b->fresh, b->known);
    if (b->receipts)
        output_line(cli, _("%" PRIu64 " receipts: what was sent has arrived there"), b->receipts);
}

int cmd_bundle_import(struct cli *cli)
{
    struct importing i = {.cli = cli, .path = cli_argument(cli, 0)};
    const char *file = NULL;
    i.what = cli_format(cli, _("\"%s\" was not taken in"), i.path);
    int code = open_node(cli);
    if (!code) code = take(&i, false);
    if (code) return code;
    if (!cli->json) say_taken(&i, false);
    int answered = cli_has(cli, "--reply") ? reply(&i, &file) : EXIT_OK;
    if (cli->json) {
        json_t *o = taken_json(&i, "sidan.bundle.import/1");
        json_object_set_new(o, "reply", file ? json_string(file) : json_null());
        (void)output_json_end(o);
    }
    code = verdict(&i);
    return code ? code : answered;
}

int cmd_bundle_show(struct cli *cli)
{
    struct importing i = {.cli = cli, .path = cli_argument(cli, 0)};
    i.what = cli_format(cli, _("\"%s\" cannot be shown"), i.path);
    int code = open_node(cli);
    if (!code) code = take(&i, true);
    if (code) return code;
    if (cli->json) return output_json_end(taken_json(&i, "sidan.bundle.show/1"));
    say_taken(&i, true);
    return i.taken.damaged ? verdict(&i) : EXIT_OK;
}
