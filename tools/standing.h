#pragma once
/*
 * How this node and its peers stand towards each other: what `status` and `doctor` tell. Read from
 * view rows, feed heads and peer rows only; never from the log but where a feed forked, so it costs
 * the same at a million events.
 */
#include "node/damage.h"
#include "node/store/local.h"
#include "node/store/neighbours.h"
#include "tools/forks.h"
#include "tools/month.h"

/* In order of trouble, the worst first. Words and characters: CLI.md, "Exit codes". */
enum standing_state {
    STANDING_FAULT,
    STANDING_OFFLINE,
    STANDING_NEVER,
    STANDING_PAUSED,
    STANDING_UNSENT,
    STANDING_BEHIND,
    STANDING_SYNCING,
    STANDING_SYNCED,
    STANDING_STATE_COUNT
};
char standing_sign(enum standing_state s);
const char *standing_name(enum standing_state s); /* "synced", for JSON */
/* In the language; `hub`: said of a village at the hub. */
const char *standing_words(enum standing_state s, bool hub);

enum standing_digest { DIGEST_UNKNOWN, DIGEST_EQUAL, DIGEST_DIFFERS };

/* One peer device. */
struct standing_peer {
    const struct device *device;
    bool neighbour; /* of a village, and this is no hub: nothing has arrived by it (W3) */
    enum standing_state state;
    uint64_t last_ok_ms, last_attempt_ms;
    uint64_t next_attempt_ms; /* 0: none is planned */
    uint32_t failures;
    enum err last_error;
    uint64_t theirs_missing; /* events held here that the peer has not shown to hold */
    uint64_t ours_missing;   /* events that the peer showed and are not held here */
    uint64_t written;        /* events held here of the peer's own feeds */
    bool current;            /* the peer is connected, so what it showed is what it has */
    const struct fork *fork; /* of its own feeds, what is to be told first; NULL: nothing */
    enum standing_digest digest;
    int64_t clock_offset_ms;
    bool clock_known;
    uint64_t disk_free_mib;    /* 0: unknown */
    uint64_t rate_bps, rtt_ms; /* of the link to it, last measured; 0: unknown */
    struct traffic_now traffic;
    const struct device *through; /* the hub: whose link its newest came by; NULL: its own */
    uint64_t through_ms;          /* when */
};

/* An address of `peers`. */
struct standing_neighbour {
    const struct settings_peer *given; /* borrowed from the command line's settings */
    struct neighbour_row row;
    const struct device *device; /* who was met there; NULL: nobody yet */
};

struct standing_village {
    const struct village *village;
    enum standing_state state;
    uint64_t got, known;
    bool known_sure;
    uint64_t last_ok_ms, last_attempt_ms;
    uint64_t open, overdue;
    enum standing_digest digest;
    size_t peer_at, peer_count; /* its devices in peers[] */
};

struct standing {
    uint64_t now_ms;
    struct clock_reading clock;
    bool hub; /* this node is the hub: the peers are the villages' devices */
    bool node_running;
    bool locked; /* keys and boxes are under a passphrase that nobody typed */
    const struct roster *roster;
    const struct device *self;
    uint64_t events; /* shown; so are all counts here */
    uint64_t disk_free;
    struct month month;      /* of all peers */
    struct damage damage;    /* numbers of records that the last checks found damaged */
    bool checked;            /* the daily check has run at all */
    uint64_t unsent, behind; /* not the hub: towards the township */
    enum standing_state state;
    uint64_t last_ok_ms, last_attempt_ms;
    struct standing_peer *peers; /* by village, in the roster's order */
    size_t peer_count;
    struct standing_neighbour neighbours[SETTINGS_PEERS_MAX]; /* as they are configured */
    size_t neighbour_count;
    struct standing_village *villages; /* the hub: all; else none */
    size_t village_count;
    size_t counts[STANDING_STATE_COUNT]; /* of villages */
    struct feed_row *feeds; /* those that are shown, by feed id; behind them the hidden ones */
    size_t feed_count, hidden_count;
    struct forks forks;
    bool numbers_wait; /* the hub gives no official number until a person has confirmed the last */
    const struct device *numbers_after; /* nor before this hub has told that it gives none; or NULL
                                         */
};
/* Reports errors itself; `out` borrows from the transaction and its roster. */
int standing_read(struct cli *cli, struct txn *txn, struct standing *out);
void standing_clear(struct standing *s);
/* It is not here itself, and its newest records came by another device. */
bool standing_is_heard_through(const struct standing_peer *p);
/* The peer that this node's own state is about (the township's device heard of last), or NULL. */
const struct standing_peer *standing_upstream(const struct standing *s);
