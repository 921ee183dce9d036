#pragma once
/*
 * The simulator: a hub and its villages in one process under a virtual clock, with the real store,
 * views, recorder and exchange. Network, faults and work are drawn from one seed, so a seed is a
 * story that can be told again: the same seed gives the same trace to the byte.
 *
 *   kinds    what kinds of faults a seed has; lines that go in turn, clocks that jump
 *   happenings what a run must have seen at least once
 *   trace    what happened: readable lines, their hash, a counter for each kind of happening
 *   net      connections between nodes: handshakes, cuts, half-open ends
 *   wire     one way of a connection: frames through tests/support/link_model.h
 *   node     one node: home folder, keys, store, exchange; crash and restart
 *   township founding, inviting, joining
 *   work     what people do: villages register, sign and report, the hub orders, visits, closes
 *   trust    what befalls keys: stolen and new laptops, changed keys, a replaced authority
 *   erase    what is personal is erased, and searched for in every store
 *   check    invariants while it runs, and agreement at the end
 *   cheap    what costs most and says nothing, done for less
 *   story    when contacts, faults and work happen
 *   scene    instead of that: a township on lines that are given (scene.h); fleet is one of them
 *   roll_back villages put back from older copies
 *   carry    bundles made and taken
 *   clones   disks that are used twice for a while
 *   sticks   bundles that are carried by hand, and what becomes of them
 *   copies   stores put back, disks used twice, hubs lost: a scene
 */
#include "node/exchange.h"
#include "node/recorder.h"
#include "node/views/request.h"
#include "tests/sim/happenings.h"
#include "tests/sim/kinds.h"
#include "tests/sim/wire.h"
#include "tests/support/rng.h"

#define SIM_VILLAGES_MAX 27
#define SIM_NODES_MAX (SIM_VILLAGES_MAX + 1)
#define SIM_PLACES (SIM_NODES_MAX + 1) /* for the second one of a disk that is used twice */
#define SIM_HUB 0
#define SECONDS(n) ((uint64_t)(n)*1000)
#define MINUTES(n) (SECONDS(60) * (uint64_t)(n))
#define HOURS(n) (MINUTES(60) * (uint64_t)(n))
#define DAYS(n) (HOURS(24) * (uint64_t)(n))
#define SIM_EPOCH_MS UINT64_C(1793491200000) /* wall time at virtual time 0 */

struct sim;
struct sim_node;
#define KEPT_MAX 16

/* --- cheap --- */
void sim_cheap_runs(void); /* from now on, in this process */

/* --- trace --- */
struct trace {
    bool print;
    uint64_t lines;
    struct crypto_hasher hasher;
    uint64_t happened[HAPPENING_COUNT];
};
__attribute__((format(printf, 3, 4))) void trace_line(struct sim *s, const struct sim_node *n,
                                                      const char *format, ...);
void trace_happened(struct sim *s, enum sim_happening f);
/* Something that must not be: prints the story's end and ends this seed as failed. */
_Noreturn __attribute__((format(printf, 2, 3))) void sim_fail(struct sim *s, const char *format,
                                                              ...);
#define SIM_OK(s, call)                                                                            \
    do {                                                                                           \
        enum err sim_err_ = (call);                                                                \
        if (sim_err_ != OK) sim_fail(s, "%s: %s", #call, err_text(sim_err_));                      \
    } while (0)

/* --- net --- */
struct sim_link;  /* a struct link, see net.c */
struct net_line { /* what a connection runs over; ways 0: of who dialled, 1: back */
    struct link_options way[2];
    unsigned queue_max; /* frames ahead of the link, as ZeroMQ's high water mark */
    bool cut_half_open; /* a cut by bytes tells one end only */
};
struct conn {                /* one connection; ends 0: who dialled, 1: who listens */
    struct sim_link *end[2]; /* NULL once that end is gone or was told */
    struct box_key key[2];
    struct wire way[2]; /* what each end sends */
    bool expected[2];   /* a step waits for what comes next on this way */
    bool open;          /* bytes pass */
    unsigned step;      /* of the handshake */
    bool greeted;       /* the listener has seen a first frame */
    bool invite;
    bool deaf[2]; /* what this end sends is lost */
    bool full[2]; /* this end was told to try again */
    unsigned queue_max;
    bool cut_half_open;
    enum err refused; /* by the listener, and why */
    const char *refused_text;
};
struct net {
    struct conn *conns;
    size_t count, capacity;
    struct link_counts bytes[2]; /* of connections that are over, by way */
    const struct net_line *line; /* of every connection to come; NULL: drawn */
};
struct link *net_listen(struct sim *s, struct sim_node *n);
/* By `key`, to a hub that is to have `hub`. The result comes as LINK_UP or LINK_DOWN. */
struct link *net_dial(struct sim *s, struct sim_node *from, const struct box_key *hub,
                      const struct box_key *key);
/* The line goes dead; frames in flight are lost. Both ends hear of it, or only one. */
void net_cut(struct sim *s, struct sim_node *n, bool half_open);
/* The node's own network is gone: it is told, the other end is not. */
void net_leave(struct sim *s, const struct sim_node *n);
/* The line swallows all, and neither end is told. */
void net_hole(struct sim *s, const struct sim_node *n);
/* What end `from` of its connections sends is lost from now on, and nobody is told. True: it has
 * one. */
bool net_one_way(struct sim *s, const struct sim_node *n, int from);
/* The process is gone: its links with it, without a word. */
void net_forget(struct sim *s, struct sim_node *n);
struct sim_node *net_node(struct sim *s, size_t conn, int end); /* NULL once that end is gone */
/* Something has arrived that end `from` sent; *took: the other end has something to take.
 * True when that end was told to try again and there is room now. */
bool net_arrive(struct sim *s, size_t conn, int from, bool *took);
void net_down(struct sim *s, size_t conn, int end);
/* An end that nobody told must have noticed by now. */
void net_silent(struct sim *s, size_t conn, int end);
void net_clear(struct sim *s);

/* --- node --- */
struct receipted { /* the newest receipt entry this node signed for a feed */
    uint8_t feed8[8];
    uint64_t seq;
    struct event_id id;
};
struct acknowledged { /* told to a person as recorded */
    struct feed feed;
    uint64_t seq;
    struct event_id id;
};
struct sim_node {
    struct sim *sim;
    int index;        /* SIM_HUB or 1.. */
    char name[24];    /* for the trace */
    char village[13]; /* "" for the hub */
    char home[96];    /* changes with each crash: the files as the crash left them */
    unsigned life;
    struct device_keys keys;
    struct sign_key first; /* its first signing key, which names it */
    int64_t clock_error_ms;
    bool has_actor;
    struct thing_id actor; /* the person who acts on it */
    bool alive, dying;
    bool hostile;               /* what it sends may be lies */
    bool revoked;               /* it does not know */
    bool put_back;              /* what it held once others may count as arrived */
    bool absent;                /* the village has no laptop */
    bool barred;                /* its line is not there, whatever else is */
    bool remote;                /* its line is there once in a week or two: it lives by sticks */
    unsigned crash_after_sends; /* 0: not armed */
    struct store *store;
    struct views *views;
    struct recorder *recorder;
    struct exchange *exchange;
    struct link *listener, *dialled;
    size_t dial_at;      /* of the keys to dial with */
    uint64_t seen_txn;   /* the commit after which it was last looked at */
    uint64_t wake_at;    /* the exchange's deadline; UINT64_MAX none */
    uint64_t busy_us;    /* with sim.cores: until then it computes */
    uint64_t used_us;    /* what it computed so far */
    uint64_t contact_to; /* in contact until then */
    struct receipted *receipted;
    size_t receipted_count, receipted_capacity;
    struct acknowledged *acknowledged;
    size_t acknowledged_count, acknowledged_capacity;
};
void node_open(struct sim_node *n);
void node_stop(struct sim_node *n);     /* in good order */
void node_crash(struct sim_node *n);    /* as SIGKILL leaves it: files as of the last commit */
void node_snapshot(struct sim_node *n); /* the first half of a crash, possible within a turn */
void node_keep_side(struct sim_node *n, const char *from, const char *to);
/* Copies store and side file, as they are after the last commit, into a new folder. */
void node_image(struct sim_node *n, const char *folder);
/* The home is such a copy from now on; the node is down then. */
enum node_back {
    BACK_STORE,     /* the store alone; the side file that was there stays */
    BACK_IMAGE,     /* the image of a disk, side file and all, in place: nothing can tell */
    BACK_COPY,      /* the folder copied elsewhere: its side file is not where it was made */
    BACK_BACKUP,    /* `sidan restore` in place */
    BACK_ELSEWHERE, /* `sidan restore` on another machine: the old one is lost */
};
void node_put_back(struct sim_node *n, const char *image, enum node_back how);
void node_turn(struct sim_node *n);
struct clock_reading node_clock(const struct sim_node *n);
/* Records an event, keeps it as acknowledged, lets the exchange see it. False when refused. */
bool node_record(struct sim_node *n, const struct draft *draft, struct recorded *out);

/* Uses its newest keys that the roster has. */
void node_follow_keys(struct sim_node *n);
struct exchange_time node_time(const struct sim_node *n);

/* --- township --- */
void township_found(struct sim *s);
/* New keys and an empty home for a laptop of this village (or the hub). */
void township_laptop(struct sim_node *n);
/* What the authority invites it with, of these roles. */
void township_invite(struct sim_node *n, struct invite *out);
/* The hub said yes. */
void township_joined(struct sim_node *n, const struct invite *invite);
bool township_knows(struct sim_node *n); /* the roster that it holds has itself as joined */

/* --- trust --- */
void trust_schedule(struct sim *s);
/* With which keys a village dials the hub now. */
void trust_dial_keys(struct sim_node *n, struct box_key *hub, struct box_key *own);
void trust_served(struct sim *s, struct box_key *out); /* the hub's transport key */
bool trust_is_gone(const struct sim *s, const struct sign_key *device); /* a laptop that was */
void trust_check(struct sim *s); /* nothing of laptops that are gone was lost */
void trust_end(struct sim *s);

/* --- roll_back --- */
void roll_back_schedule(struct sim *s);
void roll_back_check(struct sim *s); /* what the hub held of who was put back, it holds */
void roll_back_end(struct sim *s);
/* Does it know the newest transport key of the hub? Else a copy of it may be told in its stead, and
 * the hub serves the former key no more. */
bool roll_back_knows_hub(struct sim_node *n);

/* --- clones --- */
void clones_schedule(struct sim *s);
bool clones_are_there(const struct sim *s); /* there is a second one now */
void clones_check(struct sim *s);           /* what the hub held of them, it holds */
void clones_end(struct sim *s);

/* --- carry --- */
struct bundle_made;
struct bundle_taken;
int carry_file(struct sim *s); /* empty, without a name */
/* False: the device has not joined as far as the node knows. */
bool carry_export(struct sim_node *n, int fd, const struct sign_key *to, bool to_township,
                  struct bundle_made *out);
enum err carry_import(struct sim_node *n, int fd, struct bundle_taken *out);
void carry_told(struct sim_node *n); /* the running node sees what was imported */

/* --- sticks --- */
void sticks_schedule(struct sim *s);
/* A village was put back: one is written for it by what the hub knew of it. */
void sticks_put_back(struct sim *s, size_t a);
void sticks_end(struct sim *s);

/* --- erase --- */
struct erase *erase_begin(void);
void erase_schedule(struct sim *s);
/* What is personal of a thing has this text in it. */
void erase_mark(struct sim *s, const struct recorded *r, const char *village, uint64_t mark);
void erase_tidy(struct sim *s);  /* every node rewrites and answers what it has to */
bool erase_done(struct sim *s);  /* every order was answered */
void erase_check(struct sim *s); /* nothing of it is left in any store */
void erase_end(struct sim *s);

/* --- work --- */
void work_village(struct sim_node *n);
void work_hub(struct sim_node *hub);

/* --- check --- */
void check_receipt(struct sim_node *signer, struct slice frame);
bool check_holds(struct txn *t, const struct acknowledged *a);
void check_node(struct sim_node *n); /* all it acknowledged and receipted is there */
void check_arrived(struct sim *s);
bool check_agreement(struct sim *s, bool must);
void check_end(struct sim *s);

/* --- story --- */
enum step_type {
    STEP_ARRIVE,
    STEP_DOWN,
    STEP_SILENT,
    STEP_DIAL,
    STEP_CONTACT,
    STEP_CUT,
    STEP_CRASH,
    STEP_START,
    STEP_WORK,
    STEP_CHECK,
    STEP_CALL,
};
struct step {
    uint64_t at, order;
    enum step_type type;
    size_t a; /* node or connection */
    int b;    /* end of a connection */
    void (*call)(struct sim *s, size_t a);
};
struct sim {
    uint64_t seed, now_ms;
    unsigned days;
    bool cores;     /* what a node computes takes time: what this machine's core needs for it */
    bool quiet;     /* no faults: while the township is founded, and at the end of the story */
    unsigned kinds; /* bits by enum sim_kind */
    struct rng story, network, keys, faults;
    struct trace trace;
    struct net net;
    void (*heard)(struct sim_node *n, struct slice frame); /* told of each frame; may be NULL */
    uint64_t *kept;    /* what one case of a scene leaves for the next ones */
    size_t node_count; /* the hub and the villages of this story */
    struct sim_node nodes[SIM_PLACES];
    char folder[64];
    struct signer authority, recovery;
    struct sign_key township; /* the founding authority's key */
    struct trust *trust;
    struct roll_back *roll_back;
    struct sticks *sticks;
    struct clones *clones;
    struct erase *erase;
    struct step *steps; /* a heap by (at, order) */
    size_t step_count, step_capacity;
    uint64_t step_order;
};
void story_schedule(struct sim *s, uint64_t in_ms, struct step step);
/* All draws follow from s->seed. Ends the process when something fails. */
void story_begin(struct sim *s);
void story_play(struct sim *s);                   /* the whole story of a seed */
void story_end(struct sim *s, struct hash *hash); /* of the trace */
/* Plays until `until_ms` or until nothing is left to do. */
void story_run(struct sim *s, uint64_t until_ms);
