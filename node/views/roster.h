#pragma once
/*
 * The roster: who belongs to the township. A snapshot read from the view rows of scope `town`
 * (things of type township, village and device), held in memory and read-only. Who may connect,
 * hold a scope and author a kind comes from it and from nowhere else.
 */
#include "node/store/rows.h"
#include "proto/kinds.h"

enum device_state {
    DEVICE_INVITED, /* open invite: `key`/`transport` are the invite's one-time halves */
    DEVICE_JOINED,
    DEVICE_REVOKED,
};

struct device {
    struct thing_id thing;
    enum device_state state;
    struct sign_key key;      /* the device's; zero while invited */
    struct box_key transport; /* the device's; zero while invited */
    struct sign_key invite;   /* one-time keys of the invite; zero for the founding hub */
    struct box_key invite_transport;
    struct sign_key acceptor; /* the hub device that may accept the invite */
    char village[13];         /* code; "" for township devices */
    uint32_t roles;
    char letter; /* 'A'.. within its village (or the township) */
    char name[DEVICE_NAME_SIZE_MAX + 1];
    uint64_t expires_ms; /* of the invite */
    bool stolen;         /* a second device.joined used the same invite */
};

struct village {
    struct thing_id thing;
    char code[13];
    char name[65];
    char short_name[33];
    char pinyin[33];
    uint32_t number; /* short: 3 in 03A-0127 */
    bool closed;     /* merged into another: what is recorded there stays */
};

struct roster {
    struct sign_key authority;
    bool founded; /* township.founded is held */
    char township_name[65];
    struct sign_key recovery;
    struct box_key office;
    struct device *devices;
    size_t device_count;
    struct village *villages; /* by code */
    size_t village_count;
    struct hash version; /* changes with every change of these rows */
    uint32_t *slots;     /* open addressing over devices by key; device index + 1 */
    size_t slot_count;
};

MUST_CHECK enum err roster_load(struct txn *t, struct roster **out);
void roster_free(struct roster *r);

/* All return borrowed pointers, NULL where there is none. */
const struct device *roster_device(const struct roster *r, const struct sign_key *key);
/* A device that may speak on a link with this transport key (joined only). */
const struct device *roster_transport(const struct roster *r, const struct box_key *key);
/* An open invite by its transport key, unexpired at now_ms. */
const struct device *roster_invite_transport(const struct roster *r, const struct box_key *key,
                                             uint64_t now_ms);
const struct device *roster_invite(const struct roster *r, const struct sign_key *invite);
const struct device *roster_hub(const struct roster *r); /* first joined device with ROLE_HUB */
const struct village *roster_village(const struct roster *r, const char *code);
bool device_is_township(const struct device *d);
/* Roles of an author: ROLE_AUTHORITY for the authority, a joined or revoked device's roles, 0 for
 * a stranger. */
uint32_t roster_roles(const struct roster *r, const struct sign_key *author);
/* May this device hold feeds of this scope (its own authored feeds apart)? */
bool device_may_hold(const struct device *d, const struct scope *scope);
/* May this author have feeds in this scope at all? The authority: town only. Village devices: town,
 * their own village, office (sealed). Township devices: every scope, except mirror-only ones. */
bool roster_may_author(const struct roster *r, const struct sign_key *author,
                       const struct scope *scope);
