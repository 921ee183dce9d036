/* The part of `sidan doctor` about trust: whose records these are, and who may not be who he was.
 */
#include "node/lives.h"
#include "node/store/towns.h"
#include "tools/aside.h"
#include "tools/doctor.h"
#include "tools/erasures.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/trust_alarm.h"
#include "tools/words.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#define ERASURE_LATE_MS (UINT64_C(7) * 24 * 3600 * 1000)

static void look_at_forks(struct doctor *d, const struct standing *s)
{
    for (size_t i = 0; i < s->forks.count; i++) {
        const struct fork *f = &s->forks.all[i];
        if (!fork_is_news(f, s->now_ms)) continue;
        doctor_found(
            d, f->at ? "fork" : "continued", fork_words(d->cli, f),
            _("all records are kept; see to it that only one copy of that machine is in use"));
    }
}

static int look_at_trust(struct doctor *d, struct txn *txn)
{
    struct trust_alarm alarms[TRUST_ALARMS_MAX];
    size_t count;
    int code = trust_alarms(d->cli, txn, alarms, &count);
    for (size_t i = 0; i < count && !code; i++)
        doctor_found(d, alarms[i].code, alarms[i].what, alarms[i].todo);
    return code;
}

#define STORES_LATE_MS (UINT64_C(24) * 3600 * 1000)

/* A hub that was restored says which store it gave up as soon as it is told of both (H5). */
static void look_at_stores(struct doctor *d, struct txn *txn, const struct standing *s)
{
    for (size_t i = 0; i < s->roster->device_count; i++) {
        const struct device *hub = &s->roster->devices[i];
        struct town_kept k;
        uint64_t newest = 0;
        size_t stores = 0;
        for (uint8_t at[8] = {0}; towns_next_of(txn, &hub->first, at, &k); town_kept_clear(&k)) {
            stores++;
            if (k.state.number > newest) newest = k.state.number;
        }
        if (stores > 1 && newest + STORES_LATE_MS < s->now_ms)
            doctor_found(
                d, "hub-stores",
                cli_format(d->cli,
                           _("%s speaks from two stores and has not said which one it gave up"),
                           hub->name),
                _("sync with it; if it stays so, two copies of its disk are in use: sidan hub "
                  "faces"));
    }
}

static void look_at_invites(struct doctor *d, const struct standing *s)
{
    for (size_t i = 0; i < s->roster->device_count; i++)
        if (s->roster->devices[i].stolen)
            doctor_found(
                d, "invite",
                cli_format(d->cli, _("the invite of %s was used by a second machine"),
                           s->roster->devices[i].name),
                _("call the village and compare six words: sidan devices --words DEVICE, here "
                  "and on"
                  " the clerk's laptop; where they differ a stranger has joined: sidan revoke"
                  " DEVICE, then a new invite"));
}

/* `restore` keeps what it replaced, and nothing that is erased later leaves it. */
static void look_at_kept(struct doctor *d)
{
    DIR *dir = opendir(d->cli->home);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strncmp(e->d_name, "store.before-", strlen("store.before-")) == 0)
            doctor_found(d, "kept",
                         cli_format(d->cli, _("the records of before a restore are in %s"),
                                    cli_format(d->cli, "%s/%s", d->cli->home, e->d_name)),
                         _("when nothing is missing, delete the folder: what is erased stays in "
                           "it"));
    if (dir) closedir(dir);
}

/* The store was put back or copied: what that means for who works here. */
static void look_at_lives(struct doctor *d, struct txn *txn, const struct standing *s)
{
    enum life_cause found_now = LIFE_FIRST;
    size_t used = lives_used(txn, &s->self->key);
    if (lives_look(d->cli->store, &found_now) == OK && found_now == LIFE_ROLLED_BACK)
        doctor_found(d, "rolled-back",
                     _("this device's records are older than they were (an old backup?)"),
                     _("sidan sync first: the hub gives back what it has; nothing is lost there"));
    if (found_now == LIFE_COPIED)
        doctor_found(d, "copied", _("this folder is a copy of another one, or was moved"),
                     _("use only one of the two; what both have recorded is kept"));
    if (s->numbers_wait)
        doctor_found(d, "numbers",
                     _("no official number is given: after a restore some may be missing here"),
                     _("take the last one from paper: sidan numbers --last NUMBER"));
    if (s->numbers_after)
        doctor_found(d, "numbers-moved",
                     cli_format(d->cli,
                                _("no official number is given: %s gave them, and has not said yet"
                                  " that it gives none any more"),
                                s->numbers_after->name),
                     _("let it sync once; if it will not come back: sidan numbers --last NUMBER"));
    look_at_kept(d);
    if (used >= DEVICE_EPOCHS_MAX / 4 * 3)
        doctor_found(d, "lives",
                     cli_format(d->cli,
                                _("this device was put back or copied %zu times, of at most %u"),
                                used, DEVICE_EPOCHS_MAX),
                     _("ask the township for an invite and join anew in another folder"));
}

/* Whose records stand aside because what let it in does. How many that are. */
static uint64_t look_at_left_out(struct doctor *d, struct txn *txn, const struct standing *s)
{
    struct left_out all[LEFT_OUT_MAX];
    size_t count = aside_left_out(txn, s->roster, all, LEFT_OUT_MAX);
    uint64_t records = 0;
    for (size_t i = 0; i < count; i++) {
        const struct left_out *l = &all[i];
        const char *village = l->village[0] ? l->village : "town";
        doctor_found(
            d, "let-in",
            cli_format(d->cli,
                       _("%s %s was let in by what does not count any more: %" PRIu64
                         " records of it stand aside"),
                       l->village[0] ? lookup_village_name(s->roster, l->village) : "", l->name,
                       l->records),
            cli_format(d->cli,
                       _("if it is an honest one: sidan invite %s; there sidan join FILE, in the"
                         " folder that it has, and they count again"),
                       village));
        records += l->records;
    }
    return records;
}

/* The honest work of whoever lost the device may be among it. */
static void look_at_aside(struct doctor *d, struct txn *txn, const struct standing *s)
{
    uint64_t aside = aside_count(txn) - look_at_left_out(d, txn, s);
    if (aside)
        doctor_found(
            d, "aside",
            cli_format(d->cli,
                       _("%" PRIu64 " records of revoked devices, or of a replaced authority, stand"
                         " aside"),
                       aside),
            _("look at them: sidan log --aside; to keep some: sidan revoke DEVICE --keep"
              " FEED:SEQ:ID8"));
}

struct erasures_seen {
    struct doctor *doctor;
    uint64_t now_ms;
};

static bool look_at_erasure(void *state, const struct erasure *e)
{
    struct erasures_seen *seen = state;
    struct doctor *d = seen->doctor;
    if (e->pending_count && e->ordered_ms + ERASURE_LATE_MS < seen->now_ms)
        doctor_found(
            d, "erasure",
            cli_format(d->cli, _("an erasure of %s is not carried out everywhere: %s"),
                       words_ago(d->cli, e->ordered_ms, seen->now_ms),
                       erasure_waits_words(d->cli, e)),
            _("let them sync once; revoke one that does not come back: sidan revoke DEVICE"));
    return true;
}

static int look_at_erasures(struct doctor *d, struct txn *txn, const struct standing *s)
{
    struct erasures_seen seen = {.doctor = d, .now_ms = s->now_ms};
    if (erase_serial(txn) != erase_rewritten(txn) && !s->node_running)
        doctor_found(d, "old-pages", _("erased text is still in old pages of this store"),
                     _("start sidan-node, which rewrites it, or: sidan compact"));
    return s->hub ? erasures_each(d->cli, txn, s->roster, look_at_erasure, &seen) : EXIT_OK;
}

int doctor_trust(struct doctor *d, struct txn *txn, const struct standing *s)
{
    look_at_forks(d, s);
    look_at_invites(d, s);
    look_at_stores(d, txn, s);
    look_at_aside(d, txn, s);
    look_at_lives(d, txn, s);
    int code = look_at_trust(d, txn);
    return code ? code : look_at_erasures(d, txn, s);
}
