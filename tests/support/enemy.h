#pragma once
/*
 * An enrolled village that is played by hand, frame by frame, with real keys, against a hub that is
 * a real node with a real store; an honest village syncs with the same hub all the while. Checks
 * are cmocka's; include after its headers.
 */
#include "node/bundle_taking.h"
#include "node/exchange_courier.h"
#include "tests/support/pipe.h"
#include "tests/support/township.h"

#define ENEMY_SCOPE "village:431322111201"
#define HONEST_SCOPE "village:431322111202"
#define HONEST_REQUESTS 200
#define ODD_MAX 512
#define STICK_FRAMES_MAX 8192

struct node {
    struct township_node store;
    struct device_keys keys;
    struct exchange *exchange;
    char log[16384];
};

struct enemy_scene {
    struct township township;
    struct node hub, honest;
    struct township_device *enemy;
    struct pipe *enemy_pipe, *honest_pipe;
    struct link *enemy_link, *to_enemy, *honest_link, *to_honest;
    struct zstd *zstd;
    uint64_t now_ms;
    struct buf headers[ODD_MAX]; /* of events made by hand */
    size_t odd_count;
    unsigned got[FRAME_PING + 1];  /* frames from the hub, by type */
    unsigned asked[ASK_LATER + 1]; /* ASK from the hub, by state */
    struct frame_ask ask;          /* the last one for a part */
    uint64_t parts;                /* bytes that the hub sent in PARTs */
    struct box_key hub_key;        /* one that the hub opens bundles with */
    bool foreign; /* it was sent a run of a village that is not its own, or of the office */
    uint64_t refused;
    uint64_t receipts;
    struct enemy_stick { /* what it sends is kept for a bundle */
        bool used;
        struct buf hello, frames[STICK_FRAMES_MAX];
        size_t count;
        struct bundle_taken taken; /* by the hub, in the end */
        enum err err;
    } stick;
};
extern struct enemy_scene scene;

/* Setup and teardown of one test: a hub, an honest village with requests of its own, both
 * connected, and the enemy's connection, which has said nothing yet. */
int enemy_begin(void **state);
int enemy_end(void **state);
void enemy_connects(void);
void enemy_leaves(void);
/* Turns of hub and honest village; what the hub sends the enemy is counted in scene.got. */
void turns(unsigned count);
uint64_t hub_holds(const char *scope);
/* What the hub remembers of the enemy, owned by the caller. */
void enemy_row(struct peer_row *row);

/* --- what must hold whatever the enemy did --- */
void assert_the_honest_village_is_served(void);
/* Refused with this code, counted and logged once, nothing stored, and the above. */
void assert_refused(enum refuse_code code);

/* --- what the enemy sends --- */
void enemy_sends(struct buf *frame); /* takes the buffer's content */
/* As by a link, but on a stick: from here on enemy_sends adds to it. */
void enemy_stick_begin(void);
void enemy_stick_clear(void); /* of what was added */
struct enemy_stick_from {
    const struct signer *signer;     /* NULL: the enemy's */
    const struct sign_key *from;     /* NULL: the enemy */
    const struct sign_key *township; /* NULL: this one */
    uint64_t number;                 /* 0: 1 */
};
/* A file of what was added so far, to be finished and closed by the caller; or so. */
struct bundle_writer *enemy_stick_open(const struct enemy_stick_from *f, int *fd);
int enemy_stick_file(const struct enemy_stick_from *f);
void enemy_stick_taken(int fd); /* at the hub: scene.stick.taken, .err; closes it */
void enemy_stick_looked_at(int fd);
struct frame_hello hello_of_enemy(void);
/* HELLO with `count` feeds that nobody knows, numbered from `first`. */
void enemy_greets(size_t first, size_t count, bool complete);
void enemy_says_hello(void);
void enemy_wants(const struct feed *feed, uint64_t flags); /* NULL: no feed */

/* An event of the enemy, signed with its key, that need not make sense. */
struct odd {
    struct feed feed;
    uint64_t seq;
    struct event_id prev;
    uint64_t time_ms;
    const char *kind;
    const struct thing_id *subject;
    uint32_t depth, seen;
    struct slice body;
};

struct feed feed_in(const struct township_device *author, const char *scope);
/* Lives until enemy_end. */
struct event odd_event(const struct odd *o);

/* A run made by hand, to be spoilt before it is sent. */
struct bad_run {
    struct frame_run frame;
    struct buf raw, payload;
};

void run_begin(struct bad_run *r, const struct event *events, size_t count);
/* The same behind an event that the hub holds, without a dictionary; NULL: from the beginning. */
void run_after(struct bad_run *r, const struct event *before, const struct event *events,
               size_t count);
/* Compresses `raw` anew, once something was changed in it. */
void run_packed(struct bad_run *r);
void run_sent(struct bad_run *r); /* frees it */
void enemy_sends_events(const struct event *events, size_t count);
void enemy_sends_event(const struct odd *o);
/* Records it like an honest tool would, and sends it. */
const struct event *enemy_says(const struct township_act *act);
/* The same of any device, as the enemy passes it on. */
const struct event *enemy_passes_on(struct township_device *author, const struct township_act *act);
/* The authority, or whoever, records something at the hub. */
const struct event *hub_learns(struct township_device *author, const struct township_act *act);
