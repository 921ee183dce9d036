#define _GNU_SOURCE /* renameat2 */
#include "common/file.h"
#include "common/limits.h"
#include "common/time.h"
#include "node/backup.h"
#include "node/lives.h"
#include "node/store/files.h"
#include "node/store/locking.h"
#include "tools/commands.h"
#include "common/folder.h"
#include "tools/hint.h"
#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct restoring {
    struct cli *cli;
    const char *file;
    struct backup *backup;
    struct folder fresh; /* what is in the file, beside the home */
    uint64_t life;       /* of the home that is there */
    int lock;
    char kept[PATH_MAX]; /* where the records are that were here; "" */
};

static int refuse(struct restoring *r, const char *why, const char *todo)
{
    return cli_error(r->cli, EXIT_REFUSED,
                     cli_format(r->cli, _("\"%s\" was not put back; nothing was changed"), r->file),
                     why, todo);
}

static int fail(struct restoring *r, enum err e)
{
    const char *what =
        cli_format(r->cli, _("\"%s\" was not put back; nothing was changed"), r->file);
    if (e == ERR_MALFORMED) {
        return cli_error(r->cli, EXIT_VERIFY_FAILED, what, _("it is no backup of sidan"),
                         _("name the file that sidan backup -o wrote"));
    }
    if (e == ERR_CORRUPT) {
        return cli_error(r->cli, EXIT_VERIFY_FAILED, what, _("the file is damaged or not whole"),
                         _("try another copy of it, or an older backup"));
    }
    if (e == ERR_PASSPHRASE) {
        return cli_error(r->cli, EXIT_REFUSED, what, cli_err_text(e),
                         _("it is the one that was typed when the backup was made"));
    }
    return cli_fail(r->cli, e, what);
}

static int open_backup(struct restoring *r)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    int code = EXIT_OK;
    enum err e = access(r->file, R_OK) != 0 ? err_from_errno(errno) : OK;
    if (e != OK) {
        return fail(r, e);
    }
    code = prompt_passphrase(r->cli, _("the passphrase of the backup"), false, passphrase);
    if (code != EXIT_OK) {
        return code;
    }
    e = backup_open(&r->backup, r->file, passphrase);
    crypto_wipe(passphrase, sizeof passphrase);
    return e == OK ? EXIT_OK : fail(r, e);
}

/* --- what is here now --- */

/* The home must be this device's, or empty. */
static int look_at_home(struct restoring *r)
{
    struct device_keys keys;
    struct side_file side = {0};
    bool own = true;
    enum err e = home_load_keys(r->cli->home, &keys);
    if (e == OK) {
        own = sign_key_equal(&keys.signer.key, &backup_head(r->backup)->device);
        device_keys_wipe(&keys);
    } else if (e == ERR_NOT_JOINED) {
        return refuse(r, _("the folder is not empty, and is no home of this device"),
                      _("put it back in an empty folder: sidan --home DIR restore FILE"));
    } else {
        return fail(r, e);
    }
    /* a device that changed its keys is another by its key, and the same by its store */
    struct store *s = NULL;
    if (!own && store_open(&s, r->cli->home, &(struct store_options){.read_only = true}) == OK) {
        own = sign_key_equal(&store_identity(s)->device, &backup_head(r->backup)->device);
        store_close(s);
    }
    if (!own) {
        return refuse(r, _("it is a backup of another device"),
                      _("put it back in another folder: sidan --home DIR restore FILE"));
    }
    if (side_file_read(&side, NULL, r->cli->home) == OK) {
        r->life = side.life;
    }
    side_file_clear(&side);
    e = home_lock(r->cli->home, &r->lock);
    if (e == ERR_BUSY) {
        return refuse(r, _("sidan-node runs here"), _("stop it first"));
    }
    return e == OK ? EXIT_OK : fail(r, e);
}

/* Does `a` hold a record that `b` does not? */
static bool holds_more(struct txn *a, struct txn *b)
{
    struct feed_row row, other;
    for (uint32_t n = 1; n <= feed_count(a) && feed_get(a, n, &row); n++) {
        bool known = feed_find(b, &row.feed, &other);
        for (size_t i = 0; i < row.head_count; i++) {
            if (!known || !log_find(b, other.number, row.heads[i].seq, row.heads[i].id.bytes)) {
                return true;
            }
        }
    }
    return false;
}

/* What cannot be read cannot be compared: it is kept, as all that is replaced here. */
static bool here_is_newer(struct restoring *r)
{
    const struct store_options options = {.read_only = true};
    struct store *here = NULL, *fresh = NULL;
    struct txn *a = NULL, *b = NULL;
    bool newer = false;
    if (store_open(&here, r->cli->home, &options) == OK &&
        store_open(&fresh, r->fresh.path, &options) == OK && txn_begin(here, false, &a) == OK &&
        txn_begin(fresh, false, &b) == OK) {
        newer = holds_more(a, b);
    }
    txn_abort(a);
    txn_abort(b);
    store_close(here);
    store_close(fresh);
    return newer;
}

/* The key that is here must open the boxes that come: device.key stays. */
static int check_key(struct restoring *r)
{
    struct secret_key key;
    struct store *s = NULL;
    struct txn *t = NULL;
    bool has_key = false;
    enum err e = home_box_key(r->cli->home, &has_key, &key);
    const struct store_options options = {.read_only = true, .key = has_key ? &key : NULL};
    if (e == OK) {
        e = store_open(&s, r->fresh.path, &options);
    }
    if (e == OK) {
        e = txn_begin(s, false, &t);
    }
    bool fits = e == OK && locking_key_fits(t);
    crypto_wipe(&key, sizeof key);
    txn_abort(t);
    store_close(s);
    if (e != OK) {
        return fail(r, e);
    }
    return fits ? EXIT_OK
                : refuse(r, _("its records are under another passphrase than this laptop's"),
                         _("put it back in another folder: sidan --home DIR restore FILE"));
}

/* --- putting it in place --- */

static enum err keep_replaced(struct restoring *r)
{
    char now[TIME_TEXT_SIZE];
    time_format_date(now, clock_machine_ms());
    char *old = files_join(r->fresh.path, "store");
    enum err e = old != NULL ? ERR_EXISTS : ERR_NOMEM;
    for (unsigned i = 1; e == ERR_EXISTS && i < 1000; i++) {
        int size = snprintf(r->kept, sizeof r->kept, "%s/store.before-%s-%u", r->cli->home, now, i);
        if (size < 0 || (size_t)size >= sizeof r->kept) {
            e = ERR_LIMIT;
        } else if (renameat2(AT_FDCWD, old, AT_FDCWD, r->kept, RENAME_NOREPLACE) == 0) {
            e = file_sync_folder(r->cli->home); /* before the folder goes that it came from */
        } else {
            e = err_from_errno(errno);
        }
    }
    free(old);
    return e;
}

/* One exchange of two names: at every moment there is a whole store here. The side file follows; a
 * crash between makes the next start begin one life more. */
static enum err replace_store(struct restoring *r, const struct side_file *fresh_side)
{
    char *here = files_join(r->cli->home, "store"), *fresh = files_join(r->fresh.path, "store");
    enum err e = here != NULL && fresh != NULL ? OK : ERR_NOMEM;
    bool there = e == OK && access(here, F_OK) == 0;
    const unsigned how = there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (e == OK && renameat2(AT_FDCWD, fresh, AT_FDCWD, here, how) != 0) {
        e = err_from_errno(errno);
    }
    if (e == OK) {
        e = file_sync_folder(r->cli->home);
    }
    if (e == OK) {
        e = side_file_start(r->cli->home, fresh_side->life, fresh_side->generation);
    }
    if (e == OK && there) {
        e = keep_replaced(r);
    }
    free(here);
    free(fresh);
    return e;
}

static int put_in_place(struct restoring *r, bool whole)
{
    struct side_file side = {0};
    if (whole) {
        enum err e = folder_finish(&r->fresh, r->cli->home);
        return e == OK ? EXIT_OK : fail(r, e);
    }
    enum err e = side_file_read(&side, NULL, r->fresh.path);
    if (e == OK) {
        e = replace_store(r, &side);
    }
    side_file_clear(&side);
    return e == OK ? EXIT_OK : fail(r, e);
}

/* --- the verb --- */

static int unpack(struct restoring *r, bool whole)
{
    enum err e = folder_begin(&r->fresh, r->cli->home);
    if (e == OK) {
        e = backup_unpack(r->backup, r->fresh.path, r->life + 1);
    }
    if (e != OK) {
        return fail(r, e);
    }
    if (!whole && here_is_newer(r) && !cli_has(r->cli, "--replace")) {
        return refuse(r, _("the records here are newer than the backup"),
                      _("keep them; or add --replace: they are kept beside the others then, in a "
                        "folder of their own"));
    }
    return whole ? EXIT_OK : check_key(r);
}

static int tell(struct restoring *r)
{
    char made[TIME_TEXT_SIZE];
    time_format(made, backup_head(r->backup)->made_ms);
    if (r->cli->json) {
        json_t *o = output_json("sidan.restore/1");
        json_object_set_new(o, "file", json_string(r->file));
        json_object_set_new(o, "made", output_json_time(backup_head(r->backup)->made_ms));
        json_object_set_new(o, "kept", r->kept[0] != '\0' ? json_string(r->kept) : json_null());
        return output_json_end(o);
    }
    output_line(r->cli, _("put back as of %s; what came later comes back from the others"), made);
    if (r->kept[0] != '\0') {
        output_line(r->cli, _("the records that were here are kept in %s"), r->kept);
    }
    output_line(r->cli,
                _("if the other copy of this device is still in use, use only one of them"));
    hint_line(r->cli, "%s: sidan sync · %s", _("next"), _("at the hub: sidan numbers"));
    return EXIT_OK;
}

int cmd_restore(struct cli *cli)
{
    struct restoring r = {.cli = cli, .file = cli_argument(cli, 0), .lock = -1, .fresh.lock = -1};
    bool whole = !folder_taken(cli->home);
    int code = open_backup(&r);
    if (code == EXIT_OK && !whole) {
        code = look_at_home(&r);
    }
    if (code == EXIT_OK) {
        code = unpack(&r, whole);
    }
    if (code == EXIT_OK) {
        code = put_in_place(&r, whole);
    }
    if (code == EXIT_OK) {
        code = tell(&r);
    }
    folder_abandon(&r.fresh);
    backup_close(r.backup);
    if (r.lock >= 0) {
        close(r.lock);
    }
    return code;
}
