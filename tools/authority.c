#include "tools/authority.h"

#include "node/store/local.h"
#include "tools/output.h"

#include <string.h>

/* The authority signs only on top of every head that this node and its last peers showed. */
static bool is_behind(struct txn *t)
{
    const struct sign_key *township = &store_identity(txn_store(t))->township;
    struct feed feed = {.author = *township, .scope = scope_town(), .lane = LANE_NORMAL};
    struct feed_row row;
    struct peer_row peer;
    struct sign_key after = {0};
    bool behind = false;
    if (!feed_find(t, &feed, &row)) {
        return false;
    }
    while (!behind && peer_next(t, &after, &peer)) {
        for (size_t h = 0; h < peer.have_count && !behind; h++) {
            behind = memcmp(peer.have[h].feed8, row.id.bytes, sizeof peer.have[h].feed8) == 0 &&
                     log_find(t, row.number, peer.have[h].seq, peer.have[h].id8) == 0;
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
    if (code == EXIT_OK && is_behind(t)) {
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

static enum err record(struct cli *cli, const struct signer *authority, struct draft *drafts,
                       size_t count, struct kind_problem *problem)
{
    struct recorder *recorder = NULL;
    struct clock_reading clock;
    struct txn *t;
    struct recorder_options options = {
        .store = cli->store, .views = cli->views, .signer = authority, .authority = true};
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

int authority_record(struct cli *cli, const char *what, struct draft *drafts, size_t count)
{
    char passphrase[PASSPHRASE_SIZE_MAX + 1];
    struct signer authority;
    struct kind_problem problem = {0};
    int code = prompt_passphrase(cli, _("passphrase of the authority key"), false, passphrase);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = home_load_authority(cli->home, passphrase, &authority);
    crypto_wipe(passphrase, sizeof passphrase);
    if (e == ERR_NOT_FOUND) {
        return cli_error(cli, EXIT_NOT_FOUND, what, _("the authority's key is not in this folder"),
                         _("put authority.key back from the stick, beside config"));
    }
    if (e == OK) {
        e = record(cli, &authority, drafts, count, &problem);
        signer_clear(&authority);
    }
    return e == OK ? EXIT_OK : cli_fail_kind(cli, e, what, &problem);
}
