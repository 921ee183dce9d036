#pragma once
/*
 * The layout of the store: every database, key and value, in one place. STORE_VERSION changes when
 * anything here does.
 *
 *   meta      name                                    -> value; "sidan" is the store's identity
 *   feeds     feed be32                               -> feed row
 *   feed-ids  feed id 32                              -> feed be32
 *   chain     feed be32 ‖ seq be64 ‖ id8              -> arrival be64
 *   log       arrival be64                            -> record
 *   things    scope be32 ‖ thing 16 ‖ arrival be64    -> empty
 *   aside     the same, of events that do not count
 *   scopes    'n' ‖ scope be32                        -> scope row
 *             't' ‖ text                              -> scope be32
 *   rows      scope be32 ‖ table ‖ key                -> value
 *   local     'p' ‖ device 32                         -> peer row
 *             'r' ‖ device 32 ‖ counter be64          -> signature 64 ‖ signed body
 *             'a' ‖ name                              -> value of an ask
 *             'u' ‖ device 32                         -> runs that were cut; [nonce 24 ‖ lock(...)
 * ‖ tag] 'c' ‖ author 32                         -> (feed 8 ‖ seq be64 ‖ id 16) for each cut 'e' ‖
 * scope be32 ‖ thing 16             -> what is erased of a thing: whole ‖ next be64 ‖ orders ‖
 * single ones be16 ‖ (id 32 ‖ arrival be64 ‖ serial be64 ‖ flags) for each order ‖ id8 for each
 * single one 't' ‖ device 32 ‖ 'd' day, 'm' month be32 -> bytes sent be64 ‖ received be64
 *             'b' ‖ bundle 16                         -> serial be64 ‖ when be64 ‖ way ‖ refused
 *             'o' ‖ serial be64                       -> bundle 16
 *
 *   record    id 32 ‖ flags ‖ header size be16 ‖ [signature 64 ‖ check 4] ‖ header ‖ [salt 8 ‖ box]
 *             where boxes are locked (locking.h) [lock(salt 8 ‖ box) ‖ tag 16] at the end
 *   feed row  id 32 ‖ author 32 ‖ scope be32 ‖ scope text 21 ‖ lane ‖ has epoch ‖ epoch 8 ‖
 *             events be64 ‖ heads ‖ heads aside ‖ (seq be64 ‖ id 32 ‖ time be64) for each
 *   scope row text 21 ‖ events be64 ‖ open rows be64 ‖ rows sum 32
 *
 * Feed, scope and arrival numbers start at 1 and have no gaps. Every value is decoded with its size
 * checked: a damaged one is an error, never a read past its end.
 */
#include "node/store/rows.h"

enum db {
    DB_META,
    DB_FEEDS,
    DB_FEED_IDS,
    DB_CHAIN,
    DB_LOG,
    DB_THINGS,
    DB_ASIDE,
    DB_SCOPES,
    DB_ROWS,
    DB_LOCAL,
    DB_COUNT,
};
extern const char *const layout_db_names[DB_COUNT];

#define META_IDENTITY "sidan"

#define KEY_SIZE_MAX 192
struct key {
    size_t size;
    uint8_t bytes[KEY_SIZE_MAX];
};
struct slice key_slice(const struct key *k);
struct slice key_feed(struct key *k, uint32_t feed);
struct slice key_chain(struct key *k, uint32_t feed, uint64_t seq, const uint8_t id8[8]);
struct slice key_arrival(struct key *k, uint64_t arrival);
struct slice key_thing(struct key *k, uint32_t scope, const struct thing_id *thing,
                       uint64_t arrival);
struct slice key_scope(struct key *k, uint32_t scope);
struct slice key_scope_text(struct key *k, const struct scope *scope);
struct slice key_row(struct key *k, uint32_t scope, uint8_t table, struct slice key);
struct slice key_local(struct key *k, char table, struct slice name);

#define CHAIN_KEY_SIZE 20
#define THING_KEY_SIZE 28
#define ROW_KEY_FIXED ((size_t)5) /* scope and table */

/* --- identity --- */
#define IDENTITY_SIZE 84
void identity_write(uint8_t out[IDENTITY_SIZE], const struct store_identity *identity);
/* Errors: ERR_FOREIGN, ERR_VERSION. */
MUST_CHECK enum err identity_read(struct store_identity *out, struct slice value);

/* --- feeds and scopes --- */
#define FEED_ROW_SIZE_MAX                                                                          \
    (32 + 32 + 4 + SCOPE_SIZE_MAX + 1 + 2 + 8 + 8 + 2 + 2 * FEED_BRANCHES_MAX * 48)
size_t feed_row_write(uint8_t out[FEED_ROW_SIZE_MAX], const struct feed_row *row);
/* Errors: ERR_CORRUPT. */
MUST_CHECK enum err feed_row_read(struct feed_row *out, uint32_t number, struct slice value);
#define SCOPE_ROW_SIZE (SCOPE_SIZE_MAX + 1 + 8 + 8 + 32)
void scope_row_write(uint8_t out[SCOPE_ROW_SIZE], const struct scope_row *row);
MUST_CHECK enum err scope_row_read(struct scope_row *out, uint32_t number, struct slice value);

/* --- log records --- */
/* Two bits of which one alone is damage. */
enum { RECORD_SIGNED = 1, RECORD_BOX = 2, RECORD_ASIDE = 4 | 8, RECORD_LOCKED = 16 | 32 };
struct record {
    struct event_id id;
    bool has_signature;
    struct signature signature;
    struct slice header;
    bool has_box, box_locked;
    uint8_t salt[EVENT_SALT_SIZE]; /* of a box that is not locked */
    struct slice box;              /* locked: with its salt inside */
};
/* `key`: a box that is not locked yet is written under it; NULL: as it is. */
size_t record_size(const struct event *e, const struct secret_key *key);
/* record_size bytes. */
void record_write(uint8_t *out, const struct event *e, const struct secret_key *key);
/* Opens a locked box into `out`, salt and box: locked.size - CRYPTO_LOCK_OVERHEAD bytes. Errors:
 * ERR_CORRUPT (changed, or under another key). */
MUST_CHECK enum err record_open_box(uint8_t *out, const struct event_id *id, struct slice locked,
                                    const struct secret_key *key);
/* Takes a record apart; nothing is hashed but the signature's check. Errors: ERR_CORRUPT. */
MUST_CHECK enum err record_read(struct record *out, struct slice value);
/* The one mark that is no part of the event. */
void record_set_aside(uint8_t *record, bool aside);
bool record_is_aside(struct slice value);
/* Only the id; false when the value is too short to be a record. */
bool record_id(struct event_id *out, struct slice value);
