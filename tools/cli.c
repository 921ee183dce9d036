#include "node/home_key.h"
#include "node/key_change.h"
#include "node/store/locking.h"
#include "tools/lookup.h"
#include "tools/catching_up.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cli_text {
    struct cli_text *next;
    char text[];
};

const char *cli_format(struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    struct cli_text *t = size < 0 ? NULL : malloc(sizeof *t + (size_t)size + 1);
    if (!t) return "";
    va_start(args, format);
    vsnprintf(t->text, (size_t)size + 1, format, args);
    va_end(args);
    t->next = cli->texts;
    cli->texts = t;
    return t->text;
}

static void close_store(struct cli *cli)
{
    recorder_close(cli->recorder);
    views_close(cli->views);
    store_close(cli->store);
    cli->recorder = NULL;
    cli->views = NULL;
    cli->store = NULL;
}

void cli_close(struct cli *cli)
{
    close_store(cli);
    if (cli->has_keys) device_keys_wipe(&cli->keys);
    while (cli->texts) {
        struct cli_text *t = cli->texts;
        cli->texts = t->next;
        free(t);
    }
}

int cli_open_settings(struct cli *cli)
{
    if (cli->has_settings) return EXIT_OK;
    struct settings_problem problem = {0};
    enum err e = settings_load(&cli->settings, cli->home, &problem);
    cli->has_settings = e == OK;
    if (!e) return EXIT_OK;
    const char *what = cli_format(cli, _("the configuration %s/config cannot be used"), cli->home);
    if (e != ERR_MALFORMED && e != ERR_RANGE) return cli_fail(cli, e, what);
    return cli_error(cli, EXIT_USAGE, what,
                     cli_format(cli, _("line %u: %s"), problem.line, problem.text),
                     _("correct the line; sidan help config lists the keys"));
}

static int not_joined(struct cli *cli)
{
    if (home_state(cli->home) == HOME_JOINING)
        return cli_error(
            cli, EXIT_NOT_JOINED, _("this device has asked to join, and waits for the answer"),
            _("the hub has not answered yet"), _("sidan join once more, or start sidan-node"));
    return cli_error(cli, EXIT_NOT_JOINED, _("this device has not joined a township"),
                     cli_format(cli, _("there is nothing in %s"), cli->home),
                     _("sidan join FILE with the township's invite; another folder: --home DIR"));
}

/* Of several in the file, as the roster says. Before it does, or without a store, the first. */
static void use_keys(struct cli *cli)
{
    struct txn *t;
    const struct roster *roster;
    if (!cli->has_keys || !cli->views || txn_begin(cli->store, false, &t)) return;
    if (!views_roster(cli->views, t, &roster)) {
        const struct device *self = roster_device(roster, &store_identity(cli->store)->device);
        if (self) device_keys_use(&cli->keys, roster, self);
    }
    txn_abort(t);
}

int cli_open_keys(struct cli *cli)
{
    if (cli->has_keys) return EXIT_OK;
    enum err e = home_load_keys(cli->home, &cli->keys);
    cli->has_keys = e == OK;
    use_keys(cli);
    if (e == ERR_NOT_JOINED) return not_joined(cli);
    if (e == ERR_PERMISSION)
        return cli_error(
            cli, EXIT_FAILED, _("this device's keys cannot be used"),
            cli_format(cli, _("%s/device.key must be yours, with mode 0600"), cli->home),
            cli_format(cli, "chmod 600 %s/device.key", cli->home));
    if (e == ERR_LOCKED || e == ERR_NO_KEYRING)
        return cli_fail(cli, e, cli_format(cli, _("sidan %s was not done"), cli->command->name));
    return e ? cli_fail(cli, e, _("this device's keys cannot be read")) : EXIT_OK;
}

/* The way out where the store is lost, whatever the reason. */
static const char *new_invite(void)
{
    return _("ask the township for a new invite: the first sync brings the records back");
}

static int refuse_store(struct cli *cli, enum err e)
{
    const char *what = cli_format(cli, _("the store in %s cannot be opened"), cli->home);
    if (e == ERR_CORRUPT || e == ERR_FOREIGN)
        return cli_error(cli, EXIT_FAILED, what, cli_err_text(e), new_invite());
    if (e != ERR_NOT_FOUND) return cli_fail(cli, e, what);
    if (home_state(cli->home) != HOME_JOINED) return not_joined(cli);
    return cli_error(cli, EXIT_FAILED, cli_format(cli, _("the store in %s is gone"), cli->home),
                     _("this device had records before"), new_invite());
}

/* A store that was copied from another machine would show that one's records as this one's. */
static bool is_ours(const struct cli *cli)
{
    struct device_keys keys;
    if (home_load_keys(cli->home, &keys)) return true; /* whoever needs the keys will say so */
    bool ours = sign_key_equal(&keys.signer.key, &store_identity(cli->store)->device);
    device_keys_wipe(&keys);
    return ours;
}

/* Verbs that need no key and no box. */
static bool works_locked(const struct command *c)
{
    static const char *const names[] = {"status", "devices",        "verify",   "doctor",
                                        "log",    "authority show", "receipts", "backup",
                                        "clock",  "config set"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(c->name, names[i]) == 0) return true;
    return false;
}

enum err cli_try_store(struct cli *cli, bool writable)
{
    struct secret_key key;
    struct txn *t;
    bool has_key = false;
    enum err keys = home_box_key(cli->home, &has_key, &key);
    const struct store_options options = {.read_only = !writable,
                                          .key = !keys && has_key ? &key : NULL};
    enum err e = store_open(&cli->store, cli->home, &options);
    crypto_wipe(&key, sizeof key);
    if (!e) e = txn_begin(cli->store, false, &t);
    if (e) return e;
    cli->locked = (has_key && keys) || !locking_key_fits(t);
    cli->locked_why = keys && has_key ? keys : ERR_LOCKED;
    cli->store_writable = writable;
    txn_abort(t);
    return OK;
}

static int open_store(struct cli *cli, bool writable)
{
    if (cli->store && (cli->store_writable || !writable)) return EXIT_OK;
    close_store(cli);
    enum err e = cli_try_store(cli, writable);
    if (e) return refuse_store(cli, e);
    if (cli->locked && (writable || !works_locked(cli->command))) {
        close_store(cli);
        return cli_fail(cli, cli->locked_why,
                        cli_format(cli, _("sidan %s was not done"), cli->command->name));
    }
    if (is_ours(cli)) return EXIT_OK;
    close_store(cli);
    return cli_error(cli, EXIT_FAILED,
                     cli_format(cli, _("the store in %s cannot be opened"), cli->home),
                     _("it belongs to another device"), new_invite());
}

int cli_open_store(struct cli *cli)
{
    return open_store(cli, false);
}

int cli_open_store_writable(struct cli *cli)
{
    return open_store(cli, true);
}

/* Who records looks up persons and numbers, and acts on what stands: after an upgrade or a change
 * of rights or rules the rows are made before that. What is damaged keeps none, or an old one,
 * which `verify` and `doctor` tell. */
enum err cli_finish_rows(struct cli *cli)
{
    enum err e = views_rebuild_finish(cli->views, cli->store);
    return e == ERR_CORRUPT ? OK : e;
}

int cli_open_views(struct cli *cli)
{
    int code = cli_open_store(cli);
    if (code || cli->views) return code;
    enum err e = views_open(&cli->views, cli->store);
    if (e == ERR_AGAIN) {
        code = cli_open_store_writable(cli);
        if (code) return code;
        e = views_open(&cli->views, cli->store);
    }
    if (!e && cli->store_writable) e = cli_finish_rows(cli);
    if (!e) use_keys(cli);
    return e ? cli_fail(cli, e, _("the lists cannot be opened")) : EXIT_OK;
}

int cli_open_recorder(struct cli *cli)
{
    if (cli->recorder) return EXIT_OK;
    int code = cli_open_keys(cli);
    if (!code) code = cli_open_store_writable(cli);
    if (!code) code = cli_open_views(cli);
    if (code) return code;
    struct recorder_options options = {
        .store = cli->store,
        .views = cli->views,
        .signer = &cli->keys.signer,
    };
    enum err e = recorder_open(&cli->recorder, &options);
    if (!e && recorder_is_behind(cli->recorder)) catching_up(cli);
    return e ? cli_fail(cli, e, _("nothing can be recorded now")) : EXIT_OK;
}

int cli_begin(struct cli *cli, struct txn **txn)
{
    int code = cli_open_views(cli);
    if (code) return code;
    enum err e = txn_begin(cli->store, false, txn);
    return e ? cli_fail(cli, e, _("the store cannot be read")) : EXIT_OK;
}

int cli_roster(struct cli *cli, struct txn *txn, const struct roster **roster)
{
    enum err e = views_roster(cli->views, txn, roster);
    return e ? cli_fail(cli, e, _("the roster cannot be read")) : EXIT_OK;
}

int cli_self(struct cli *cli, const struct roster *roster, const struct device **self)
{
    *self = roster_device(roster, &store_identity(cli->store)->device);
    if (*self) return EXIT_OK;
    if (!roster->founded)
        return cli_error(cli, EXIT_NOT_JOINED,
                         _("the township's roster does not name this device yet"),
                         _("the roster has not arrived, or the invite was not accepted"),
                         _("sidan sync; then sidan doctor"));
    return cli_error(cli, EXIT_NOT_JOINED, _("the township's roster does not name this device"),
                     _("not all of it has arrived, or what let this device in does not count any"
                       " more; what was recorded here is kept"),
                     _("sidan sync; if it stays so ask for a new invite, and sidan join it in this"
                       " folder"));
}

int cli_visible(struct cli *cli, struct txn *txn, struct visible *out)
{
    const struct roster *roster;
    int code = cli_roster(cli, txn, &roster);
    if (code) return code;
    enum err e = visible_begin(out, txn, roster);
    return e ? cli_fail(cli, e, _("the records cannot be read")) : EXIT_OK;
}

int cli_actor(struct cli *cli, struct txn *txn, bool *has, struct thing_id *actor)
{
    const char *by = cli_flag(cli, "--by");
    if (!by) {
        int code = cli_open_settings(cli);
        if (code) return code;
        by = cli->settings.actor;
    }
    *has = *by != 0;
    return *has ? lookup_actor(cli, txn, by, actor) : EXIT_OK;
}

uint64_t cli_now_ms(struct txn *txn)
{
    struct clock_reading now;
    clock_read(txn, &now);
    return now.wall_ms;
}
