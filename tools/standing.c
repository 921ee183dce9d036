#include "tools/standing.h"

#include "node/lives.h"
#include "node/series.h"
#include "node/store/hubs.h"
#include "node/views/request.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    char sign;
    const char *name;
    const char *here, *at_hub;
} states[] = {
    [STANDING_FAULT] = {'!', "fault", N_("fault"), N_("fault")},
    [STANDING_OFFLINE] = {'.', "offline", N_("offline"), N_("offline")},
    [STANDING_NEVER] = {'?', "never", N_("never heard of"), N_("never heard of")},
    [STANDING_PAUSED] = {'#', "paused", N_("paused"), N_("paused")},
    [STANDING_UNSENT] = {'>', "unsent", N_("to be sent"), N_("to be received")},
    [STANDING_BEHIND] = {'<', "behind", N_("behind"), N_("behind")},
    [STANDING_SYNCING] = {'~', "syncing", N_("syncing"), N_("syncing")},
    [STANDING_SYNCED] = {'=', "synced", N_("synced"), N_("fine")},
};

char standing_sign(enum standing_state s)
{
    return states[s].sign;
}

const char *standing_name(enum standing_state s)
{
    return states[s].name;
}

const char *standing_words(enum standing_state s, bool hub)
{
    return _(hub ? states[s].at_hub : states[s].here);
}

/* --- feeds against a peer's have-vector ---
 * A peer names feeds by the first 8 bytes of their ids; so do its rows. */
#define ID8 8

static int compare_feeds(const void *a, const void *b)
{
    const struct feed_row *x = a, *y = b;
    return memcmp(x->id.bytes, y->id.bytes, ID8);
}

static int compare_feed8(const void *feed8, const void *feed)
{
    return memcmp(feed8, ((const struct feed_row *)feed)->id.bytes, ID8);
}

/* Of a hub that gives them, or that they were moved to. */
static void read_numbers(struct txn *txn, struct standing *s)
{
    size_t at = 0;
    const enum series_state state = series_state(txn, s->roster);
    s->numbers_wait = s->hub && state != SERIES_ELSEWHERE && lives_numbers_wait(txn);
    if (state == SERIES_WAITS) s->numbers_after = series_awaited(txn, s->roster, &at);
}

static int read_feeds(struct cli *cli, struct txn *txn, struct standing *s)
{
    uint32_t count = feed_count(txn);
    s->feeds = calloc(count ? count : 1, sizeof *s->feeds);
    if (!s->feeds) return cli_fail(cli, ERR_NOMEM, _("the feeds cannot be read"));
    for (uint32_t number = 1; number <= count; number++) {
        struct feed_row row;
        if (!feed_get(txn, number, &row)) continue;
        size_t at = s->feed_count + s->hidden_count;
        if (visible_by(s->self, &row.feed.scope)) {
            s->feeds[at] = s->feeds[s->feed_count];
            at = s->feed_count++;
        } else {
            s->hidden_count++;
        }
        s->feeds[at] = row;
    }
    qsort(s->feeds, s->feed_count, sizeof *s->feeds, compare_feeds);
    read_numbers(txn, s);
    enum err e = forks_find(&s->forks, txn, s->roster, s->feeds, s->feed_count);
    return e ? cli_fail(cli, e, _("the feeds cannot be read")) : EXIT_OK;
}

/* The entries of a peer's vector that are about one feed. */
static size_t have_of(const struct peer_row *row, const struct feed_id *id,
                      const struct peer_have **first)
{
    size_t low = 0, high = row->have_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(row->have[middle].feed8, id->bytes, ID8) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = row->have + low;
    size_t count = 0;
    while (low + count < row->have_count &&
           memcmp(row->have[low + count].feed8, id->bytes, ID8) == 0)
        count++;
    return count;
}

static bool is_head(const struct feed_row *f, const struct peer_have *h)
{
    for (size_t i = 0; i < f->head_count; i++)
        if (f->heads[i].seq == h->seq && memcmp(f->heads[i].id.bytes, h->id8, sizeof h->id8) == 0)
            return true;
    return false;
}

/* What the peer lacks of one of our branches, counted from the highest event below its head that
 * the peer showed and that is held here. */
static uint64_t missing_of_head(struct txn *txn, const struct feed_row *f, const struct head *head,
                                const struct peer_have *have, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (have[i].seq == head->seq && memcmp(have[i].id8, head->id.bytes, 8) == 0) return 0;
    for (size_t i = 0; i < count; i++) /* the highest first */
        if (have[i].seq <= head->seq && log_find(txn, f->number, have[i].seq, have[i].id8))
            return head->seq - have[i].seq ? head->seq - have[i].seq : 1;
    return head->seq;
}

static bool compare_feed(struct txn *txn, const struct feed_row *f, const struct peer_have *have,
                         size_t count, struct standing_peer *p)
{
    bool equal = count == f->head_count;
    for (size_t i = 0; i < f->head_count; i++) {
        uint64_t missing = missing_of_head(txn, f, &f->heads[i], have, count);
        p->theirs_missing += missing;
        if (missing) equal = false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_head(f, &have[i])) continue;
        equal = false;
        if (log_find(txn, f->number, have[i].seq, have[i].id8)) continue;
        uint64_t ours = f->head_count ? f->heads[0].seq : 0;
        p->ours_missing += have[i].seq > ours ? have[i].seq - ours : 1;
    }
    return equal;
}

static bool is_held(const struct standing *s, const uint8_t feed8[ID8])
{
    for (size_t i = 0; i < s->hidden_count; i++)
        if (compare_feed8(feed8, &s->feeds[s->feed_count + i]) == 0) return true;
    return bsearch(feed8, s->feeds, s->feed_count, sizeof *s->feeds, compare_feed8) != NULL;
}

/* Events that the peer showed of feeds not held here at all. */
static uint64_t unknown_feeds(const struct standing *s, const struct peer_row *row)
{
    uint64_t events = 0;
    for (size_t i = 0; i < row->have_count; i++) {
        const uint8_t *feed8 = row->have[i].feed8;
        bool first = i == 0 || memcmp(feed8, row->have[i - 1].feed8, ID8) != 0;
        if (first && !is_held(s, feed8)) events += row->have[i].seq;
    }
    return events;
}

/* True: the peer showed exactly the heads that are held here, of all that it may hold. */
static bool compare_vectors(struct txn *txn, const struct standing *s, const struct peer_row *row,
                            struct standing_peer *p)
{
    bool equal = true;
    for (size_t i = 0; i < s->feed_count; i++) {
        const struct feed_row *f = &s->feeds[i];
        const struct peer_have *have;
        bool own = roster_has_key(s->roster, p->device, &f->feed.author);
        if (!own && !device_may_hold(p->device, &f->feed.scope)) continue;
        size_t count = have_of(row, &f->id, &have);
        uint64_t missing = p->theirs_missing;
        if (!compare_feed(txn, f, have, count, p)) equal = false;
        /* It may have said more since it was last here, which came by another one. */
        if (own && !p->current) p->theirs_missing = missing;
    }
    uint64_t unknown = unknown_feeds(s, row);
    p->ours_missing += unknown;
    return equal && unknown == 0;
}

/* --- one peer --- */

static void look_at_own_feeds(const struct standing *s, struct standing_peer *p)
{
    for (size_t i = 0; i < s->feed_count; i++) {
        const struct feed_row *f = &s->feeds[i];
        if (!roster_has_key(s->roster, p->device, &f->feed.author)) continue;
        p->written += f->events;
    }
    for (size_t i = 0; i < s->forks.count; i++) {
        const struct fork *f = &s->forks.all[i];
        if (f->device != p->device || !fork_is_news(f, s->now_ms)) continue;
        if (!p->fork || (f->at && (!p->fork->at || p->fork->settled))) p->fork = f;
    }
}

/* Two versions, and its device has not said yet that it knows both. */
static bool is_forked(const struct standing_peer *p)
{
    return p->fork && p->fork->at && !p->fork->settled;
}

static enum standing_digest compare_views(struct txn *txn, const struct standing *s,
                                          const struct peer_row *row, const struct device *d)
{
    uint8_t views8[8];
    if (!row->has_views || views_shared8(txn, s->self, d, views8)) return DIGEST_UNKNOWN;
    return memcmp(views8, row->views8, sizeof views8) == 0 ? DIGEST_EQUAL : DIGEST_DIFFERS;
}

static enum standing_state state_of(const struct standing *s, const struct standing_peer *p,
                                    enum peer_state seen)
{
    /* `>` is what still has to come up to the township, `<` what has to go down. */
    uint64_t up = s->hub ? p->ours_missing : p->theirs_missing;
    uint64_t down = s->hub ? p->theirs_missing : p->ours_missing;
    if (seen == PEER_FAULT || is_forked(p)) return STANDING_FAULT;
    if (p->last_ok_ms == 0) return p->last_attempt_ms ? STANDING_OFFLINE : STANDING_NEVER;
    if (!p->current) return STANDING_OFFLINE;
    if (up) return STANDING_UNSENT;
    if (down) return STANDING_BEHIND;
    return seen == PEER_SYNCED ? STANDING_SYNCED : STANDING_SYNCING;
}

/* What came by another device since it was last here itself. */
static void look_at_through(struct txn *txn, const struct standing *s, struct standing_peer *p)
{
    struct via via;
    if (!s->hub || !via_get(txn, &p->device->first, &via) || via.wall_ms <= p->last_ok_ms) return;
    p->through = roster_device(s->roster, &via.from);
    p->through_ms = via.wall_ms;
}

static void read_peer(struct txn *txn, const struct standing *s, const struct device *d,
                      struct standing_peer *p)
{
    struct peer_row row;
    *p = (struct standing_peer){.device = d, .state = STANDING_NEVER};
    p->neighbour = !s->hub && !device_is_township(d);
    look_at_own_feeds(s, p);
    bool known = peer_get(txn, &d->first, &row);
    p->last_ok_ms = known ? row.last_ok_ms : 0;
    look_at_through(txn, s, p);
    if (!known) {
        if (is_forked(p)) p->state = STANDING_FAULT;
        return;
    }
    p->last_attempt_ms = row.last_attempt_ms;
    if (s->node_running && row.next_attempt_ms > s->now_ms)
        p->next_attempt_ms = row.next_attempt_ms;
    p->failures = row.failures;
    p->last_error = (enum err)row.last_error;
    p->current = s->node_running && (row.state == PEER_SYNCED || row.state == PEER_SYNCING);
    if (p->current) p->through = NULL; /* it is here itself */
    p->clock_known = row.clock_trusted;
    p->clock_offset_ms = row.clock_offset_ms;
    p->disk_free_mib = row.disk_free_mib;
    p->rate_bps = row.rate_bps;
    p->rtt_ms = row.rtt_ms;
    p->traffic = month_peer(txn, &s->month, &d->first);
    if (compare_vectors(txn, s, &row, p)) p->digest = compare_views(txn, s, &row, d);
    p->state = state_of(s, p, (enum peer_state)row.state);
    peer_row_clear(&row);
}

/* --- all of them --- */

static int compare_peers(const void *a, const void *b)
{
    const struct standing_peer *x = a, *y = b;
    int order = strcmp(x->device->village, y->device->village);
    return order ? order : x->device->letter - y->device->letter;
}

static int read_peers(struct cli *cli, struct txn *txn, struct standing *s)
{
    s->peers = calloc(s->roster->device_count + 1, sizeof *s->peers);
    if (!s->peers) return cli_fail(cli, ERR_NOMEM, _("the peers cannot be read"));
    for (size_t i = 0; i < s->roster->device_count; i++) {
        const struct device *d = &s->roster->devices[i];
        if (d == s->self || d->state != DEVICE_JOINED) continue;
        struct standing_peer *p = &s->peers[s->peer_count];
        read_peer(txn, s, d, p);
        bool met = p->last_ok_ms || p->last_attempt_ms;
        if (s->hub || device_is_township(d) || met) s->peer_count++;
    }
    qsort(s->peers, s->peer_count, sizeof *s->peers, compare_peers);
    return EXIT_OK;
}

bool standing_is_heard_through(const struct standing_peer *p)
{
    return p->through && (p->state == STANDING_NEVER || p->state == STANDING_OFFLINE);
}

/* One that is not here itself, and whose records come by another one, says nothing of how the
 * village stands; `first`: of those that do. */
static void join_peer(struct standing_village *v, const struct standing_peer *p, bool first)
{
    if (!standing_is_heard_through(p)) {
        if (first || p->state < v->state) v->state = p->state;
        if (first || p->digest == DIGEST_DIFFERS ||
            (p->digest == DIGEST_UNKNOWN && v->digest == DIGEST_EQUAL))
            v->digest = p->digest;
    }
    if (p->last_ok_ms > v->last_ok_ms) v->last_ok_ms = p->last_ok_ms;
    if (p->last_attempt_ms > v->last_attempt_ms) v->last_attempt_ms = p->last_attempt_ms;
    v->got += p->written;
    v->known += p->written + p->ours_missing;
    v->known_sure = v->known_sure && p->current;
    v->peer_count++;
}

static int read_village(struct cli *cli, struct txn *txn, const struct standing *s,
                        struct standing_village *v)
{
    struct scope scope = scope_of_village(v->village->code);
    struct scope_row row;
    bool first = true;
    v->state = STANDING_NEVER;
    v->known_sure = true;
    for (size_t i = 0; i < s->peer_count; i++) {
        if (strcmp(s->peers[i].device->village, v->village->code) != 0) continue;
        if (v->peer_count == 0) v->peer_at = i;
        join_peer(v, &s->peers[i], first);
        first = first && standing_is_heard_through(&s->peers[i]);
    }
    v->known_sure = v->known_sure && v->peer_count > 0;
    if (!scope_find(txn, &scope, &row)) return EXIT_OK;
    enum err e = requests_count_open(txn, row.number, s->now_ms, &v->open, &v->overdue);
    return e ? cli_fail(cli, e, _("the requests cannot be counted")) : EXIT_OK;
}

static int read_villages(struct cli *cli, struct txn *txn, struct standing *s)
{
    int code = EXIT_OK;
    s->villages = calloc(s->roster->village_count + 1, sizeof *s->villages);
    if (!s->villages) return cli_fail(cli, ERR_NOMEM, _("the villages cannot be read"));
    for (size_t i = 0; i < s->roster->village_count && !code; i++) {
        struct standing_village *v = &s->villages[s->village_count++];
        v->village = &s->roster->villages[i];
        code = read_village(cli, txn, s, v);
        s->counts[v->state]++;
        if (v->last_ok_ms > s->last_ok_ms) s->last_ok_ms = v->last_ok_ms;
        if (v->last_attempt_ms > s->last_attempt_ms) s->last_attempt_ms = v->last_attempt_ms;
    }
    return code;
}

const struct standing_peer *standing_upstream(const struct standing *s)
{
    const struct standing_peer *best = NULL;
    for (size_t i = 0; i < s->peer_count; i++) {
        const struct standing_peer *p = &s->peers[i];
        if (device_is_township(p->device) && (!best || p->last_attempt_ms > best->last_attempt_ms))
            best = p;
    }
    return best;
}

/* A node that is not the hub: arrived is what any township device showed to hold. */
static void judge_self(struct standing *s)
{
    const struct standing_peer *up = standing_upstream(s);
    s->state = up ? up->state : STANDING_NEVER;
    s->unsent = s->events;
    for (size_t i = 0; i < s->peer_count; i++) {
        const struct standing_peer *p = &s->peers[i];
        if (p->neighbour) continue; /* W3 */
        if (p->last_ok_ms && p->theirs_missing < s->unsent) s->unsent = p->theirs_missing;
        if (p->ours_missing > s->behind) s->behind = p->ours_missing;
        if (p->last_ok_ms > s->last_ok_ms) s->last_ok_ms = p->last_ok_ms;
        if (p->last_attempt_ms > s->last_attempt_ms) s->last_attempt_ms = p->last_attempt_ms;
    }
}

static void read_neighbours(struct cli *cli, struct txn *txn, struct standing *s)
{
    for (size_t i = 0; i < cli->settings.peer_count; i++) {
        struct standing_neighbour *n = &s->neighbours[s->neighbour_count++];
        n->given = &cli->settings.peers[i];
        if (!neighbour_get(txn, n->given->address, &n->row)) continue;
        n->device = roster_device(s->roster, &n->row.device);
        if (!s->node_running || n->row.next_attempt_ms <= s->now_ms) n->row.next_attempt_ms = 0;
    }
}

/* The hub stands as its villages do: well while every one that it ever heard of is. */
static void judge_hub(struct standing *s)
{
    s->state = s->node_running ? STANDING_SYNCED : STANDING_OFFLINE;
    for (size_t i = 0; i < STANDING_STATE_COUNT && s->node_running; i++)
        if (s->counts[i] && i != STANDING_NEVER) {
            s->state = (enum standing_state)i;
            break;
        }
}

int standing_read(struct cli *cli, struct txn *txn, struct standing *s)
{
    *s = (struct standing){.node_running = home_node_running(cli->home), .locked = cli->locked};
    struct store_space space = {0};
    struct visible visible = {0};
    int code = cli_roster(cli, txn, &s->roster);
    if (!code) code = cli_self(cli, s->roster, &s->self);
    if (!code) code = cli_visible(cli, txn, &visible);
    if (code) return code;
    s->events = visible.events;
    clock_read(txn, &s->clock);
    s->now_ms = s->clock.wall_ms;
    s->hub = (s->self->roles & ROLE_HUB) != 0;
    if (store_space(cli->store, &space) == OK) s->disk_free = space.disk_free;
    s->checked = meta_get_uint(txn, "scrub_day") != 0;
    enum err e = damage_recheck(cli->store, &s->damage);
    for (size_t i = 0; i < s->damage.count; i++)
        s->damage.arrivals[i] = visible_number(&visible, s->damage.arrivals[i]);
    visible_end(&visible);
    if (e) return cli_fail(cli, e, _("the records could not be checked"));
    code = month_read(cli, txn, &s->month);
    if (!code) code = read_feeds(cli, txn, s);
    if (!code) code = read_peers(cli, txn, s);
    if (!code) read_neighbours(cli, txn, s);
    if (!code && s->hub) code = read_villages(cli, txn, s);
    if (code) {
        standing_clear(s);
        return code;
    }
    if (s->hub)
        judge_hub(s);
    else
        judge_self(s);
    if (s->locked) s->state = STANDING_PAUSED;
    return EXIT_OK;
}

void standing_clear(struct standing *s)
{
    forks_clear(&s->forks);
    free(s->feeds);
    free(s->peers);
    free(s->villages);
    *s = (struct standing){0};
}
