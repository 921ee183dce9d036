#include "tools/authority.h"

#include "node/store/local.h"
#include "tools/output.h"

#include <string.h>

/* Does the peer show a head of this feed that is not held here? */
static bool shows_more(struct txn *t, const struct feed_row *feed, const struct peer_row *peer)
{
    for (size_t h = 0; h < peer->have_count; h++) {
        const struct peer_have *have = &peer->have[h];
        if (memcmp(have->feed8, feed->id.bytes, sizeof have->feed8) == 0 &&
            log_find(t, feed->number, have->seq, have->id8) == 0) {
            return true;
        }
    }
    return false;
}

/* The authority signs only on top of every head of the roster that this node and its last peers
 * showed, by whichever authority and in whichever epoch. */
static bool is_behind(struct txn *t, const struct roster *roster)
{
    struct feed_row feed;
    struct peer_row peer;
    struct sign_key after = {0};
    bool behind = false;
    while (!behind && peer_next(t, &after, &peer)) {
        uint32_t feeds = feed_count(t);
        for (uint32_t n = 1; n <= feeds && !behind && feed_get(t, n, &feed); n++) {
            bool townships = roster_is_authority(roster, &feed.feed.author) ||
                             roster_is_recovery(roster, &feed.feed.author);
            behind = townships && shows_more(t, &feed, &peer);
        }
        peer_row_clear(&peer);
    }
    return behind;
}

int authority_ready(struct cli *cli, struct txn *t, const char *what)
{
    const struct roster *roster;
    const struct device *hub = NULL;
    int code = cli_roster(cli, t, &roster);
    if (code == EXIT_OK) {
        code = cli_self(cli, roster, &hub);
    }
    if (code == EXIT_OK && is_behind(t, roster)) {
        code = cli_error(cli, EXIT_REFUSED, what,
                         _("another node holds newer roster records than this one"),
                         _("sync first: sidan sync"));
    }
    if (code == EXIT_OK && !(hub->roles & ROLE_HUB)) {
        code = cli_error(cli, EXIT_REFUSED, what, _("this device is not the hub"),
                         _("run it on the hub"));
    }
    return code;
}

static enum err add_all(struct recorder *recorder, struct draft *drafts, size_t count,
                        struct kind_problem *problem)
{
    struct recorded recorded;
    for (size_t i = 0; i < count; i++) {
        drafts[i].scope = scope_town();
        drafts[i].lane = LANE_NORMAL;
        enum err e = recorder_add(recorder, &drafts[i], &recorded, problem);
        if (e != OK) {
            recorder_abort(recorder);
            return e;
        }
    }
    return recorder_commit(recorder);
}

enum err authority_sign(struct cli *cli, const struct signer *signer, bool recovery,
                        struct draft *drafts, size_t count, struct kind_problem *problem)
{
    struct recorder *recorder = NULL;
    struct clock_reading clock;
    struct txn *t;
    struct recorder_options options = {.store = cli->store,
                                       .views = cli->views,
                                       .signer = signer,
                                       .authority = !recovery,
                                       .recovery = recovery};
    enum err e = txn_begin(cli->store, false, &t);
    if (e == OK) {
        clock_read(t, &clock);
        txn_abort(t);
        e = recorder_open(&recorder, &options);
    }
    if (e == OK) {
        e = recorder_begin(recorder, &clock);
    }
    if (e == OK) {
        e = add_all(recorder, drafts, count, problem);
    }
    recorder_close(recorder);
    return e;
}

/* --- the key ------------------------------------------------------------------------------- */

static enum err key_in_force(struct cli *cli, struct sign_key *out)
{
    struct txn *t;
    const struct roster *roster;
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    e = views_roster(cli->views, t, &roster);
    if (e == OK) {
        *out = roster_authority(roster)->key;
    }
    txn_abort(t);
    return e;
}

static enum err load(struct cli *cli, enum authority_file which, const char *passphrase,
                     const struct sign_key *in_force, struct authority_keys *out)
{
    enum err e = home_load_authority(cli->home, which, passphrase, out);
    if (e == OK && !sign_key_equal(&out->signer.key, in_force)) {
        authority_keys_wipe(out);
        e = ERR_FOREIGN;
    }
    return e;
}

static int refuse_key(struct cli *cli, enum err e, const char *what)
{
    if (e == ERR_NOT_FOUND) {
        return cli_error(cli, EXIT_NOT_FOUND, what, _("the authority's key is not in this folder"),
                         _("put authority.key back from the stick, beside config"));
    }
    if (e == ERR_FOREIGN) {
        return cli_error(cli, EXIT_REFUSED, what,
                         _("authority.key is of an authority that was replaced"),
                         _("use the authority.key that was made when it was replaced"));
    }
    return cli_fail(cli, e, what);
}

int authority_open(struct cli *cli, const char *what, struct authority_keys *out,
                   char passphrase[PASSPHRASE_SIZE_MAX + 1])
{
    struct sign_key in_force;
    int code = prompt_passphrase(cli, _("passphrase of the authority key"), false, passphrase);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = key_in_force(cli, &in_force);
    if (e == OK) {
        e = load(cli, AUTHORITY_IN_FORCE, passphrase, &in_force, out);
    }
    /* A replacement that was cut short after its event: it is finished here. */
    if (e != OK && load(cli, AUTHORITY_NEXT, passphrase, &in_force, out) == OK) {
        e = home_promote_authority(cli->home);
    }
    return e == OK ? EXIT_OK : refuse_key(cli, e, what);
}

int authority_record(struct cli *cli, const char *what, struct draft *drafts, size_t count)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    struct authority_keys keys;
    struct kind_problem problem = {0};
    int code = authority_open(cli, what, &keys, passphrase);
    crypto_wipe(passphrase, sizeof passphrase);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = authority_sign(cli, &keys.signer, false, drafts, count, &problem);
    authority_keys_wipe(&keys);
    return e == OK ? EXIT_OK : cli_fail_kind(cli, e, what, &problem);
}
