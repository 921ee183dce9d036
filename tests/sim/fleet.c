#include "tests/sim/scene.h"

#include "node/link/meter.h"
#include "proto/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE_BPS = 64000,
    DELAY_MS = 300,
    NOTICED_MS = 2000, /* from the route to the first SYN */
    ROUND_TRIPS = 7,   /* five of the handshake, HELLO, the last run and its receipt */
    PACE_MS = 4000,    /* what finding the link's pace may cost */
    LATE_MS = 10000,   /* what is recorded later before the end of a contact may miss it */
    CONTACTS_MAX = 4096,
    FITTING_MS = NOTICED_MS + 2 * 5 * DELAY_MS, /* a handshake at least */
    FRAME_TYPES = FRAME_ADMIT + 1,
    HANDSHAKE_BYTES = METER_DIALLER_HANDSHAKE + METER_LISTENER_HANDSHAKE,
};

struct contact {
    uint64_t from_ms, to_ms;
    size_t village;
};
struct record {
    uint64_t at_ms, receipt_ms; /* 0: none yet */
};
struct station {
    struct record *records; /* by number in their feed */
    size_t count;
    struct recorded last;
    uint8_t feed8[8];
    uint64_t receipted; /* by the newest receipt */
    uint64_t handed;    /* by the floor */
    uint64_t arrived;   /* at the end of the last contact */
    size_t due;         /* by contacts that were long enough */
    size_t on_time;     /* recorded before the end of the contact, less LATE_MS */
};
struct waits { /* from record to receipt; owned */
    uint64_t *real, *best, *fitting;
    size_t count;
};
/* One fleet a process. */
static struct fleet {
    struct fleet_options options;
    uint64_t begin_ms, end_ms;
    struct contact contacts[CONTACTS_MAX];
    size_t contact_count, zero_count, long_count;
    struct station stations[SIM_NODES_MAX];
    json_t **rows;
    size_t row_count, row;
    uint64_t floor_bytes;
    uint64_t bytes[FRAME_TYPES]; /* of frames that arrived, on the wire */
} fleet;

/* --- what is given --- */

static void contacts_read(struct sim *s)
{
    FILE *f = fopen(fleet.options.contacts, "re");
    unsigned long long from, to;
    size_t village;
    char line[128];
    if (f == NULL) sim_fail(s, "cannot read %s", fleet.options.contacts);
    while (fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%llu,%llu,%zu", &from, &to, &village) != 3) continue;
        if (village < 1 || village >= s->node_count || fleet.contact_count == CONTACTS_MAX)
            sim_fail(s, "contacts: %s", line);
        if (SECONDS(to) > fleet.end_ms) fleet.end_ms = SECONDS(to);
        if (to == from) fleet.zero_count++;
        if (to > from)
            fleet.contacts[fleet.contact_count++] =
                (struct contact){SECONDS(from), SECONDS(to), village};
    }
    (void)fclose(f);
}

/* Long silences and short meetings, as in the real trace. */
static void contacts_draw(struct sim *s)
{
    fleet.end_ms = DAYS(fleet.options.days);
    for (size_t village = 1; village < s->node_count; village++)
        for (uint64_t at = 0; fleet.contact_count < CONTACTS_MAX;) {
            at += rng_between(&s->story, MINUTES(10), HOURS(20));
            uint64_t to =
                at + (rng_chance(&s->story, 40) ? rng_between(&s->story, 1, SECONDS(10))
                                                : rng_between(&s->story, SECONDS(10), HOURS(1)));
            if (to >= fleet.end_ms) break;
            fleet.contacts[fleet.contact_count++] = (struct contact){at, to, village};
            at = to;
        }
}

static void rows_read(struct sim *s)
{
    FILE *f = fopen(fleet.options.rows, "re");
    json_error_t error;
    if (f == NULL) sim_fail(s, "cannot read %s", fleet.options.rows);
    for (json_t *row; (row = json_loadf(f, JSON_DISABLE_EOF_CHECK, &error)) != NULL;) {
        fleet.rows = realloc(fleet.rows, (fleet.row_count + 1) * sizeof(json_t *));
        if (fleet.rows == NULL) abort();
        fleet.rows[fleet.row_count++] = row;
    }
    (void)fclose(f);
    if (fleet.row_count == 0) sim_fail(s, "no rows in %s", fleet.options.rows);
}

static const char *row_text(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

/* --- what happens --- */

static void record(struct sim *s, size_t index)
{
    struct sim_node *n = &s->nodes[index];
    struct station *v = &fleet.stations[index];
    struct scene_request r = {.lane = LANE_NORMAL};
    uint64_t every_ms = DAYS(1) / fleet.options.records_a_day;
    if (fleet.row_count > 0) {
        const json_t *row = fleet.rows[fleet.row++ % fleet.row_count];
        r.channel = row_text(row, "channel");
        r.channel_ref = row_text(row, "channel_ref");
        r.nature = row_text(row, "nature");
        r.category = row_text(row, "category");
        r.place = row_text(row, "place");
        r.content = row_text(row, "content");
        r.urgency = (uint64_t)json_integer_value(json_object_get(row, "urgency"));
        scene_record(n, &r, &v->last);
    } else {
        scene_register(n, LANE_NORMAL, 100, &v->last);
    }
    if (v->last.seq != v->count + 1) sim_fail(s, "%s records in more than one feed", n->name);
    v->records[v->count++].at_ms = s->now_ms;
    if (v->count == 1) {
        struct feed_id id;
        feed_id_of(&id, &v->last.feed);
        memcpy(v->feed8, id.bytes, sizeof v->feed8);
    }
    if (s->now_ms + every_ms < fleet.end_ms)
        story_schedule(s, every_ms, (struct step){.type = STEP_CALL, .a = index, .call = record});
}

static void heard(struct sim_node *n, struct slice frame)
{
    struct station *v = &fleet.stations[n->index];
    struct frame_receipt receipt;
    uint64_t type;
    if (frame_type_of(frame, &type) != OK || type >= FRAME_TYPES) return;
    fleet.bytes[type] += wire_size(frame.size);
    if (n->index == SIM_HUB || type != FRAME_RECEIPT) return;
    SIM_OK(n->sim, frame_receipt_read(&receipt, frame));
    struct mp_reader r = frame_receipt_begin(&receipt);
    for (struct receipt_entry e; frame_receipt_next(&r, &e);)
        if (v->count > 0 && memcmp(e.feed8, v->feed8, sizeof v->feed8) == 0)
            for (; v->receipted < e.seq && v->receipted < v->count; v->receipted++)
                v->records[v->receipted].receipt_ms = n->sim->now_ms;
}

static void meet(struct sim *s, size_t index)
{
    const struct contact *c = &fleet.contacts[index];
    struct sim_node *n = &s->nodes[c->village];
    struct station *v = &fleet.stations[c->village];
    n->contact_to = c->to_ms;
    story_schedule(s, NOTICED_MS, (struct step){.type = STEP_DIAL, .a = c->village});
    if (c->to_ms - c->from_ms >= FITTING_MS && v->count > v->handed) {
        fleet.floor_bytes += fleet_floor(n, &v->last.feed, v->handed);
        v->handed = v->count;
    }
    if (c->to_ms - c->from_ms >= FITTING_MS) fleet.floor_bytes += HANDSHAKE_BYTES;
}

static uint64_t hub_has(struct sim *s, const struct station *v)
{
    struct txn *t = NULL;
    struct feed_row row;
    SIM_OK(s, txn_begin(s->nodes[SIM_HUB].store, false, &t));
    uint64_t seq = feed_find(t, &v->last.feed, &row) ? row.heads[0].seq : 0;
    txn_abort(t);
    return seq;
}

/* The hub holds all that was recorded in time, where the contact was long enough for it. */
static void look_back(struct sim *s, const struct contact *c, struct station *v)
{
    struct sim_node *n = &s->nodes[c->village];
    uint64_t known = v->arrived, length_ms = c->to_ms - c->from_ms;
    v->arrived = hub_has(s, v);
    while (v->on_time < v->count && v->records[v->on_time].at_ms + LATE_MS <= c->to_ms)
        v->on_time++;
    uint64_t bytes = HANDSHAKE_BYTES + fleet_floor(n, &v->last.feed, known) * 5 / 4;
    uint64_t need_ms =
        NOTICED_MS + UINT64_C(2) * ROUND_TRIPS * DELAY_MS + PACE_MS + bytes * 8000 / RATE_BPS;
    if (length_ms < need_ms) return;
    fleet.long_count++;
    if (v->arrived < v->on_time || v->receipted < v->on_time)
        sim_fail(s,
                 "%s met the hub for %llu s, needed %llu, and of %zu records %llu arrived, %llu "
                 "receipted",
                 n->name, (unsigned long long)length_ms / 1000, (unsigned long long)need_ms / 1000,
                 v->on_time, (unsigned long long)v->arrived, (unsigned long long)v->receipted);
    v->due = v->on_time;
}

static void part(struct sim *s, size_t index)
{
    const struct contact *c = &fleet.contacts[index];
    struct station *v = &fleet.stations[c->village];
    if (v->count > 0) look_back(s, c, v);
    net_leave(s, &s->nodes[c->village]);
}

/* --- the figures --- */

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* From record to receipt, if all were handed over in the first moment of the next contact that is
 * at least so long. */
static uint64_t best_ms(size_t station, uint64_t at_ms, uint64_t length_ms)
{
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < fleet.contact_count; i++) {
        const struct contact *c = &fleet.contacts[i];
        if (c->village != station || c->to_ms <= at_ms || c->to_ms - c->from_ms < length_ms)
            continue;
        uint64_t from = c->from_ms > at_ms ? c->from_ms - at_ms : 0;
        if (from < best) best = from;
    }
    return best;
}

static void times(const char *what, struct waits *w, size_t percent)
{
    double hours[3];
    uint64_t *const all[3] = {w->real, w->best, w->fitting};
    for (size_t i = 0; i < 3; i++) {
        qsort(all[i], w->count, sizeof *all[i], compare);
        hours[i] = (double)all[i][w->count * percent / 100] / (double)HOURS(1);
    }
    printf("  record to receipt, %-13s %9.2f h   (%.2f the best possible, %.2f where a handshake "
           "fits)\n",
           what, hours[0], hours[1], hours[2]);
}

/* Where the bytes went. */
static void shares(uint64_t carried, size_t records)
{
    static const struct {
        const char *name;
        enum frame_type type[2];
    } kinds[] = {{"runs", {FRAME_RUN, FRAME_PIECE}},
                 {"receipts", {FRAME_RECEIPT}},
                 {"HELLO", {FRAME_HELLO}},
                 {"heartbeats", {FRAME_PING}}};
    uint64_t left = carried;
    printf("    of a record's:");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t bytes = fleet.bytes[kinds[i].type[0]] + fleet.bytes[kinds[i].type[1]];
        printf(" %s %.1f,", kinds[i].name, (double)bytes / (double)records);
        left -= bytes;
    }
    printf(" handshakes, cut frames and others %.1f\n", (double)left / (double)records);
}

static struct waits waits_of(struct sim *s, size_t all)
{
    struct waits w = {.real = calloc(all, sizeof(uint64_t)),
                      .best = calloc(all, sizeof(uint64_t)),
                      .fitting = calloc(all, sizeof(uint64_t))};
    if (w.real == NULL || w.best == NULL || w.fitting == NULL) abort();
    for (size_t i = 1; i < s->node_count; i++)
        for (size_t j = 0; j < fleet.stations[i].receipted; j++) {
            const struct record *r = &fleet.stations[i].records[j];
            w.real[w.count] = r->receipt_ms - r->at_ms;
            w.best[w.count] = best_ms(i, r->at_ms, 1);
            w.fitting[w.count++] = best_ms(i, r->at_ms, FITTING_MS);
        }
    return w;
}

static void figures(struct sim *s)
{
    size_t all = 0, due = 0, met = 0;
    for (size_t i = 1; i < s->node_count; i++) {
        const struct station *v = &fleet.stations[i];
        all += v->count;
        due += v->due;
        for (size_t j = 0; j < v->count; j++)
            if (best_ms(i, v->records[j].at_ms, 1) != UINT64_MAX) met++;
    }
    struct waits w = waits_of(s, all);
    if (w.count == 0) sim_fail(s, "no receipt in all the fleet");
    double records = (double)w.count, floor = (double)fleet.floor_bytes;
    double bytes = (double)(scene_bytes(s, 0).carried + scene_bytes(s, 1).carried);
    printf("fleet of %zu for %.1f days, 64 kbit/s  %zu contacts (and %zu of no length), %zu long "
           "enough\n",
           s->node_count - 1, (double)(fleet.end_ms - fleet.begin_ms) / (double)DAYS(1),
           fleet.contact_count, fleet.zero_count, fleet.long_count);
    printf("  records receipted               %10zu     (of %zu; %zu met the hub later, %zu long "
           "enough)\n",
           w.count, all, met, due);
    times("median", &w, 50);
    times("95 percent", &w, 95);
    printf("  bytes both ways                 %10.2f MB  (%.2f, %.2f of it)\n", bytes / 1e6,
           floor / 1e6, bytes / floor);
    printf("  bytes a record                  %10.1f     (%.1f)\n", bytes / records,
           floor / records);
    shares((uint64_t)bytes, w.count);
    free(w.real);
    free(w.best);
    free(w.fitting);
}

void fleet_play(struct sim *s, const struct fleet_options *options)
{
    const struct net_line line = scene_line(RATE_BPS, DELAY_MS);
    scene_begin(s, &line);
    fleet = (struct fleet){.options = *options, .begin_ms = s->now_ms};
    if (options->contacts != NULL)
        contacts_read(s);
    else
        contacts_draw(s);
    if (options->rows != NULL) rows_read(s);
    s->heard = heard;
    fleet.end_ms += fleet.begin_ms;
    for (size_t i = 0; i < fleet.contact_count; i++) {
        struct contact *c = &fleet.contacts[i];
        c->from_ms += fleet.begin_ms;
        c->to_ms += fleet.begin_ms;
        story_schedule(s, c->from_ms - s->now_ms,
                       (struct step){.type = STEP_CALL, .a = i, .call = meet});
        story_schedule(s, c->to_ms - s->now_ms,
                       (struct step){.type = STEP_CALL, .a = i, .call = part});
    }
    uint64_t every_ms = DAYS(1) / options->records_a_day;
    for (size_t i = 1; i < s->node_count; i++) {
        size_t most = (size_t)((fleet.end_ms - s->now_ms) / every_ms + 1);
        fleet.stations[i].records = calloc(most, sizeof(struct record));
        if (fleet.stations[i].records == NULL) abort();
        story_schedule(s, every_ms * i / s->node_count,
                       (struct step){.type = STEP_CALL, .a = i, .call = record});
    }
    story_run(s, fleet.end_ms + SECONDS(1));
    if (fleet.long_count == 0) sim_fail(s, "no contact was long enough for anything");
    if (options->print) figures(s);
    check_arrived(s);
}
