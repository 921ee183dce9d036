#include "tools/commands.h"
#include "tools/contact.h"
#include "tools/folder.h"
#include "tools/output.h"

#include "common/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INVITE_FILE_SIZE_MAX KIB(64)

enum { TIMEOUT_DEFAULT_MS = 30000, ATTEMPT_MS = 10000, PAUSE_MS = 500 };

struct joining {
    struct cli *cli;
    const char *file;
    struct invite invite;
    struct contact contact;
    bool admitted;
};

/* --- the invite --- */

static int refuse_invite(struct joining *j, const char *why, const char *todo)
{
    return cli_error(j->cli, EXIT_REFUSED,
                     cli_format(j->cli, _("the invite \"%s\" was not taken"), j->file), why, todo);
}

static int read_invite(struct joining *j)
{
    struct buf text = {0};
    enum err e = file_read(&text, j->file, INVITE_FILE_SIZE_MAX);
    if (e != OK) {
        return cli_fail(j->cli, e, cli_format(j->cli, _("%s cannot be read"), j->file));
    }
    e = invite_read(&j->invite, buf_slice(&text));
    crypto_wipe(text.data, text.size);
    buf_clear(&text);
    if (e == ERR_VERSION) {
        return refuse_invite(j, cli_err_text(e), _("install a newer sidan"));
    }
    return e == OK ? EXIT_OK
                   : refuse_invite(j, _("it is no invite, or it is damaged"),
                                   _("copy the whole file again, or ask for a new invite"));
}

static int check_expired(struct joining *j)
{
    char expires[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
    uint64_t now_ms = clock_machine_ms();
    if (now_ms < j->invite.expires_ms) {
        return EXIT_OK;
    }
    time_format(expires, j->invite.expires_ms);
    time_format(now, now_ms);
    return refuse_invite(j,
                         cli_format(j->cli, _("it expired on %s; this machine's clock says %s"),
                                    expires, now),
                         _("ask for a new invite, or set the clock if it is wrong"));
}

static bool same_invite(const struct invite *a, const struct invite *b)
{
    return crypto_equal(a->seed.bytes, b->seed.bytes, sizeof a->seed.bytes);
}

/* --- this home --- */

static int report(struct joining *j, const char *state)
{
    struct cli *cli = j->cli;
    if (cli->json) {
        json_t *o = output_json("sidan.join/1");
        const struct sign_key *key = &cli->keys.signer.key;
        json_object_set_new(o, "device", output_json_hex(key->bytes, sizeof key->bytes));
        json_object_set_new(o, "state", json_string(state));
        json_object_set_new(o, "name", json_string(j->invite.device_name));
        json_object_set_new(o, "village", json_string(j->invite.village));
        return output_json_end(o);
    }
    output_line(cli, _("joined %s as %s"), j->invite.township_name, j->invite.device_name);
    output_line(cli, _("next: sidan-node --home %s"), cli->home);
    return EXIT_OK;
}

/* A home that belongs to a township already: fine when it is by this invite. */
static int already_joined(struct joining *j)
{
    struct signer once;
    struct txn *t;
    const struct roster *roster;
    const struct device *self;
    int code = cli_open_keys(j->cli);
    if (code == EXIT_OK) {
        code = cli_open_views(j->cli);
    }
    if (code == EXIT_OK) {
        code = cli_begin(j->cli, &t);
    }
    if (code != EXIT_OK) {
        return code;
    }
    signer_from_seed(&once, &j->invite.seed);
    code = cli_roster(j->cli, t, &roster);
    self = code == EXIT_OK ? roster_device(roster, &j->cli->keys.signer.key) : NULL;
    bool same = self != NULL && sign_key_equal(&self->invite, &once.key);
    txn_abort(t);
    signer_clear(&once);
    if (code != EXIT_OK || same) {
        return code == EXIT_OK ? report(j, "joined") : code;
    }
    return cli_error(j->cli, EXIT_REFUSED,
                     cli_format(j->cli, _("the invite \"%s\" was not taken"), j->file),
                     cli_format(j->cli, _("the folder %s already belongs to a township"),
                                j->cli->home),
                     _("name a new folder with --home"));
}

/* Of an earlier `join`: goes on with the same invite; another takes its place once that one can no
 * longer be used. */
static int check_waiting(struct joining *j)
{
    struct invite waiting;
    if (home_state(j->cli->home) != HOME_JOINING) {
        return EXIT_OK;
    }
    enum err e = home_load_invite(j->cli->home, &waiting);
    if (e != OK) {
        return cli_fail(j->cli, e, _("what an earlier join left behind cannot be read"));
    }
    bool fine = same_invite(&waiting, &j->invite) ||
                (clock_machine_ms() >= waiting.expires_ms &&
                 sign_key_equal(&waiting.authority, &j->invite.authority));
    invite_wipe(&waiting);
    return fine ? EXIT_OK
                : refuse_invite(j, _("this folder waits with another invite"),
                                _("join with that one, or name a new folder with --home"));
}

static enum err open_keys(struct cli *cli)
{
    enum err e = home_load_keys(cli->home, &cli->keys);
    if (e == ERR_NOT_JOINED) {
        e = home_make_keys(cli->home, &cli->keys);
    }
    cli->has_keys = e == OK;
    return e;
}

static enum err open_store(struct joining *j)
{
    struct cli *cli = j->cli;
    struct store_identity identity = {.township = j->invite.authority,
                                      .device = cli->keys.signer.key};
    struct txn *t;
    crypto_random(identity.generation, sizeof identity.generation);
    enum err e = store_create(cli->home, &identity);
    if (e == ERR_EXISTS) {
        e = OK;
    }
    if (e == OK) {
        e = store_open(&cli->store, cli->home, &(struct store_options){0});
    }
    cli->store_writable = e == OK;
    if (e != OK) {
        return e;
    }
    const struct store_identity *found = store_identity(cli->store);
    if (!sign_key_equal(&found->township, &identity.township) ||
        !sign_key_equal(&found->device, &identity.device)) {
        return ERR_FOREIGN;
    }
    e = txn_begin(cli->store, true, &t);
    if (e == OK) { /* the exchange knows the hub by this until there is a roster */
        meta_put(t, "hub_device", slice_of(j->invite.acceptor.bytes, sizeof(struct sign_key)));
        e = txn_commit(t);
    }
    return e;
}

static enum err save_addresses(struct joining *j, struct settings_problem *problem)
{
    const char *given = cli_flag(j->cli, "--hub");
    struct buf list = {0};
    buf_append_text(&list, given != NULL ? given : "");
    for (size_t i = 0; given == NULL && i < j->invite.address_count; i++) {
        buf_printf(&list, "%s%s", i > 0 ? " " : "", j->invite.addresses[i]);
    }
    enum err e = settings_set(j->cli->home, "hub", buf_text(&list), problem);
    buf_clear(&list);
    return e;
}

static int prepare_home(struct joining *j)
{
    struct cli *cli = j->cli;
    struct settings_problem problem = {0};
    const char *what = cli_format(cli, _("%s cannot be made ready"), cli->home);
    int code = check_waiting(j);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = open_keys(cli);
    if (e == OK) {
        e = open_store(j);
    }
    if (e == OK) {
        e = views_open(&cli->views, cli->store);
    }
    if (e == OK) {
        e = save_addresses(j, &problem);
    }
    if (e == OK) {
        e = home_save_invite(cli->home, &j->invite);
    }
    if (e != OK && problem.text[0] != '\0') {
        return cli_error(cli, EXIT_USAGE, what, _(problem.text),
                         _("write it like tcp://10.8.0.1:7300"));
    }
    return e == OK ? EXIT_OK : cli_fail(cli, e, what);
}

/* --- the hub --- */

static void is_live(struct contact *c)
{
    (void)c;
}

/* The admission that this device may have without knowing: the hub's answer was lost on the way,
 * and the invite is used since. Its own key tells. */
static enum err first_sync(struct joining *j, const char *address, uint64_t until_ms)
{
    struct contact_hub hub = {.address = address, .key = j->invite.acceptor_transport};
    struct session_status status;
    return contact_sync(&j->contact, &hub, until_ms, is_live, &status);
}

static bool in_roster(struct joining *j)
{
    struct txn *t;
    const struct roster *roster;
    bool found = false;
    if (txn_begin(j->cli->store, false, &t) != OK) {
        return false;
    }
    if (views_roster(j->cli->views, t, &roster) == OK) {
        found = roster_device(roster, &j->cli->keys.signer.key) != NULL;
    }
    txn_abort(t);
    return found;
}

/* One address, one attempt. *refused: text of the hub's no. */
static enum err attempt(struct joining *j, const char *address, const char **refused)
{
    struct join_progress progress = {0};
    uint64_t until_ms = clock_monotonic_ms() + ATTEMPT_MS;
    if (until_ms > j->contact.deadline_ms) {
        until_ms = j->contact.deadline_ms;
    }
    enum err e = OK;
    if (!j->admitted) {
        output_note(j->cli, _("calling %s ..."), address);
        e = contact_join(&j->contact, address, &j->invite, until_ms, &progress);
    }
    if (e == OK && progress.state == JOIN_REFUSED) {
        *refused = cli_format(j->cli, "%s", progress.text);
        return ERR_FORBIDDEN;
    }
    bool denied = e == ERR_FORBIDDEN;
    if (e == OK || denied) {
        j->admitted = j->admitted || e == OK;
        e = first_sync(j, address, j->contact.deadline_ms);
    }
    if (in_roster(j)) {
        return OK;
    }
    if (denied && e != OK) {
        *refused = _("the hub does not know it, or it was used or has expired");
        return ERR_FORBIDDEN;
    }
    return e == OK ? ERR_AGAIN : e;
}

static int settle(struct joining *j)
{
    enum err e = home_mark_joined(j->cli->home);
    if (e == OK) {
        e = home_forget_invite(j->cli->home);
    }
    return e == OK ? report(j, "joined")
                   : cli_fail(j->cli, e, _("admitted, but it could not be kept"));
}

static int unreachable(struct joining *j)
{
    const char *why = j->contact.text[0] != '\0' ? _(j->contact.text) : NULL;
    return cli_error(j->cli, EXIT_UNREACHABLE,
                     j->admitted ? _("admitted, but the records did not come yet")
                                 : _("the hub was not reached; the invite is kept in this folder"),
                     why,
                     cli_format(j->cli, _("try again: sidan join %s; or start sidan-node"),
                                j->file));
}

static int call(struct joining *j)
{
    const char *given = cli_flag(j->cli, "--hub");
    const char *refused = NULL;
    size_t count = given != NULL ? 1 : j->invite.address_count;
    for (size_t i = 0; count > 0; i = (i + 1) % count) {
        const char *address = given != NULL ? given : j->invite.addresses[i];
        enum err e = attempt(j, address, &refused);
        if (e == OK) {
            return settle(j);
        }
        if (refused != NULL) {
            /* The keys stay for a new invite; a node on this folder must not go on asking. */
            if (home_forget_invite(j->cli->home) != OK) {
                output_note(j->cli, _("what was kept of it could not be removed"));
            }
            return refuse_invite(j, _(refused), _("ask the township for a new invite"));
        }
        if (e == ERR_RANGE || e == ERR_NOMEM || e == ERR_NOSPACE || e == ERR_CORRUPT) {
            return cli_fail(j->cli, e, cli_format(j->cli, _("joining by %s failed"), address));
        }
        if (contact_is_over(&j->contact)) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return unreachable(j);
}

/* A node runs on this home and joins by itself: waits for it. */
static int wait_for_node(struct joining *j, uint64_t timeout_ms)
{
    uint64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    output_note(j->cli, _("sidan-node runs here and is joining; waiting for it ..."));
    while (home_state(j->cli->home) != HOME_JOINED) {
        if (clock_monotonic_ms() >= deadline_ms) {
            return unreachable(j);
        }
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return already_joined(j);
}

static int join(struct joining *j)
{
    struct cli *cli = j->cli;
    uint64_t timeout_ms = cli_timeout_ms(cli, TIMEOUT_DEFAULT_MS);
    int lock = -1;
    if (home_state(cli->home) == HOME_JOINED) {
        return already_joined(j);
    }
    int code = check_expired(j);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = folder_make(cli->home);
    if (e == OK) {
        e = home_lock(cli->home, &lock);
    }
    if (e == ERR_BUSY) {
        return wait_for_node(j, timeout_ms);
    }
    if (e != OK) {
        return cli_fail(cli, e, cli_format(cli, _("%s cannot be used"), cli->home));
    }
    code = prepare_home(j);
    if (code == EXIT_OK) {
        code = contact_begin(&j->contact, cli, timeout_ms);
    }
    if (code == EXIT_OK) {
        code = call(j);
        contact_end(&j->contact);
    }
    close(lock);
    return code;
}

int cmd_join(struct cli *cli)
{
    struct joining j = {.cli = cli, .file = cli_argument(cli, 0)};
    int code = read_invite(&j);
    if (code == EXIT_OK) {
        code = join(&j);
    }
    invite_wipe(&j.invite);
    return code;
}
