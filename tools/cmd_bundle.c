/* `sidan bundle export|import|show`: what a stick carries where no link is. */
#include "tools/commands.h"

#include "common/time.h"
#include "node/bundle_taking.h"
#include "node/clock.h"
#include "node/township.h"
#include "tools/packing.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/stick.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define SPLIT_MIB_MAX 3072u

static int open_node(struct cli *cli)
{
    int code = cli_open_keys(cli);
    if (!code) code = cli_open_store_writable(cli);
    return code ? code : cli_open_views(cli);
}

/* --- export --- */

/* Of a village with two devices one is to be named: each has its own key. */
static int to_village(struct packing *e, const struct roster *roster, const struct village *v)
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
    return packing_to(e, found);
}

static int to_township(struct packing *e, const struct roster *roster)
{
    const struct device *hub = roster_hub(roster);
    int code = hub ? packing_to(e, hub) : cli_fail(e->cli, ERR_NOT_FOUND, e->what);
    e->making.to_township = true;
    e->to = _("the township");
    return code;
}

static int find_receiver(struct packing *e)
{
    struct cli *cli = e->cli;
    const char *named = cli_flag(cli, "--to");
    const struct roster *roster;
    const struct device *self, *d;
    const struct village *v;
    struct txn *t;
    int code = packing_begin(e, &t, &roster, &self);
    if (code) return code;
    if (!named && device_is_township(self))
        code = cli_error(cli, EXIT_USAGE, e->what, _("it is not said for whom"),
                         _("sidan bundle export --to VILLAGE"));
    else if (!named)
        code = to_township(e, roster);
    else if (township_find_village(roster, slice_of_text(named), &v) == OK)
        code = to_village(e, roster, v);
    else if (!(code = lookup_device(cli, roster, named, &d)))
        code = packing_to(e, d);
    txn_abort(t);
    return code;
}

static json_t *made_json(const struct packing *e)
{
    const char *file = packing_file(e, 0);
    json_t *o = output_json("sidan.bundle.export/1");
    json_object_set_new(o, "to", json_string(e->to));
    json_object_set_new(o, "number", json_integer((json_int_t)e->made.number));
    json_object_set_new(o, "events", json_integer((json_int_t)e->made.events));
    json_object_set_new(o, "bytes", json_integer((json_int_t)e->made.bytes));
    json_object_set_new(o, "left", json_integer((json_int_t)e->made.left));
    json_object_set_new(o, "file", file ? json_string(file) : json_null());
    json_object_set(o, "files", e->files);
    return o;
}

static int export_to(struct packing *e)
{
    struct cli *cli = e->cli;
    const char *path = cli_flag(cli, "-o");
    uint64_t split = 0;
    int code = cli_flag_uint(cli, "--split", 1, SPLIT_MIB_MAX, &split);
    if (code) return code;
    e->making.size_max = MIB(split);
    if (path && strcmp(path, "-") == 0) return packing_write_stdout(e);
    code = packing_write(e, path ? path : ".");
    if (code) return code;
    if (cli->json) return output_json_end(made_json(e));
    packing_say(e);
    output_line(cli, _("next, there: sidan bundle import %s"), packing_file(e, 0));
    return EXIT_OK;
}

int cmd_bundle_export(struct cli *cli)
{
    int code = open_node(cli);
    if (code) return code;
    struct packing e = packing_of(cli);
    code = find_receiver(&e);
    if (!code) code = export_to(&e);
    packing_end(&e);
    return code;
}

/* --- import and show --- */

struct importing {
    struct cli *cli;
    const char *path, *what;
    bool look; /* stores nothing */
    struct bundle_taken taken;
    const char *from;      /* its maker's name */
    const char *two_faced; /* a hub's name, where it brought the proof; NULL */
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

/* What can be seen of it without its key. */
static int tell_foreign(const struct importing *i, int fd)
{
    if (lseek(fd, 0, SEEK_SET) != 0 || bundle_shape(fd) != OK)
        return cli_error(i->cli, EXIT_VERIFY_FAILED, i->what,
                         _("it is sealed for somebody else, and damaged or cut short"),
                         _("copy the file again from where it was made"));
    return cli_error(i->cli, EXIT_REFUSED, i->what, _("it is sealed for somebody else"),
                     _("carry it on to whom it is for; nothing is wrong with it"));
}

static int take(struct importing *i)
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
                                             .look = i->look};
        err = bundle_take(fd, &taking, &i->taken);
        code = err == ERR_FOREIGN ? tell_foreign(i, fd) : err ? fail_to_read(i, err) : EXIT_OK;
    }
    close(fd);
    if (code || (code = cli_begin(cli, &t))) return code;
    code = cli_roster(cli, t, &roster);
    if (!code) i->from = lookup_device_name(cli, roster, &i->taken.head.from);
    if (!code && i->taken.two_faces)
        i->two_faced = lookup_device_name(cli, roster, &i->taken.two_faced);
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
    json_object_set_new(o, "two_faces", i->two_faced ? json_string(i->two_faced) : json_null());
    return o;
}

/* --- what is wrong with it --- */

static int tell_damage(struct importing *i)
{
    struct cli *cli = i->cli;
    const uint64_t events = events_of(&i->taken);
    const char *why =
        i->look ? cli_format(cli, _("it is damaged or cut short after %" PRIu64 " records"), events)
                : cli_format(cli,
                             _("it is damaged or cut short after %" PRIu64 " records;"
                               " those before are taken in"),
                             events);
    return cli_error(cli, EXIT_VERIFY_FAILED, i->what, why,
                     _("copy the file again from where it was made; what is here already does"
                       " no harm"));
}

/* Of the first run that was not taken. */
static int tell_refused(struct importing *i, enum exit_code failed)
{
    struct cli *cli = i->cli;
    const struct bundle_taken *b = &i->taken;
    const bool comes_later = b->why == ERR_BASE || b->why == ERR_UNKNOWN_AUTHOR;
    const struct roster *roster;
    struct txn *t;
    struct buf feed = {0};
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = cli_roster(cli, t, &roster);
    if (!code && b->refused_named) lookup_feed_print_short(&feed, roster, &b->refused_feed);
    txn_abort(t);
    const char *why = comes_later ? _("what comes before them is not here") : cli_err_text(b->why);
    const char *what =
        cli_format(cli,
                   i->look ? _("%" PRIu64 " of %" PRIu64 " records cannot be taken in")
                           : _("%" PRIu64 " of %" PRIu64 " records were not taken in"),
                   b->refused, events_of(b));
    const char *todo = _("tell the township's admin; the others are taken in");
    if (i->look) todo = _("tell the township's admin; the others are good");
    if (comes_later)
        todo = _("if it is one of several files, take in those before it and then it"
                 " again; else answer with a file of your own (--reply): the next"
                 " one from there begins where it is needed");
    if (b->refused_named) why = cli_format(cli, "%s: %s", buf_text(&feed), why);
    if (!code) code = cli_error(cli, failed, what, why, todo);
    buf_clear(&feed);
    return code;
}

/* A file for its maker, in the folder of the one that came. */
static int find_maker(struct packing *e, const struct importing *i)
{
    struct cli *cli = e->cli;
    const struct roster *roster;
    const struct device *self;
    struct txn *t;
    int code = packing_begin(e, &t, &roster, &self);
    if (code) return code;
    const struct device *from = roster_device(roster, &i->taken.head.from);
    if (from)
        code = packing_to(e, from);
    else
        code = cli_error(cli, EXIT_REFUSED, e->what, _("its maker is not in the roster"), NULL);
    e->making.to_township = from && device_is_township(from) && !device_is_township(self);
    txn_abort(t);
    return code;
}

static int reply(const struct importing *i, struct packing *e)
{
    char folder[PATH_MAX];
    int code = find_maker(e, i);
    if (code) return code;
    const char *slash = strrchr(i->path, '/');
    int size = slash == i->path ? 1 : slash ? (int)(slash - i->path) : 0;
    snprintf(folder, sizeof folder, "%.*s", size ? size : 1, size ? i->path : ".");
    code = packing_write(e, folder);
    if (code || i->cli->json) return code;
    packing_say(e);
    output_line(i->cli, _("take the stick back there: sidan bundle import %s"), packing_file(e, 0));
    return EXIT_OK;
}

static void say_taken(const struct importing *i)
{
    struct cli *cli = i->cli;
    const struct bundle_taken *b = &i->taken;
    uint64_t now_ms = clock_machine_ms();
    output_line(cli, _("from %s, made %s%s"), i->from, words_moment(cli, b->time_ms, now_ms),
                b->verified ? "" : _(" (its signature cannot be checked here)"));
    output_line(
        cli,
        i->look ? _("%" PRIu64 " records: %" PRIu64 " would be new, %" PRIu64 " are here already")
                : _("%" PRIu64 " records: %" PRIu64 " new, %" PRIu64 " were here already"),
        events_of(b), b->fresh, b->known);
    if (b->receipts)
        output_line(cli, _("%" PRIu64 " receipts: what was sent has arrived there"), b->receipts);
    if (!i->two_faced) return;
    output_line(cli, "! %s",
                cli_format(cli, _("%s signed two states of the town that cannot both be true"),
                           i->two_faced));
    hint_line(cli, "   %s: sidan hub faces", _("do"));
}

int cmd_bundle_import(struct cli *cli)
{
    struct importing i = {.cli = cli, .path = cli_argument(cli, 0)};
    i.what = cli_format(cli, _("\"%s\" was not taken in"), i.path);
    int code = open_node(cli);
    if (!code) code = take(&i);
    if (code) return code;
    if (!cli->json) say_taken(&i);
    struct packing answer = packing_of(cli);
    int answered = cli_has(cli, "--reply") ? reply(&i, &answer) : EXIT_OK;
    if (cli->json) {
        const char *file = packing_file(&answer, 0);
        json_t *o = taken_json(&i, "sidan.bundle.import/1");
        json_object_set_new(o, "reply", file ? json_string(file) : json_null());
        (void)output_json_end(o);
    }
    packing_end(&answer);
    if (i.taken.damaged) return tell_damage(&i);
    return i.taken.refused ? tell_refused(&i, EXIT_FAILED) : answered;
}

int cmd_bundle_show(struct cli *cli)
{
    struct importing i = {.cli = cli, .path = cli_argument(cli, 0), .look = true};
    i.what = cli_format(cli, _("\"%s\" cannot be shown"), i.path);
    int code = open_node(cli);
    if (!code) code = take(&i);
    if (code) return code;
    if (cli->json) return output_json_end(taken_json(&i, "sidan.bundle.show/1"));
    say_taken(&i);
    return i.taken.damaged ? tell_damage(&i) : EXIT_OK;
}

/* --- verify --bundle --- */

static int tell_unsigned(struct importing *i)
{
    struct cli *cli = i->cli;
    if (!i->taken.sender_known)
        return cli_error(cli, EXIT_VERIFY_FAILED, i->what,
                         _("who made it is not in the roster here, so nobody vouches for it"),
                         _("take in the township's newest file first, or sync"));
    return cli_error(cli, EXIT_VERIFY_FAILED, i->what,
                     cli_format(cli, _("%s did not sign it"), i->from),
                     _("ask there for a new file, and tell the township's admin"));
}

static bool is_good(const struct bundle_taken *b)
{
    return b->verified && !b->damaged && !b->refused && !b->receipts_bad;
}

static int tell_bad(struct importing *i)
{
    const struct bundle_taken *b = &i->taken;
    if (is_good(b)) return EXIT_OK;
    if (b->damaged) return tell_damage(i);
    if (!b->verified) return tell_unsigned(i);
    if (b->refused) return tell_refused(i, EXIT_VERIFY_FAILED);
    return cli_error(
        i->cli, EXIT_VERIFY_FAILED, i->what,
        cli_format(i->cli, _("%" PRIu64 " receipts in it do not verify"), b->receipts_bad),
        _("ask there for a new file, and tell the township's admin"));
}

int cmd_bundle_verify(struct cli *cli)
{
    struct importing i = {.cli = cli, .path = cli_flag(cli, "--bundle"), .look = true};
    i.what = cli_format(cli, _("\"%s\" was not verified"), i.path);
    int code = open_node(cli);
    if (!code) code = take(&i);
    if (code) return code;
    if (cli->json) {
        json_t *o = taken_json(&i, "sidan.verify.bundle/1");
        json_object_set_new(o, "ok", json_boolean(is_good(&i.taken)));
        json_object_set_new(o, "receipts_bad", json_integer((json_int_t)i.taken.receipts_bad));
        (void)output_json_end(o);
        return is_good(&i.taken) ? EXIT_OK : EXIT_VERIFY_FAILED;
    }
    say_taken(&i);
    code = tell_bad(&i);
    if (!code)
        output_line(cli, _("whole: each of its records, its receipts and its maker's signature"
                           " were checked"));
    return code;
}
