#include "tools/packing.h"

#include "common/i18n.h"
#include "node/clock.h"
#include "tools/output.h"
#include "tools/stick.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define ROOM_BESIDE KIB(64) /* for each file: the end of its last block, its name */
#define SUFFIX ".sidan"

struct packing packing_of(struct cli *cli)
{
    return (struct packing){
        .cli = cli,
        .what = _("no file was written"),
        .making = {.store = cli->store, .views = cli->views, .keys = &cli->keys},
        .files = json_array()};
}

void packing_end(struct packing *e)
{
    json_decref(e->files);
}

int packing_begin(struct packing *e, struct txn **t, const struct roster **roster,
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

int packing_to(struct packing *e, const struct device *d)
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

/* --- what goes wrong --- */

static int fail_to_make(struct packing *e, enum err err, const char *what)
{
    struct cli *cli = e->cli;
    if (err == ERR_CORRUPT)
        return cli_error(cli, EXIT_FAILED, what,
                         _("read back from the stick it is not what was written"),
                         _("the stick is broken: take another"));
    if (err == ERR_NOSPACE)
        return cli_error(cli, EXIT_FAILED, what, _("the stick is full"),
                         _("take away what is not needed, or take another stick"));
    if (err == ERR_MALFORMED)
        return cli_error(cli, EXIT_REFUSED, what, _("its receiver has no key to seal to"), NULL);
    if (err == ERR_LIMIT)
        return cli_error(cli, EXIT_REFUSED, what,
                         cli_format(cli, _("more than %u files would be needed"), BUNDLE_PARTS_MAX),
                         _("let each be longer: a higher --split, or none"));
    return cli_fail(cli, err, what);
}

/* Of several, those before it are whole, and each is good alone. */
static int fail_to_write(struct packing *e, enum err err, const char *path)
{
    struct cli *cli = e->cli;
    const char *what = cli_format(cli, _("\"%s\" was not written"), path);
    const int code = err == ERR_EXISTS ? cli_error(cli, EXIT_REFUSED, what,
                                                   _("there is a file of this name already"),
                                                   _("name another file"))
                                       : fail_to_make(e, err, what);
    for (size_t i = 0; packing_file(e, i); i++)
        output_note(cli, _("whole already, and may be carried: %s"), packing_file(e, i));
    return code;
}

static int check_room(struct packing *e, const char *path)
{
    struct cli *cli = e->cli;
    const uint64_t need = e->plan.bytes + e->plan.parts * ROOM_BESIDE;
    uint64_t room;
    enum err err = stick_room(path, &room);
    if (err) return fail_to_write(e, err, path);
    if (room >= need) return EXIT_OK;
    return cli_error(cli, EXIT_FAILED, e->what,
                     cli_format(cli, _("the stick has too little room: %s are needed, %s are free"),
                                words_bytes(cli, need), words_bytes(cli, room)),
                     _("take away what is not needed, or take another stick"));
}

/* --- the files --- */

/* A name tells nothing of who it is from or for. "" where there was no memory for it, as below. */
static const char *stem_of(struct cli *cli, const char *path)
{
    uint8_t id[4];
    char hex[2 * sizeof id + 1];
    size_t size = strlen(path);
    if (stick_is_folder(path)) {
        crypto_random(id, sizeof id);
        hex_encode(hex, id, sizeof id);
        return cli_format(cli, "%s/%s", path, hex);
    }
    if (size > strlen(SUFFIX) && strcmp(path + size - strlen(SUFFIX), SUFFIX) == 0)
        size -= strlen(SUFFIX);
    return cli_format(cli, "%.*s", (int)size, path);
}

static const char *part_path(const struct packing *e, const char *path, const char *stem,
                             uint32_t part)
{
    if (!stem[0]) return "";
    if (e->plan.parts > 1)
        return cli_format(e->cli, "%s-%" PRIu32 "-of-%" PRIu32 SUFFIX, stem, part + 1,
                          e->plan.parts);
    return stick_is_folder(path) ? cli_format(e->cli, "%s" SUFFIX, stem) : path;
}

static void add(struct bundle_made *sum, const struct bundle_made *made)
{
    if (!sum->number) sum->number = made->number;
    sum->events += made->events;
    sum->bytes += made->bytes;
    sum->left += made->left;
}

static int write_part(struct packing *e, struct bundle_maker *m, const char *path)
{
    struct stick_file f;
    struct bundle_made made;
    if (!path[0]) return fail_to_make(e, ERR_NOMEM, e->what);
    enum err err = stick_create(&f, path, "", 0);
    if (err) return fail_to_write(e, err, path);
    err = bundle_maker_next(m, f.fd, &made);
    if (err)
        stick_abandon(&f);
    else
        err = stick_keep(&f);
    if (err) return fail_to_write(e, err, path);
    add(&e->made, &made);
    json_array_append_new(e->files, json_string(path));
    return EXIT_OK;
}

int packing_write(struct packing *e, const char *path)
{
    struct bundle_maker *m = NULL;
    e->making.read_back = true;
    enum err err = bundle_maker_open(&m, &e->making, &e->plan);
    if (err) return fail_to_make(e, err, e->what);
    int code = check_room(e, path);
    const char *stem = stem_of(e->cli, path);
    for (uint32_t i = 0; !code && i < e->plan.parts; i++)
        code = write_part(e, m, part_path(e, path, stem, i));
    bundle_maker_close(m);
    return code;
}

int packing_write_stdout(struct packing *e)
{
    enum err err = bundle_make(STDOUT_FILENO, &e->making, &e->made);
    if (err) return fail_to_make(e, err, e->what);
    if (e->made.left)
        output_note(e->cli, _("%" PRIu64 " records did not fit or cannot be read: sidan doctor"),
                    e->made.left);
    return EXIT_OK;
}

const char *packing_file(const struct packing *e, size_t i)
{
    return json_string_value(json_array_get(e->files, i));
}

void packing_say(const struct packing *e)
{
    struct cli *cli = e->cli;
    output_line(cli, _("written for %s: %" PRIu64 " records, %s"), e->to, e->made.events,
                words_bytes(cli, e->made.bytes));
    if (e->plan.parts > 1)
        output_line(cli, _("in %" PRIu32 " files; they may go by different sticks"), e->plan.parts);
    for (size_t i = 0; packing_file(e, i); i++)
        output_line(cli, _("read back and compared; the stick may be taken out: %s"),
                    packing_file(e, i));
    if (e->made.left)
        output_line(cli, _("%" PRIu64 " records cannot be read here: sidan doctor"), e->made.left);
}
