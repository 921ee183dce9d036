#include "tools/carried_text.h"
#include "tools/commands.h"
#include "tools/contact.h"
#include "common/folder.h"
#include "tools/hint.h"
#include "tools/join_carried.h"
#include "tools/output.h"

#include "common/time.h"
#include "node/joining.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_DEFAULT_MS = 30000, ATTEMPT_MS = 10000, PAUSE_MS = 500 };

struct joining {
    struct cli *cli;
    const char *file;
    struct invite invite;
    struct contact contact;
    bool told;         /* that all addresses are tried, and again */
    bool again;        /* into the folder that it has: see may_join_again */
    char refused[160]; /* the hub's no */
};

/* --- the invite --- */

static int refuse_invite(struct joining *j, const char *why, const char *todo)
{
    return cli_error(j->cli, EXIT_REFUSED,
                     cli_format(j->cli, _("the invite \"%s\" was not taken"), j->file), why, todo);
}

static int take_invite(struct joining *j, struct slice text)
{
    enum err e = invite_read(&j->invite, text);
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
    return refuse_invite(
        j, cli_format(j->cli, _("it expired on %s; this machine's clock says %s"), expires, now),
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
    hint_line(cli, _("next: sidan-node --home %s"), cli->home);
    return EXIT_OK;
}

/* Is this device in the roster that it holds, and by which invite? */
static const struct device *find_self(struct joining *j, struct txn *t)
{
    const struct roster *roster;
    return views_roster(j->cli->views, t, &roster) == OK
               ? roster_device(roster, &j->cli->keys.signer.key)
               : NULL;
}

static int check_self(struct joining *j, bool *known, bool *same)
{
    struct txn *t;
    struct signer once;
    int code = cli_begin(j->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    const struct device *self = find_self(j, t);
    signer_from_seed(&once, &j->invite.seed);
    *known = self != NULL;
    *same = self != NULL && sign_key_equal(&self->invite, &once.key);
    signer_clear(&once);
    txn_abort(t);
    return EXIT_OK;
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

static int prepare_home(struct joining *j)
{
    struct cli *cli = j->cli;
    struct settings_problem problem = {0};
    const char *what = cli_format(cli, _("%s cannot be made ready"), cli->home);
    const char *given = cli_flag(cli, "--hub");
    int code = check_waiting(j);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = open_keys(cli);
    if (e == OK && given != NULL) {
        e = settings_set(cli->home, "hub", given, &problem);
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

/* One address, one attempt; an invite that is denied is perhaps used because this device is in the
 * roster already, and only the hub's answer was lost: then the hub lets its own key in. */
static enum err attempt(struct joining *j, const char *address)
{
    struct join_progress progress = {0};
    uint64_t until_ms = clock_monotonic_ms() + ATTEMPT_MS;
    if (until_ms > j->contact.deadline_ms) {
        until_ms = j->contact.deadline_ms;
    }
    if (!j->told) {
        output_note(j->cli, _("calling %s ..."), address);
    }
    enum err e = contact_join(&j->contact, address, &j->invite, until_ms, &progress);
    if (e == ERR_FORBIDDEN) {
        struct contact_hub hub = {.address = address, .key = j->invite.acceptor_transport};
        e = contact_probe(&j->contact, &hub, until_ms);
        if (e == ERR_FORBIDDEN) {
            snprintf(j->refused, sizeof j->refused, "%s",
                     _("the hub does not know it, or it was used or has expired"));
        }
    } else if (e == OK && progress.state == JOIN_REFUSED) {
        snprintf(j->refused, sizeof j->refused, "%s", _(progress.text));
        e = ERR_FORBIDDEN;
    }
    return e;
}

static int belongs_already(struct joining *j)
{
    return refuse_invite(
        j, cli_format(j->cli, _("the folder %s already belongs to a township"), j->cli->home),
        _("name a new folder with --home"));
}

static int refused(struct joining *j)
{
    if (j->again) return belongs_already(j);
    /* The keys stay for a new invite; a node on this folder must not go on asking. */
    if (home_forget_invite(j->cli->home) != OK) {
        output_note(j->cli, _("what was kept of it could not be removed"));
    }
    return refuse_invite(j, j->refused, _("ask the township for a new invite"));
}

static int unreachable(struct joining *j)
{
    if (j->again)
        return cli_error(j->cli, EXIT_UNREACHABLE, _("the hub was not reached"),
                         j->contact.text[0] != '\0' ? _(j->contact.text) : NULL,
                         cli_format(j->cli, _("try again: sidan join %s"), j->file));
    return cli_error(
        j->cli, EXIT_UNREACHABLE, _("the hub was not reached; the invite is kept in this folder"),
        j->contact.text[0] != '\0' ? _(j->contact.text) : NULL,
        cli_format(j->cli, _("try again: sidan join %s; or start sidan-node"), j->file));
}

/* The roster and this village's records, in the same command. */
static void ignore_live(struct contact *c)
{
    (void)c;
}

static void ignore_calling(struct contact *c, const char *address)
{
    (void)c, (void)address;
}

static int first_sync(struct joining *j)
{
    struct contact_target target;
    struct contact_done done;
    const struct contact_words silent = {.calling = ignore_calling, .live = ignore_live};
    int code = cli_open_store_writable(j->cli);
    if (code == EXIT_OK) {
        code = cli_open_views(j->cli);
    }
    if (code == EXIT_OK) {
        code = contact_target(j->cli, &target);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = contact_sync(&j->contact, &target, &silent, &done);
    if (e == OK) {
        return EXIT_OK;
    }
    return cli_error(j->cli, e == ERR_TIMEOUT ? EXIT_TIMED_OUT : EXIT_UNREACHABLE,
                     _("joined, but not all records have come yet"),
                     j->contact.text[0] != '\0' ? _(j->contact.text) : cli_err_text(e),
                     _("sidan sync, or start sidan-node: it goes on by itself"));
}

static int complete_again(struct joining *j)
{
    int code = cli_open_store_writable(j->cli);
    if (code == EXIT_OK) {
        code = cli_open_views(j->cli);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = joining_again(j->cli->store, j->cli->views, &j->invite);
    if (e != OK) {
        return cli_fail(j->cli, e, _("admitted, but it could not be kept"));
    }
    code = first_sync(j);
    return code == EXIT_OK ? report(j, "joined") : code;
}

static int complete(struct joining *j)
{
    if (j->again) return complete_again(j);
    enum err e = joining_complete(j->cli->home, &j->invite, &j->cli->keys);
    if (e != OK) {
        return cli_fail(j->cli, e, _("admitted, but it could not be kept"));
    }
    int code = first_sync(j);
    return code == EXIT_OK ? report(j, "joined") : code;
}

static int call(struct joining *j)
{
    const char *given = cli_flag(j->cli, "--hub");
    size_t count = given != NULL ? 1 : j->invite.address_count;
    for (size_t i = 0; count > 0; i = (i + 1) % count) {
        const char *address = given != NULL ? given : j->invite.addresses[i];
        enum err e = attempt(j, address);
        if (e == OK) {
            return complete(j);
        }
        if (e == ERR_FORBIDDEN) {
            return refused(j);
        }
        if (e != ERR_UNREACHABLE && e != ERR_TIMEOUT && e != ERR_AGAIN) {
            return cli_fail(j->cli, e, cli_format(j->cli, _("joining by %s failed"), address));
        }
        if (contact_is_over(&j->contact)) {
            break;
        }
        j->told = j->told || i + 1 == count;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return unreachable(j);
}

/* What let this device in does not count any more (the authority was replaced without it): the hub
 * knows neither it nor its records, and does again once it was let in with the key that it has.
 * Of one that was revoked the hub refuses that. */
static bool may_join_again(struct joining *j)
{
    const struct store_identity *own = store_identity(j->cli->store);
    const char *given = cli_flag(j->cli, "--hub");
    const struct contact_hub hub = {.address = given ? given : j->invite.addresses[0],
                                    .key = j->invite.acceptor_transport};
    if (!sign_key_equal(&own->township, &j->invite.authority) ||
        !sign_key_equal(&own->device, &j->cli->keys.signer.key))
        return false; /* by its first key alone, which names it */
    if (!given && j->invite.address_count == 0) return false;
    return contact_probe(&j->contact, &hub, clock_monotonic_ms() + ATTEMPT_MS) == ERR_FORBIDDEN;
}

/* A home that belongs to a township already: fine when it is by this invite. */
static int already_joined(struct joining *j)
{
    struct cli *cli = j->cli;
    bool known = false, same = false;
    int code = cli_open_keys(cli);
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = check_self(j, &known, &same);
    }
    if (code == EXIT_OK && !known && !may_join_again(j)) { /* the first sync was cut short */
        code = first_sync(j);
        if (code == EXIT_OK) {
            code = check_self(j, &known, &same);
        }
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (same) return report(j, "joined");
    j->again = may_join_again(j);
    return j->again ? call(j) : belongs_already(j);
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

static int join_here(struct joining *j)
{
    int code = prepare_home(j);
    if (code == EXIT_OK && cli_has(j->cli, "--offline")) {
        return join_carried_request(j->cli, &j->invite);
    }
    return code == EXIT_OK ? call(j) : code;
}

static int join(struct joining *j)
{
    struct cli *cli = j->cli;
    uint64_t timeout_ms = cli_timeout_ms(cli, TIMEOUT_DEFAULT_MS);
    bool joined = home_state(cli->home) == HOME_JOINED;
    int lock = -1;
    int code = joined ? EXIT_OK : check_expired(j);
    if (code == EXIT_OK) {
        code = contact_begin(&j->contact, cli, timeout_ms);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = joined ? OK : folder_make(cli->home);
    if (e == OK && !joined) {
        e = home_lock(cli->home, &lock);
    }
    if (e == ERR_BUSY) {
        code = wait_for_node(j, timeout_ms);
    } else if (e != OK) {
        code = cli_fail(cli, e, cli_format(cli, _("%s cannot be used"), cli->home));
    } else {
        code = joined ? already_joined(j) : join_here(j);
    }
    contact_end(&j->contact);
    if (lock >= 0) {
        close(lock);
    }
    return code;
}

int cmd_join(struct cli *cli)
{
    struct joining j = {.cli = cli, .file = cli_argument(cli, 0)};
    struct buf text = {0};
    int code = carried_text_read(cli, j.file, &text);
    if (code == EXIT_OK && join_carried_is_answer(buf_slice(&text))) {
        code = join_carried_answer(cli, j.file, buf_slice(&text));
    } else if (code == EXIT_OK) {
        code = take_invite(&j, buf_slice(&text));
        code = code == EXIT_OK ? join(&j) : code;
    }
    if (text.data != NULL) {
        crypto_wipe(text.data, text.size);
    }
    buf_clear(&text);
    invite_wipe(&j.invite);
    return code;
}
