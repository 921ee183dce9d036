#pragma once
/*
 * A small township for tests: an authority, a hub and one device a village, with keys that are the
 * same in every run; the events they record, in memory; and stores that take those events in any
 * order. Helpers abort on a mistake of the test itself. Call crypto_init first.
 */
#include "node/arrival.h"

#define TOWNSHIP_DEVICES_MAX 12
#define TOWNSHIP_EVENTS_MAX 65536

struct township_device {
    struct signer signer;
    struct box_key transport;
    struct thing_id thing;
    char village[13]; /* "" for township devices and the authority */
    uint32_t roles;
    struct township_feed {
        struct feed feed;
        uint64_t seq;
        struct event_id head;
    } feeds[8];
    size_t feed_count;
};

struct township {
    struct township_device authority, recovery, hub, devices[TOWNSHIP_DEVICES_MAX];
    size_t device_count;
    const struct box_key *transport;           /* of who joins next; NULL: one made up */
    uint64_t time_ms;                          /* of the next event; goes on by a second each */
    struct event *events[TOWNSHIP_EVENTS_MAX]; /* in the order of recording */
    size_t event_count;
    size_t roster_count; /* the first events: what township_begin recorded */
};

/* Founds it, enrols the hub with every township role, puts `villages` villages (numbers from 1) and
 * joins one device (letter A) in each: devices[0..villages-1]. Large: keep it static. */
void township_begin(struct township *t, size_t villages);
void township_end(struct township *t);

/* Invites and joins one more device; "" for the township. */
struct township_device *township_join(struct township *t, const char *village, uint32_t roles,
                                      char letter);
/* The two events of it apart: the invite with its one-time key, and its acceptance. */
const struct event *township_invite(struct township *t, const struct signer *invite,
                                    const struct sign_key *acceptor, const char *village,
                                    uint32_t roles, char letter);
const struct event *township_accept(struct township *t, struct township_device *hub,
                                    const struct signer *invite, const struct signer *device,
                                    const struct thing_id *thing, uint32_t depth, uint32_t seen);

struct township_act {
    const char *kind;
    const char *scope;              /* NULL: of the device's village, else town */
    const struct thing_id *subject; /* NULL: founding */
    uint32_t depth, seen;
    const struct thing_id *by;
    const char *body, *box; /* JSON objects; NULL: {} and none */
    struct slice ext;
    uint64_t time_ms; /* 0: the township's time */
    bool untrusted;   /* its clock */
};
/* A JSON object (NULL: {}) as body or box, appended to `out`. */
struct slice township_pack(struct buf *out, const char *json, const struct kind *kind);
/* Records and signs; the event stays until township_end. */
const struct event *township_record(struct township *t, struct township_device *d,
                                    const struct township_act *act);
/* Adds a head to the rows of `heads` in a body that names them; begins with "". */
void township_name_head(char *heads, size_t size, const struct event *e);
/* The authority revokes it; `heads` count. */
const struct event *township_revoke(struct township *t, const struct thing_id *device,
                                    uint32_t depth, const char *heads);
/* A request of village device `d`, with a whole body. */
const struct event *township_register(struct township *t, struct township_device *d,
                                      const char *number);
void township_signer(struct signer *out, unsigned number);

/* --- nodes --- */

struct township_node {
    char home[64];
    struct store *store;
    struct views *views;
};
/* A new, empty store of this device in a temporary folder. */
void township_node_open(struct township_node *n, const struct township *t,
                        const struct township_device *d);
void township_node_close(struct township_node *n);
/* Takes each event in one transaction; what is held already is passed over. */
void township_node_take(struct township_node *n, struct event *const *events, size_t count);
/* All that the township recorded, in that order. */
void township_node_take_all(struct township_node *n, const struct township *t);
/* Lets a pending rebuild run to its end. */
void township_node_settle(struct township_node *n);
uint32_t township_node_scope(struct township_node *n, const char *scope);
