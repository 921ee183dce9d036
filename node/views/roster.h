#pragma once
/*
 * The roster: who belongs to the township. A snapshot read from the view rows of scope `town`
 * (things of type township, village and device), held in memory and read-only. Who may connect,
 * hold a scope and author a kind comes from it and from nowhere else.
 */
#include "node/store/rows.h"
#include "proto/kinds.h"

enum device_state {
    DEVICE_INVITED, /* open invite: has no keys yet but the invite's one-time halves */
    DEVICE_JOINED,
    DEVICE_REVOKED,
};

struct device {
    struct thing_id thing;
    enum device_state state;
    struct sign_key first;    /* its first signing key, which names it; zero while invited */
    struct sign_key key;      /* its newest; zero while invited */
    struct box_key transport; /* its newest; zero while invited */
    struct sign_key invite;   /* one-time keys of the invite; zero for the founding hub */
    struct box_key invite_transport;
    struct sign_key acceptor; /* the hub device that may accept the invite */
    char village[13];         /* code; "" for township devices */
    uint32_t roles;
    char letter; /* 'A'.. within its village (or the township) */
    char name[DEVICE_NAME_SIZE_MAX + 1];
    uint64_t expires_ms;                /* of the invite */
    bool stolen;                        /* a second device.joined used the same invite */
    uint32_t earlier_at, earlier_count; /* in roster.earlier: what it had before, oldest first */
    uint32_t cuts_at, cut_count;        /* in roster.cuts: what counts of it, once it was revoked */
    uint32_t addresses_at, address_count; /* in roster.addresses: where it listens */
};

/* Text as the authority stated it; who dials looks whether it is an address. */
struct device_address {
    char text[FIELD_LIST_ITEM_MAX + 1];
};

/* Keys that a device had until it changed them; one of the two may be the same as later. */
struct device_keys_earlier {
    struct sign_key key;
    struct box_key transport;
    uint32_t device; /* index */
};

/* Who signs, or signed, for the township: the founding authority first, the one in force last. */
struct authority {
    struct sign_key key;
    struct sign_key recovery;    /* made with it; its one right is to name the next */
    uint32_t cuts_at, cut_count; /* in roster.cuts: what counts of it, once it was replaced */
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
    struct sign_key township; /* the founding authority's key, which names the township */
    bool founded;             /* township.founded is held */
    struct thing_id thing;    /* of the township, once it is */
    char township_name[65];
    struct authority *authorities; /* one at least */
    size_t authority_count;
    struct head_named *cuts;
    size_t cut_count;
    struct box_key office;           /* the newest */
    struct box_key *offices_earlier; /* oldest first */
    size_t office_earlier_count;
    struct sign_key *series; /* of the devices that official numbers were moved to; the last one
                                gives them */
    size_t series_count;
    struct device *devices;
    size_t device_count;
    struct device_keys_earlier *earlier; /* of all devices, those of one together */
    size_t earlier_count;
    struct device_address *addresses; /* of all devices, those of one together */
    size_t address_count;
    struct village *villages; /* by code */
    size_t village_count;
    struct hash version; /* changes with every change of these rows */
    uint32_t *slots; /* open addressing over signing keys: 1 + index of device, or of earlier ones
                        behind them */
    size_t slot_count;
};

MUST_CHECK enum err roster_load(struct txn *t, struct roster **out);
void roster_free(struct roster *r);

/* The authority in force. */
const struct authority *roster_authority(const struct roster *r);
/* Did this key ever sign for the township? What it signed counts, but for what was cut off when it
 * was replaced. */
bool roster_is_authority(const struct roster *r, const struct sign_key *key);
/* Is it a key of a sheet in the drawer, used or not? */
bool roster_is_recovery(const struct roster *r, const struct sign_key *key);
/* The same as roster_is_authority, of the rows as the transaction has them. */
bool roster_keeps_authority(struct txn *t, const struct sign_key *key);

/* All return borrowed pointers, NULL where there is none. */
/* By any of its signing keys. */
const struct device *roster_device(const struct roster *r, const struct sign_key *key);
/* Who that is, by whichever key he signed: the first key of the device, else the key itself. */
const struct sign_key *roster_name(const struct roster *r, const struct sign_key *key);
bool roster_has_key(const struct roster *r, const struct device *d, const struct sign_key *key);
/* Signing keys (transport keys) of a device, each once, newest first; false at the end. */
bool roster_key_at(const struct roster *r, const struct device *d, size_t i, struct sign_key *out);
bool roster_transport_at(const struct roster *r, const struct device *d, size_t i,
                         struct box_key *out);
/* A device that may speak on a link with this transport key: joined only, its newest two. */
const struct device *roster_transport(const struct roster *r, const struct box_key *key);
/* An invite by its transport key, unexpired at now_ms, that may ask to join: an open one, or one
 * that was used once, so that a second use is seen. */
const struct device *roster_invite_transport(const struct roster *r, const struct box_key *key,
                                             uint64_t now_ms);
const struct device *roster_invite(const struct roster *r, const struct sign_key *invite);
/* The one that gives official numbers: whom they were moved to last, else the founding hub. */
const struct device *roster_hub(const struct roster *r);
/* Who did after so many moves, whatever became of it since. */
const struct device *roster_hub_after(const struct roster *r, size_t moves);
/* Does it accept invites and villages: a joined township device with ROLE_HUB? */
bool device_is_hub(const struct device *d);
const struct village *roster_village(const struct roster *r, const char *code);
bool device_is_township(const struct device *d);
/* Roles of an author: ROLE_AUTHORITY for an authority, ROLE_RECOVERY for a recovery key, a joined
 * or revoked device's roles, 0 for a stranger. */
uint32_t roster_roles(const struct roster *r, const struct sign_key *author);
/* May this device hold feeds of this scope (its own authored feeds apart)? */
bool device_may_hold(const struct device *d, const struct scope *scope);
/* May this author have feeds in this scope at all? Authorities, recovery keys: town only. Village
 * devices: town,
 * their own village, office (sealed). Township devices: every scope, except mirror-only ones. */
bool roster_may_author(const struct roster *r, const struct sign_key *author,
                       const struct scope *scope);
