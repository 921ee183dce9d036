#include "node/daemon.h"

#include "common/folder.h"
#include "common/log.h"
#include "common/version.h"
#include "node/at_rest.h"
#include "node/home_key.h"
#include "node/key_change.h"
#include "node/loop.h"
#include "node/supervisor.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_WANTED 16384 /* ten thousand peers and what else is open */
#define LOCK_LOOK_MS 250         /* a node that waits goes on within a second */

struct daemon {
    const struct daemon_options *options;
    struct settings settings;
    struct device_keys keys;
    int lock;
    bool watch_lock; /* the home is under a passphrase */
    struct wake wake;
    struct zmq_link_context *context;
    struct store *store;
    struct views *views;
};

/* What happened, why, what to do. */
static enum daemon_exit fail(enum daemon_exit code, const char *what, const char *why,
                             const char *todo)
{
    log_write(LOG_ERROR, "%s: %s; %s", what, why, todo);
    return code;
}

/* --- the process --- */

/* Two threads allocate, in large pieces at times: few arenas, and what was large goes back. */
static void set_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 512 * 1024);
}

static void set_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) return;
    if (files.rlim_cur < DESCRIPTORS_WANTED) {
        files.rlim_cur = files.rlim_max < DESCRIPTORS_WANTED ? files.rlim_max : DESCRIPTORS_WANTED;
        if (setrlimit(RLIMIT_NOFILE, &files) || getrlimit(RLIMIT_NOFILE, &files)) return;
    }
    log_write(LOG_INFO, "descriptors: at most %" PRIu64, (uint64_t)files.rlim_cur);
}

/* --- the home --- */

static enum daemon_exit open_settings(struct daemon *d)
{
    struct settings_problem problem;
    struct stat st;
    enum log_level level;
    if (stat(d->options->home, &st) || !S_ISDIR(st.st_mode))
        return fail(DAEMON_NOT_JOINED, "there is no such home", d->options->home,
                    "sidan init or sidan join makes one");
    if (settings_load(&d->settings, d->options->home, &problem)) {
        char what[32] = "config";
        if (problem.line) snprintf(what, sizeof what, "config, line %u", problem.line);
        return fail(DAEMON_USAGE, what, problem.text, "correct it (sidan config set)");
    }
    if (!log_level_parse(&level, d->options->verbose ? "debug" : d->settings.log_level))
        log_start(level);
    return DAEMON_OK;
}

static void wait_a_little(struct daemon *d, unsigned *woken)
{
    if (supervisor_interval_ms()) supervisor_alive();
    *woken = wake_wait(&d->wake, NULL, 0, LOCK_LOOK_MS);
}

/* The keys, once somebody unlocks them: a node that waits is one at work. */
static enum err load_keys(struct daemon *d)
{
    const char *home = d->options->home;
    unsigned woken = 0;
    enum err err = home_load_keys(home, &d->keys);
    if (err != ERR_LOCKED || d->options->check_only) return err;
    log_write(LOG_WARN,
              "locked: keys and records are under a passphrase; nothing is sent, received "
              "or recorded until somebody types it (sidan unlock)");
    supervisor_ready();
    supervisor_status("locked: waits for sidan unlock");
    while (err == ERR_LOCKED && !(woken & WAKE_STOP)) {
        wait_a_little(d, &woken);
        err = home_load_keys(home, &d->keys);
    }
    if (!err) log_write(LOG_INFO, "unlocked");
    return err;
}

static enum daemon_exit open_keys(struct daemon *d)
{
    if (crypto_init())
        return fail(DAEMON_FAILED, "cryptography", "libsodium does not work here",
                    "check this machine");
    crypto_keep_in_memory(&d->keys, sizeof d->keys);
    device_key_sweep(d->options->home);
    if (folder_sweep(d->options->home))
        log_write(LOG_WARN, "took away what a restore that was cut short had left beside the home");
    enum err err = load_keys(d);
    if (!err && home_state(d->options->home) != HOME_EMPTY) return DAEMON_OK;
    if (err == ERR_LOCKED) return DAEMON_LOCKED; /* told to stop, or only asked */
    if (err == ERR_NO_KEYRING)
        return fail(DAEMON_FAILED, "locked", err_text(err),
                    "put the passphrase into a file that this user alone reads, and name it by "
                    "SIDAN_PASSPHRASE_FILE (systemd: LoadCredential)");
    if (err == ERR_PASSPHRASE)
        return fail(DAEMON_FAILED, "locked", "the passphrase in SIDAN_PASSPHRASE_FILE is wrong",
                    "correct it");
    if (!err || err == ERR_NOT_JOINED)
        return fail(DAEMON_NOT_JOINED, "not joined", err_text(ERR_NOT_JOINED),
                    "ask the township for an invite, then: sidan join FILE");
    return fail(DAEMON_FAILED, "device.key", err_text(err),
                err == ERR_PERMISSION ? "it must be yours alone: chmod 600"
                                      : "put back a backup, or join as a new device");
}

/* Of several in the file, as the roster says. */
static enum err use_keys(struct daemon *d)
{
    struct txn *t;
    const struct roster *roster;
    enum err err = txn_begin(d->store, false, &t);
    if (err) return err;
    err = views_roster(d->views, t, &roster);
    const struct device *self =
        err ? NULL : roster_device(roster, &store_identity(d->store)->device);
    if (self) device_keys_use(&d->keys, roster, self);
    txn_abort(t);
    return err;
}

static void log_step(void *state, const char *what, uint64_t done, uint64_t total)
{
    (void)state;
    if (supervisor_interval_ms()) supervisor_alive();
    if (total)
        log_write(LOG_INFO, "at rest: %s, %" PRIu64 " of %" PRIu64, what, done, total);
    else
        log_write(LOG_INFO, "at rest: %s", what);
}

/* A change of how things lie on the disk that was cut short. */
static enum err go_on_at_rest(struct daemon *d)
{
    const struct at_rest_steps steps = {.step = log_step};
    enum err err = at_rest_go_on(d->options->home, &d->settings, d->store, &steps);
    if (err != ERR_BUSY && err != ERR_NOSPACE) return err;
    log_write(LOG_WARN,
              "at rest: the file was not rewritten (%s), and holds old pages; it will be "
              "at the next start",
              err_text(err));
    return OK;
}

static enum daemon_exit open_store(struct daemon *d)
{
    struct secret_key key;
    bool has_key;
    enum err err = home_box_key(d->options->home, &has_key, &key);
    const struct store_options options = {.read_only = d->options->check_only,
                                          .key = has_key ? &key : NULL};
    if (!err) err = store_open(&d->store, d->options->home, &options);
    crypto_wipe(&key, sizeof key);
    d->watch_lock = has_key;
    if (!err && !sign_key_equal(&store_identity(d->store)->device, &d->keys.signer.key))
        err = ERR_FOREIGN;
    if (!err && !options.read_only) err = go_on_at_rest(d);
    if (!err) err = views_open(&d->views, d->store);
    if (!err) err = use_keys(d);
    if (!err) return DAEMON_OK;
    const char *todo = "see sidan doctor";
    if (err == ERR_CORRUPT) todo = "put back a backup (sidan restore), or join as a new device";
    if (err == ERR_AGAIN) todo = "start the node: it makes the lists anew for this version";
    if (err == ERR_LOCKED) todo = "its boxes are under another passphrase than device.key";
    if (err == ERR_VERSION) todo = "install the newer version again";
    if (err == ERR_PERMISSION) todo = "run as the user who owns the home";
    if (err == ERR_READ_ONLY) todo = "have the disk looked at";
    return fail(DAEMON_FAILED, "store", err_text(err), todo);
}

static enum daemon_exit lock(struct daemon *d)
{
    enum err err = home_lock(d->options->home, &d->lock);
    if (err == ERR_BUSY)
        return fail(DAEMON_REFUSED, "already running", "another sidan-node has this home",
                    "stop that one first");
    if (err)
        return fail(DAEMON_FAILED, "node.lock", err_text(err),
                    err == ERR_READ_ONLY ? "have the disk looked at" : "check who owns the home");
    return DAEMON_OK;
}

/* --- runs --- */

static enum daemon_exit check(struct daemon *d)
{
    enum daemon_exit code = open_settings(d);
    if (!code) code = open_keys(d);
    if (code == DAEMON_LOCKED) {
        log_write(LOG_INFO, "the configuration is good; keys and store are locked (sidan unlock)");
        return DAEMON_OK;
    }
    if (!code && home_state(d->options->home) == HOME_JOINED) code = open_store(d);
    if (code) return code;
    log_write(LOG_INFO, "configuration, keys and store are good");
    return DAEMON_OK;
}

static enum daemon_exit join(struct daemon *d, const struct loop_options *loop)
{
    enum err err = loop_join(loop);
    switch (err) {
    case OK:
    case ERR_TIMEOUT: /* told to stop */
        return DAEMON_OK;
    case ERR_FORBIDDEN: /* logged */
        return DAEMON_REFUSED;
    case ERR_FOREIGN:
        return fail(DAEMON_FAILED, "joining", "a store of another township or device is here",
                    "join in a new home");
    default:
        return fail(DAEMON_FAILED, "joining", err_text(err), d->options->home);
    }
}

static enum daemon_exit run_loops(struct daemon *d)
{
    struct loop_options loop = {.home = d->options->home,
                                .settings = &d->settings,
                                .keys = &d->keys,
                                .wake = &d->wake,
                                .context = d->context};
    if (home_state(d->options->home) == HOME_JOINING) {
        enum daemon_exit code = join(d, &loop);
        if (code || home_state(d->options->home) != HOME_JOINED) return code;
        code = open_settings(d); /* the hub's addresses stand there now */
        if (code) return code;
    }
    enum daemon_exit code = open_store(d);
    if (code) return code;
    loop.watch_lock = d->watch_lock;
    enum err err = loop_run(&loop, d->store, d->views);
    if (!err) return DAEMON_OK;
    if (err == ERR_LOCKED) return DAEMON_LOCKED;
    return fail(DAEMON_FAILED, "stopped", err_text(err),
                err == ERR_BUSY ? "is another program on this port? see config: listen"
                                : "it will be started again, or see sidan doctor");
}

static enum daemon_exit run(struct daemon *d)
{
    enum daemon_exit code = open_settings(d);
    if (code) return code;
    log_write(LOG_INFO, "sidan-node " SIDAN_VERSION);
    set_limits();
    code = lock(d);
    if (code) return code;
    enum err err = wake_open(&d->wake); /* blocks signals before libzmq starts its threads */
    if (!err) code = open_keys(d);
    if (code == DAEMON_LOCKED) return DAEMON_OK; /* told to stop while it waited */
    if (code) return code;
    if (!err) err = zmq_link_context_open(&d->context);
    if (err)
        return fail(DAEMON_FAILED, "start", err_text(err), "too little memory or descriptors?");
    return run_loops(d);
}

enum daemon_exit daemon_run(const struct daemon_options *options)
{
    struct daemon d = {.options = options, .lock = -1, .wake = WAKE_CLOSED};
    umask(077);
    home_keep_process_private();
    set_memory();
    enum daemon_exit code = options->check_only ? check(&d) : run(&d);
    views_close(d.views);
    store_close(d.store);
    zmq_link_context_close(d.context);
    wake_close(&d.wake);
    device_keys_wipe(&d.keys);
    if (d.lock >= 0) close(d.lock);
    if (!options->check_only && !code) log_write(LOG_INFO, "stopped");
    return code;
}
