#define _GNU_SOURCE /* memmem */
/*
 * What is personal of a closed request is erased by the hub. Every node that holds it destroys the
 * boxes, rewrites its store and answers; at the end the text is searched for in every file. Each
 * request's text has a mark of its own.
 */
#include "node/erasing.h"
#include "node/subject.h"
#include "node/views/erasure.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ORDERS_A_SEED = 4, TIDY_HOURS = 6 };

struct mark {
    struct thing_id thing;
    char village[13];
    uint64_t mark;
    bool erased;
};
struct erase {
    struct mark *marks;
    size_t count, capacity;
    bool has_second;
    struct thing_id second; /* the person who looks at an order too */
};

struct erase *erase_begin(void)
{
    struct erase *e = calloc(1, sizeof *e);
    if (e == NULL) abort();
    return e;
}

void erase_mark(struct sim *s, const struct recorded *r, const char *village, uint64_t mark)
{
    struct erase *e = s->erase;
    if (e->count == e->capacity) {
        e->capacity = e->capacity * 2 + 256;
        e->marks = realloc(e->marks, e->capacity * sizeof *e->marks);
        if (e->marks == NULL) abort();
    }
    struct mark *m = &e->marks[e->count++];
    *m = (struct mark){.thing = r->subject, .mark = mark};
    memcpy(m->village, village, sizeof m->village);
}

/* --- orders --------------------------------------------------------------------------------- */

static bool may_be_erased(struct txn *t, const struct mark *m)
{
    const struct scope scope = scope_of_village(m->village);
    struct scope_row row;
    struct request r;
    if (!scope_find(t, &scope, &row)) return false;
    const struct thing_key key = {.scope_number = row.number, .thing = m->thing};
    return request_get(t, &key, &r) == OK && !request_is_open(&r) && !subject_is_erased(t, &key);
}

/* Any one of them; NULL: there is none. */
static struct mark *choose(struct sim_node *hub)
{
    struct sim *s = hub->sim;
    struct mark *chosen = NULL;
    uint64_t seen = 0;
    struct txn *t = NULL;
    SIM_OK(s, txn_begin(hub->store, false, &t));
    for (size_t i = 0; i < s->erase->count; i++)
        if (may_be_erased(t, &s->erase->marks[i]) && rng_below(&s->story, ++seen) == 0)
            chosen = &s->erase->marks[i];
    txn_abort(t);
    return chosen;
}

static bool second_enrolled(struct sim_node *hub)
{
    struct erase *e = hub->sim->erase;
    struct mp_map body = {0}, box = {0};
    struct buf body_bytes = {0}, box_bytes = {0};
    struct recorded recorded;
    if (e->has_second) return true;
    struct mp_writer w = mp_map_put(&body, "unit");
    mp_write_text(&w, "镇政府");
    w = mp_map_put(&body, "role");
    mp_write_text(&w, "secretary");
    w = mp_map_put(&box, "name");
    mp_write_text(&w, "书记丙");
    SIM_OK(hub->sim, mp_map_end(&body, &body_bytes));
    SIM_OK(hub->sim, mp_map_end(&box, &box_bytes));
    const struct draft draft = {.kind = "actor.enrol",
                                .scope = scope_town(),
                                .lane = LANE_NORMAL,
                                .founding = true,
                                .body = buf_slice(&body_bytes),
                                .box = buf_slice(&box_bytes)};
    e->has_second = node_record(hub, &draft, &recorded);
    e->second = recorded.subject;
    mp_map_clear(&body);
    mp_map_clear(&box);
    buf_clear(&body_bytes);
    buf_clear(&box_bytes);
    return hub->alive;
}

static void order(struct sim_node *hub, struct mark *m)
{
    struct sim *s = hub->sim;
    struct mp_map body = {0};
    struct buf bytes = {0};
    struct recorded recorded;
    struct mp_writer w = mp_map_put(&body, "basis");
    mp_write_text(&w, "withdrawn");
    w = mp_map_put(&body, "second");
    mp_write_bin(&w, s->erase->second.bytes, sizeof s->erase->second.bytes);
    SIM_OK(s, mp_map_end(&body, &bytes));
    const struct draft draft = {.kind = "subject.erase",
                                .scope = scope_of_village(m->village),
                                .lane = LANE_NORMAL,
                                .subject = m->thing,
                                .has_by = true,
                                .by = hub->actor,
                                .body = buf_slice(&bytes)};
    m->erased = node_record(hub, &draft, &recorded);
    if (m->erased) trace_happened(s, HAPPENED_ERASED);
    mp_map_clear(&body);
    buf_clear(&bytes);
}

static void ordered(struct sim *s, size_t a)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct mark *m = NULL;
    if (hub->alive && hub->has_actor && second_enrolled(hub)) m = choose(hub);
    if (m != NULL)
        order(hub, m);
    else
        story_schedule(s, HOURS(12), (struct step){.type = STEP_CALL, .a = a, .call = ordered});
}

/* --- carrying them out ---------------------------------------------------------------------- */

/* As the daemon's quiet moment (node/erasing.h), by the virtual clock. */
static void tidy(struct sim_node *n)
{
    struct sim *s = n->sim;
    const struct clock_reading clock = node_clock(n);
    const struct exchange_time time = node_time(n);
    struct txn *t = NULL;
    size_t answered = 0;
    if (!n->alive) return;
    SIM_OK(s, txn_begin(n->store, false, &t));
    bool pages = erase_serial(t) != erase_rewritten(t), owes = erased_unanswered(t) > 0;
    txn_abort(t);
    if (pages) SIM_OK(s, erase_rewrite(n->store));
    if (pages) n->seen_txn = 0; /* it counts from the beginning */
    if (!owes && !pages) return;
    if (owes) SIM_OK(s, erasing_answer(n->recorder, &clock, &answered));
    if (answered > 0) trace_line(s, n, "answers %zu orders to erase", answered);
    SIM_OK(s, exchange_refresh(n->exchange, &time));
    node_turn(n);
}

void erase_tidy(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) tidy(&s->nodes[i]);
}

static void tidy_now_and_then(struct sim *s, size_t a)
{
    tidy(&s->nodes[a]);
    story_schedule(s, HOURS(TIDY_HOURS),
                   (struct step){.type = STEP_CALL, .a = a, .call = tidy_now_and_then});
}

void erase_schedule(struct sim *s)
{
    for (int i = 0; i < ORDERS_A_SEED && kinds_has(s, KIND_ERASURE); i++)
        story_schedule(s, rng_below(&s->story, DAYS(s->days)),
                       (struct step){.type = STEP_CALL, .call = ordered});
    for (size_t i = 0; i < s->node_count; i++)
        story_schedule(s, rng_below(&s->story, HOURS(TIDY_HOURS)),
                       (struct step){.type = STEP_CALL, .a = i, .call = tidy_now_and_then});
}

/* --- afterwards ----------------------------------------------------------------------------- */

static size_t pending(struct txn *t, const struct roster *roster, const struct thing_key *key,
                      const struct erased *row, struct sim *s)
{
    size_t count = 0;
    for (size_t i = 0; i < row->order_count; i++) {
        struct erasure e;
        SIM_OK(s, erasure_read(t, roster, key, &row->orders[i], &e));
        count += e.pending_count;
        erasure_clear(&e);
    }
    return count;
}

bool erase_done(struct sim *s)
{
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct thing_key key = {.scope_number = 0};
    struct erased row;
    struct txn *t = NULL;
    const struct roster *roster;
    size_t count = 0;
    SIM_OK(s, txn_begin(hub->store, false, &t));
    SIM_OK(s, views_roster(hub->views, t, &roster));
    while (erased_next(t, &key, &row)) count += pending(t, roster, &key, &row, s);
    txn_abort(t);
    return count == 0;
}

static bool file_has(struct sim *s, const char *path, const char *text)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) sim_fail(s, "cannot read %s", path);
    bool found = false;
    if (st.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED) sim_fail(s, "cannot map %s", path);
        found = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
        (void)munmap(bytes, (size_t)st.st_size);
    }
    close(fd);
    return found;
}

static bool store_has(struct sim_node *n, const char *text)
{
    char folder[128], path[400];
    (void)snprintf(folder, sizeof folder, "%s/store", n->home);
    DIR *dir = opendir(folder);
    bool found = false;
    if (dir == NULL) sim_fail(n->sim, "cannot read %s", folder);
    for (const struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        found = entry->d_name[0] != '.' && file_has(n->sim, path, text);
    }
    closedir(dir);
    return found;
}

void erase_check(struct sim *s)
{
    if (!erase_done(s)) sim_fail(s, "an order to erase was not answered by all");
    for (size_t i = 0; i < s->erase->count; i++) {
        const struct mark *m = &s->erase->marks[i];
        char text[24];
        (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)m->mark);
        for (size_t j = 0; m->erased && j < s->node_count; j++) {
            struct sim_node *n = &s->nodes[j];
            if (n->index != SIM_HUB && strcmp(n->village, m->village) != 0) continue;
            if (store_has(n, text)) sim_fail(s, "%s still has what was erased", n->name);
        }
    }
}

void erase_end(struct sim *s)
{
    if (s->erase == NULL) return;
    free(s->erase->marks);
    free(s->erase);
}
