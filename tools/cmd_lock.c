/* Keys and boxes under a passphrase: locking, unlocking, another passphrase, and whether at all. */
#include "node/at_rest.h"
#include "node/keyring.h"
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- whether there is one ------------------------------------------------------------------- */

static int need_passphrase(struct cli *cli, const char *what)
{
    if (home_state(cli->home) == HOME_EMPTY) {
        return cli_fail(cli, ERR_NOT_JOINED, what);
    }
    if (home_has_passphrase(cli->home)) {
        return EXIT_OK;
    }
    return cli_error(cli, EXIT_REFUSED, what,
                     _("keys and data of this laptop are under no passphrase"),
                     _("sidan config set at_rest passphrase puts them under one"));
}

static int told(struct cli *cli, const char *schema, bool locked)
{
    if (cli->json) {
        json_t *o = output_json(schema);
        json_object_set_new(o, "locked", json_boolean(locked));
        return output_json_end(o);
    }
    bool node = home_node_running(cli->home);
    if (locked) {
        output_line(cli, "%s", _("locked: nothing can be read, recorded, sent or received now"));
    } else {
        output_line(cli, "%s", _("unlocked, until the machine is switched off or sidan lock"));
    }
    if (node && !locked) {
        output_line(cli, "%s", _("the running node goes on by itself"));
    }
    hint_line(cli, "%s", locked ? _("next: sidan unlock") : _("next: sidan lock, when you leave"));
    return EXIT_OK;
}

/* --- lock and unlock ------------------------------------------------------------------------ */

/* Whoever forgot it is not to try for a day, and not to delete anything either. */
static int refuse_passphrase(struct cli *cli, const char *what)
{
    return cli_error(cli, EXIT_REFUSED, what, _("the passphrase is wrong"),
                     _("try again; mind the keyboard layout. If it is forgotten nobody can open "
                       "this laptop: look for the paper that it was written on, else ask the "
                       "township for a new invite; what was sent comes back by the first sync"));
}

int cmd_unlock(struct cli *cli)
{
    const char *what = _("nothing was unlocked");
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    int code = need_passphrase(cli, what);
    if (code == EXIT_OK) {
        code = prompt_passphrase(cli, _("passphrase of this laptop"), false, passphrase);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = home_unlock(cli->home, passphrase);
    crypto_wipe(passphrase, sizeof passphrase);
    if (e == ERR_PASSPHRASE) {
        return refuse_passphrase(cli, what);
    }
    return e == OK ? told(cli, "sidan.unlock/1", false) : cli_fail(cli, e, what);
}

int cmd_lock(struct cli *cli)
{
    const char *what = _("nothing was locked");
    int code = need_passphrase(cli, what);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = home_lock_keys(cli->home);
    return e == OK ? told(cli, "sidan.lock/1", true) : cli_fail(cli, e, what);
}

/* --- another passphrase --------------------------------------------------------------------- */

struct passphrases {
    char old[PASSPHRASE_SIZE_MAX + 1], fresh[PASSPHRASE_SIZE_MAX + 1];
};

static int ask_both(struct cli *cli, bool authority, struct passphrases *p)
{
    int code = prompt_passphrase(cli,
                                 authority ? _("present passphrase of the authority key")
                                           : _("present passphrase of this laptop"),
                                 false, p->old);
    if (code == EXIT_OK) {
        code = prompt_passphrase_named(cli, "SIDAN_NEW_PASSPHRASE_FILE", _("new passphrase"), true,
                                       p->fresh);
    }
    return code;
}

/* Each file by itself: one that is there from a replacement that was cut short has its own. */
static enum err change_authority(const char *home, const struct passphrases *p)
{
    struct authority_keys keys;
    enum err e = home_load_authority(home, AUTHORITY_IN_FORCE, p->old, &keys);
    if (e == OK) {
        e = home_save_authority(home, AUTHORITY_IN_FORCE, &keys, p->fresh);
        authority_keys_wipe(&keys);
    }
    return e;
}

/* The wrapped key in the store follows when it can: a backup made from now on opens with the new
 * one. Who cannot open the store now does it at the next change. */
static enum err change_device(struct cli *cli, const struct passphrases *p)
{
    enum err e = home_change_passphrase(cli->home, p->old, p->fresh);
    struct secret_key key, boxes;
    struct store *s = NULL;
    if (e != OK || home_key_open(cli->home, p->fresh, &key) != OK) {
        return e;
    }
    home_key_of_boxes(&boxes, &key);
    const struct store_options options = {.key = &boxes};
    if (store_open(&s, cli->home, &options) != OK || at_rest_renew_text(cli->home, s) != OK) {
        output_note(cli, "%s",
                    _("backups made from the store as it is still open with the old passphrase"));
    }
    store_close(s);
    crypto_wipe(&key, sizeof key);
    crypto_wipe(&boxes, sizeof boxes);
    return e;
}

static int which_key(struct cli *cli, bool *authority)
{
    const char *given = cli_argument(cli, 0);
    const char *path = cli_format(cli, "%s/authority.key", cli->home);
    bool has_authority = access(path, F_OK) == 0, has_device = home_has_passphrase(cli->home);
    const char *what = _("no passphrase was changed");
    *authority = given != NULL ? strcmp(given, "authority") == 0 : has_authority;
    if (given != NULL && !*authority && strcmp(given, "device") != 0) {
        return cli_error(cli, EXIT_USAGE, what,
                         cli_format(cli, _("\"%s\" is neither authority nor device"), given),
                         "sidan passphrase authority; sidan passphrase device");
    }
    if (given == NULL && has_authority && has_device) {
        return cli_error(cli, EXIT_USAGE, what, _("there are two in this folder"),
                         "sidan passphrase authority; sidan passphrase device");
    }
    if (*authority && !has_authority) {
        return cli_error(cli, EXIT_NOT_FOUND, what, _("the authority's key is not in this folder"),
                         _("put authority.key back from the stick, beside config"));
    }
    return *authority ? EXIT_OK : need_passphrase(cli, what);
}

int cmd_passphrase(struct cli *cli)
{
    struct passphrases p;
    bool authority;
    int code = which_key(cli, &authority);
    if (code == EXIT_OK) {
        code = ask_both(cli, authority, &p);
    }
    if (code == EXIT_OK) {
        enum err e = authority ? change_authority(cli->home, &p) : change_device(cli, &p);
        if (e != OK) {
            code = cli_fail(cli, e, _("no passphrase was changed"));
        }
    }
    crypto_wipe(&p, sizeof p);
    if (code != EXIT_OK) {
        return code;
    }
    if (authority) {
        output_line(cli, "%s", _("the passphrase of authority.key is changed"));
        output_line(
            cli, "%s",
            _("a copy on a stick still opens with the old one: copy it again, and overwrite "
              "that"));
    } else {
        output_line(cli, "%s", _("the passphrase of this laptop is changed"));
        output_line(cli, "%s", _("copies of before still open with the old one; for a new key:"));
        output_line(cli, "%s",
                    "  sidan config set at_rest keyfile; sidan config set at_rest passphrase");
    }
    return EXIT_OK;
}

/* --- at_rest -------------------------------------------------------------------------------- */

static void show_step(void *state, const char *what, uint64_t done, uint64_t total)
{
    if (total > 0 && strcmp(what, "boxes") == 0) {
        progress_show(state, done, total);
    }
}

static int refuse_at_rest(struct cli *cli, enum err e, bool lock)
{
    const char *what = lock ? _("keys and data are not all under the passphrase yet")
                            : _("keys and data are not all as before yet");
    const char *again =
        lock ? "sidan config set at_rest passphrase" : "sidan config set at_rest keyfile";
    if (e == ERR_BUSY) {
        return cli_error(
            cli, EXIT_TIMED_OUT, what, _("another process has the store open"),
            cli_format(cli, _("end other commands of this folder, then again: %s"), again));
    }
    if (e == ERR_NOSPACE) {
        return cli_error(cli, EXIT_FAILED, what,
                         _("the disk has no room for a second copy of the store"),
                         cli_format(cli, _("free some space, then again: %s"), again));
    }
    if (e == ERR_STATE) {
        return cli_error(cli, EXIT_REFUSED, what,
                         _("keys and data of this laptop are under no passphrase"), NULL);
    }
    return cli_fail(cli, e, what);
}

static void tell_at_rest(struct cli *cli, bool lock)
{
    struct secret_key key;
    output_line(cli, "at_rest = %s", lock ? "passphrase" : "keyfile");
    if (!lock) {
        output_line(cli, "%s", _("keys and residents' data lie on the disk as they are again"));
        return;
    }
    output_line(cli, "%s",
                _("this laptop's keys and residents' data are under the passphrase now"));
    output_line(cli, "%s", _("after each start of the machine somebody types it: sidan unlock"));
    output_line(cli, "%s",
                _("whoever forgets it needs a new invite: nobody can open them without it"));
    if (keyring_get(cli->home, &key) == ERR_NO_KEYRING) {
        output_note(cli, "%s", cli_err_text(ERR_NO_KEYRING));
    }
    crypto_wipe(&key, sizeof key);
}

int cmd_at_rest(struct cli *cli, bool lock)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    struct progress p;
    const struct at_rest_steps steps = {.step = show_step, .state = &p};
    int fd = -1;
    const char *what = _("at_rest was not changed");
    if (home_state(cli->home) != HOME_JOINED) {
        return cli_fail(cli, ERR_NOT_JOINED, what);
    }
    enum err e = home_lock(cli->home, &fd);
    if (e == ERR_BUSY) {
        return cli_error(cli, EXIT_REFUSED, what, _("sidan-node is running on this folder"),
                         _("stop it first: systemctl stop sidan-node@USER"));
    }
    if (e != OK) {
        return cli_fail(cli, e, what);
    }
    bool begun = home_has_passphrase(cli->home);
    int code = prompt_passphrase(cli, _("passphrase of this laptop"), lock && !begun, passphrase);
    if (code == EXIT_OK) {
        progress_begin(&p, cli, _("records"));
        e = lock ? at_rest_to_passphrase(cli->home, passphrase, &steps)
                 : at_rest_to_keyfile(cli->home, passphrase, &steps);
        progress_end(&p);
        code = e == OK ? EXIT_OK : refuse_at_rest(cli, e, lock);
    }
    crypto_wipe(passphrase, sizeof passphrase);
    close(fd);
    if (code == EXIT_OK) {
        tell_at_rest(cli, lock);
    }
    return code;
}
