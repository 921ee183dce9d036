/* The part of `sidan doctor` about the folder itself: whose it is, its settings, its keys, its
 * store.
 */
#include "common/folder.h"
#include "tools/doctor.h"
#include "tools/drill.h"
#include "tools/output.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of another user: everything else would be a riddle. */
static bool look_at_access(struct doctor *d)
{
    const char *home = d->cli->home;
    const char *data = cli_format(d->cli, "%s/store/data.mdb", home);
    struct stat st;
    bool usable = access(home, R_OK | W_OK | X_OK) == 0 || errno == ENOENT;
    if (usable && (access(data, R_OK | W_OK) == 0 || errno == ENOENT)) return true;
    if (errno == EROFS) {
        doctor_found(d, "read-only", cli_err_text(ERR_READ_ONLY),
                     _("after an error of the disk the system locks it: have it looked at"));
        return false;
    }
    const struct passwd *owner = stat(home, &st) == 0 ? getpwuid(st.st_uid) : NULL;
    doctor_found(
        d, "permission", cli_format(d->cli, _("this user may not read and write %s"), home),
        owner ? cli_format(d->cli, _("it belongs to %s: run sidan as that user"), owner->pw_name)
              : _("run sidan as the user who owns the folder"));
    return false;
}

static bool look_at_home(struct doctor *d)
{
    enum home_state state = home_state(d->cli->home);
    if (state == HOME_EMPTY)
        doctor_found(d, "not-joined", _("this device has not joined a township"),
                     _("sidan join FILE with the township's invite; another folder: --home DIR"));
    if (state == HOME_JOINING)
        doctor_found(d, "joining", _("this device has asked to join, and waits for the answer"),
                     _("sidan join once more, or start sidan-node"));
    if (scratch_left(d->cli->home, DRILL_FOLDER))
        doctor_found(d, "drill", _("a drill left residents' records"), _("delete HOME/drill"));
    char left[PATH_MAX];
    if (folder_left(d->cli->home, left))
        doctor_found(d, "unfinished",
                     cli_format(d->cli,
                                _("a restore that was cut short left this device's keys in %s"),
                                left),
                     _("start sidan-node, or restore again: either takes it away"));
    return state == HOME_JOINED;
}

static void look_at_mode(struct doctor *d, const char *name)
{
    struct stat st;
    const char *path = cli_format(d->cli, "%s/%s", d->cli->home, name);
    if (lstat(path, &st) || (S_ISREG(st.st_mode) && (st.st_mode & 077) == 0)) return;
    doctor_found(d, "key-mode", cli_format(d->cli, _("others can read the key %s"), path),
                 cli_format(d->cli, "chmod 600 %s", path));
}

static void look_at_keys(struct doctor *d)
{
    struct device_keys keys;
    look_at_mode(d, "device.key");
    look_at_mode(d, "authority.key");
    enum err e = home_load_keys(d->cli->home, &keys);
    if (!e) device_keys_wipe(&keys);
    if (e == ERR_LOCKED || e == ERR_NO_KEYRING)
        doctor_found(d, "locked", cli_err_text(e), cli_err_todo(e));
    else if (e && e != ERR_PERMISSION)
        doctor_found(
            d, "key-missing",
            cli_format(d->cli, _("this device's keys cannot be read: %s"), cli_err_text(e)),
            _("this device has to be invited anew: its records come back by the first sync"));
}

static void look_at_settings(struct doctor *d)
{
    struct settings_problem problem = {0};
    struct cli *cli = d->cli;
    cli->has_settings = settings_load(&cli->settings, cli->home, &problem) == OK;
    if (cli->has_settings) return;
    doctor_found(
        d, "config",
        cli_format(d->cli, _("the configuration, line %u: %s"), problem.line, problem.text),
        cli_format(d->cli, _("correct it in %s/config"), d->cli->home));
}

/* A store copied from another machine shows that one's records as this one's. */
static bool is_own(const struct doctor *d)
{
    struct device_keys keys;
    if (home_load_keys(d->cli->home, &keys)) return true; /* reported with the keys */
    bool own = sign_key_equal(&keys.signer.key, &store_identity(d->cli->store)->device);
    device_keys_wipe(&keys);
    return own;
}

static bool look_at_store(struct doctor *d)
{
    if (d->cli->views) return true;
    enum err e = cli_try_store(d->cli, false);
    if (!e && !is_own(d)) e = ERR_FOREIGN;
    if (!e) e = views_open(&d->cli->views, d->cli->store);
    if (!e) return true;
    if (e == ERR_AGAIN) {
        doctor_found(d, "rebuild", _("the lists were made by another version of sidan"),
                     _("wait for the node, or run sidan rebuild"));
        return false;
    }
    const char *why = e == ERR_FOREIGN ? _("it belongs to another device") : cli_err_text(e);
    doctor_found(
        d, "store", cli_format(d->cli, _("the store cannot be opened: %s"), why),
        _("keep the folder as it is; ask the township for a new invite: the first sync brings the "
          "records back"));
    return false;
}

bool doctor_home(struct doctor *d)
{
    if (!look_at_access(d)) return false;
    look_at_settings(d);
    if (!look_at_home(d)) return false;
    look_at_keys(d);
    return look_at_store(d);
}
