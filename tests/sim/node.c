#include "node/key_change.h"
#include "node/lives.h"
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TURNS_MAX = 20000 }; /* in one moment of virtual time; more is a livelock */

struct clock_reading node_clock(const struct sim_node *n)
{
    return (struct clock_reading){
        .wall_ms = SIM_EPOCH_MS + n->sim->now_ms + (uint64_t)n->clock_error_ms,
        .trusted = n->clock_error_ms == 0,
        .source = n->clock_error_ms == 0 ? "time service" : "none",
    };
}

struct exchange_time node_time(const struct sim_node *n)
{
    return (struct exchange_time){.now_ms = n->sim->now_ms, .clock = node_clock(n)};
}

static void node_log(void *state, int level, const char *text)
{
    struct sim_node *n = state;
    if (!n->dying) trace_line(n->sim, n, "log %d: %s", level, text);
}

void node_follow_keys(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct txn *t = NULL;
    const struct roster *roster;
    SIM_OK(s, txn_begin(n->store, false, &t));
    SIM_OK(s, views_roster(n->views, t, &roster));
    const struct device *self = roster_device(roster, &n->first);
    bool changed = self != NULL && device_keys_use(&n->keys, roster, self);
    txn_abort(t);
    if (n->recorder != NULL && !changed) return;
    struct recorder_options options = {
        .store = n->store, .views = n->views, .signer = &n->keys.signer};
    recorder_close(n->recorder);
    SIM_OK(s, recorder_open(&n->recorder, &options));
}

void node_open(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct store_options store_options = {.map_size = MIB(256)};
    SIM_OK(s, store_open(&n->store, n->home, &store_options));
    SIM_OK(s, views_open(&n->views, n->store));
    node_follow_keys(n);
    struct exchange_options options = {
        .store = n->store, .views = n->views, .keys = &n->keys, .log = node_log, .log_state = n};
    SIM_OK(s, exchange_open(&n->exchange, &options));
    n->alive = true;
    n->dying = false;
    n->crash_after_sends = 0;
    n->wake_at = s->now_ms;
    n->seen_txn = 0;
    if (n->index == SIM_HUB) {
        n->listener = net_listen(s, n);
        SIM_OK(s, exchange_add_link(n->exchange, n->listener, false));
    }
    check_node(n);
}

static void node_close(struct sim_node *n)
{
    struct link **links[] = {&n->listener, &n->dialled};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct link *l = *links[i];
        if (l == NULL) continue;
        exchange_remove_link(n->exchange, l);
        l->ops->close(l);
        *links[i] = NULL;
    }
    exchange_close(n->exchange);
    recorder_close(n->recorder);
    views_close(n->views);
    store_close(n->store);
    n->exchange = NULL;
    n->recorder = NULL;
    n->views = NULL;
    n->store = NULL;
    n->alive = false;
    n->wake_at = UINT64_MAX;
}

void node_stop(struct sim_node *n)
{
    if (!n->alive) return;
    trace_line(n->sim, n, "stops");
    node_close(n);
}

static void copy_file(struct sim *s, const char *from, const char *to)
{
    static uint8_t block[1 << 18];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) sim_fail(s, "cannot copy %s", from);
    for (ssize_t n; (n = read(in, block, sizeof block)) > 0;)
        if (write(out, block, (size_t)n) != n) sim_fail(s, "cannot write %s", to);
    close(in);
    close(out);
}

static void home_path(char *out, size_t size, const struct sim_node *n, unsigned life)
{
    (void)snprintf(out, size, "%s/%s.%u", n->sim->folder, n->name, life);
}

/* The side file of a home that stays what it is, though its files are others. */
void node_keep_side(struct sim_node *n, const char *from, const char *to)
{
    struct side_file side = {0};
    enum err err = side_file_read(&side, NULL, from);
    if (err == ERR_NOT_FOUND) return;
    SIM_OK(n->sim, err);
    SIM_OK(n->sim, side_file_start(to, side.life, side.generation));
    side_file_note(to, side.life, side.rows, side.row_count);
    side_file_clear(&side);
}

/* LMDB must not see one path twice in a process, and closing would tidy up what a kill leaves: the
 * next life begins on a copy of the file as it is now, which holds every commit and nothing else.
 */
void node_snapshot(struct sim_node *n)
{
    char home[96], from[160], to[160];
    n->life++;
    home_path(home, sizeof home, n, n->life);
    (void)mkdir(home, 0700);
    (void)snprintf(to, sizeof to, "%s/store", home);
    (void)mkdir(to, 0700);
    (void)snprintf(from, sizeof from, "%s/store/data.mdb", n->home);
    (void)snprintf(to, sizeof to, "%s/store/data.mdb", home);
    copy_file(n->sim, from, to);
    node_keep_side(n, n->home, home);
    n->dying = true;
}

void node_crash(struct sim_node *n)
{
    char file[160];
    if (!n->dying) node_snapshot(n);
    trace_line(n->sim, n, "is killed");
    trace_happened(n->sim, n->index == SIM_HUB ? HAPPENED_HUB_CRASH : HAPPENED_VILLAGE_CRASH);
    net_forget(n->sim, n);
    node_close(n);
    static const char *const files[] = {"/store/data.mdb", "/store/lock.mdb", "/store", "/side",
                                        ""};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(file, sizeof file, "%s%s", n->home, files[i]);
        (void)remove(file);
    }
    home_path(n->home, sizeof n->home, n, n->life);
    n->dying = false;
}

/* --- a home put back from an older copy, or used twice --- */

static void home_file(char out[160], const char *home, const char *name)
{
    (void)snprintf(out, 160, "%s/%s", home, name);
}

static void home_copy_file(struct sim *s, const char *from, const char *to, const char *name)
{
    char source[160], target[160];
    home_file(source, from, name);
    home_file(target, to, name);
    if (access(source, R_OK) == 0) copy_file(s, source, target);
}

static void home_begin(struct sim *s, const char *home, const char *image)
{
    char store[160];
    home_file(store, home, "store");
    if (mkdir(home, 0700) || mkdir(store, 0700)) sim_fail(s, "cannot make %s", home);
    home_copy_file(s, image, home, "store/data.mdb");
}

void node_image(struct sim_node *n, const char *folder)
{
    home_begin(n->sim, folder, n->home);
    home_copy_file(n->sim, n->home, folder, "side");
}

/* As `sidan restore` does it. */
static void begin_restored(struct sim_node *n, const char *before, const char *home)
{
    const struct store_options options = {.map_size = MIB(256)};
    struct side_file side = {0};
    struct store *store = NULL;
    const bool known = before != NULL && side_file_read(&side, NULL, before) == OK;
    SIM_OK(n->sim, store_open(&store, home, &options));
    SIM_OK(n->sim, lives_restored(store, known ? side.life + 1 : 0));
    store_close(store);
    side_file_clear(&side);
}

void node_put_back(struct sim_node *n, const char *image, enum node_back how)
{
    char home[96];
    home_path(home, sizeof home, n, ++n->life);
    if (n->alive) {
        net_forget(n->sim, n);
        node_close(n);
    }
    home_begin(n->sim, home, image);
    if (how == BACK_STORE) node_keep_side(n, n->home, home);
    if (how == BACK_IMAGE) node_keep_side(n, image, home);
    if (how == BACK_COPY) home_copy_file(n->sim, image, home, "side");
    if (how == BACK_BACKUP) begin_restored(n, n->home, home);
    if (how == BACK_ELSEWHERE) begin_restored(n, NULL, home);
    memcpy(n->home, home, sizeof home);
}

static uint64_t core_us(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* One turn of a node whose core takes its time: what comes meanwhile waits for the next one. */
static bool turn_on_a_core(struct sim_node *n, const struct exchange_time *time)
{
    struct sim *s = n->sim;
    const uint64_t now_us = s->now_ms * 1000;
    bool more = false;
    if (n->busy_us > now_us) {
        n->wake_at = n->busy_us / 1000 + 1;
        return false;
    }
    uint64_t before = core_us();
    SIM_OK(s, exchange_turn(n->exchange, time, &more));
    if (n->busy_us + 1000 < now_us) n->busy_us = now_us; /* what is left of a millisecond counts */
    const uint64_t used = core_us() - before;
    n->busy_us += used;
    n->used_us += used;
    if (more) n->wake_at = (n->busy_us > now_us ? n->busy_us : now_us) / 1000 + 1;
    return !more;
}

static void turns_to_rest(struct sim_node *n, const struct exchange_time *time)
{
    struct sim *s = n->sim;
    bool more = true;
    for (int i = 0; more && !n->dying; i++) {
        if (i == TURNS_MAX) sim_fail(s, "%s: the exchange never rests", n->name);
        enum err err = exchange_turn(n->exchange, time, &more);
        if (err != OK && !n->dying) sim_fail(s, "%s: exchange_turn: %s", n->name, err_text(err));
    }
}

/* What the daemon does in quiet moments, at once. */
static void rebuild_views(struct sim_node *n)
{
    const uint64_t txn = store_last_txn(n->store);
    struct txn *t = NULL;
    uint64_t done, total;
    if (n->dying || txn == n->seen_txn) return;
    n->seen_txn = txn;
    SIM_OK(n->sim, txn_begin(n->store, false, &t));
    bool pending = views_rebuild_pending(t, &done, &total);
    txn_abort(t);
    if (pending) SIM_OK(n->sim, views_rebuild_finish(n->views, n->store));
}

void node_turn(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (!n->alive) return;
    struct exchange_time time = node_time(n);
    if (s->cores && n->index == SIM_HUB) {
        if (!turn_on_a_core(n, &time)) return;
    } else {
        turns_to_rest(n, &time);
    }
    if (n->dying) {
        node_crash(n);
        story_schedule(s, rng_between(&s->story, SECONDS(5), HOURS(3)),
                       (struct step){.type = STEP_START, .a = (size_t)n->index});
        return;
    }
    rebuild_views(n);
    uint64_t deadline = exchange_deadline(n->exchange, s->now_ms);
    n->wake_at = deadline == UINT64_MAX ? UINT64_MAX : s->now_ms + (deadline > 0 ? deadline : 1);
}

bool node_record(struct sim_node *n, const struct draft *draft, struct recorded *out)
{
    struct sim *s = n->sim;
    struct clock_reading clock = node_clock(n);
    struct kind_problem problem = {0};
    enum err err = recorder_record(n->recorder, &clock, draft, out, &problem);
    /* The other side was faster, or the hub has taken the thing into its own hands. */
    if (err == ERR_STATE || (err == ERR_FORBIDDEN && n->index != SIM_HUB)) return false;
    if (err != OK)
        sim_fail(s, "%s: %s: %s (%s %s)", n->name, draft->kind, err_text(err), problem.field,
                 problem.what != NULL ? problem.what : "");
    if (n->acknowledged_count == n->acknowledged_capacity) {
        n->acknowledged_capacity = n->acknowledged_capacity * 2 + 64;
        n->acknowledged =
            realloc(n->acknowledged, n->acknowledged_capacity * sizeof *n->acknowledged);
        if (n->acknowledged == NULL) abort();
    }
    n->acknowledged[n->acknowledged_count++] =
        (struct acknowledged){.feed = out->feed, .seq = out->seq, .id = out->id};
    trace_line(s, n, "records %s %llu %02x%02x%02x%02x", draft->kind, (unsigned long long)out->seq,
               out->id.bytes[0], out->id.bytes[1], out->id.bytes[2], out->id.bytes[3]);
    struct exchange_time time = node_time(n);
    SIM_OK(s, exchange_refresh(n->exchange, &time));
    node_turn(n);
    return true;
}
