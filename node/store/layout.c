#include "node/store/layout.h"

#include <string.h>

const char *const layout_db_names[DB_COUNT] = {
    [DB_META] = "meta", [DB_FEEDS] = "feeds",   [DB_FEED_IDS] = "feed-ids", [DB_CHAIN] = "chain",
    [DB_LOG] = "log",   [DB_THINGS] = "things", [DB_ASIDE] = "aside",       [DB_SCOPES] = "scopes",
    [DB_ROWS] = "rows", [DB_LOCAL] = "local",
};

/* Writers and readers of fixed fields: `at` moves on. */
static void put(uint8_t **at, const void *data, size_t size)
{
    if (size) memcpy(*at, data, size);
    *at += size;
}

static void put_byte(uint8_t **at, unsigned v)
{
    *(*at)++ = (uint8_t)v;
}

static void put32(uint8_t **at, uint32_t v)
{
    be32_put(*at, v);
    *at += 4;
}

static void put64(uint8_t **at, uint64_t v)
{
    be64_put(*at, v);
    *at += 8;
}

static void get(const uint8_t **at, void *out, size_t size)
{
    memcpy(out, *at, size);
    *at += size;
}

static uint64_t get64(const uint8_t **at)
{
    *at += 8;
    return be64_get(*at - 8);
}

/* --- keys --- */

struct slice key_slice(const struct key *k)
{
    return slice_of(k->bytes, k->size);
}

static struct slice key_end(struct key *k, const uint8_t *at)
{
    k->size = (size_t)(at - k->bytes);
    return key_slice(k);
}

struct slice key_feed(struct key *k, uint32_t feed)
{
    uint8_t *at = k->bytes;
    put32(&at, feed);
    return key_end(k, at);
}

struct slice key_chain(struct key *k, uint32_t feed, uint64_t seq, const uint8_t id8[8])
{
    uint8_t *at = k->bytes;
    put32(&at, feed);
    put64(&at, seq);
    put(&at, id8, 8);
    return key_end(k, at);
}

struct slice key_arrival(struct key *k, uint64_t arrival)
{
    uint8_t *at = k->bytes;
    put64(&at, arrival);
    return key_end(k, at);
}

struct slice key_thing(struct key *k, uint32_t scope, const struct thing_id *thing,
                       uint64_t arrival)
{
    uint8_t *at = k->bytes;
    put32(&at, scope);
    put(&at, thing->bytes, sizeof thing->bytes);
    put64(&at, arrival);
    return key_end(k, at);
}

struct slice key_scope(struct key *k, uint32_t scope)
{
    uint8_t *at = k->bytes;
    put_byte(&at, 'n');
    put32(&at, scope);
    return key_end(k, at);
}

struct slice key_scope_text(struct key *k, const struct scope *scope)
{
    uint8_t *at = k->bytes;
    put_byte(&at, 't');
    put(&at, scope->text, strlen(scope->text));
    return key_end(k, at);
}

struct slice key_row(struct key *k, uint32_t scope, uint8_t table, struct slice key)
{
    uint8_t *at = k->bytes;
    put32(&at, scope);
    put_byte(&at, table);
    if (key.size) put(&at, key.data, key.size);
    return key_end(k, at);
}

struct slice key_local(struct key *k, char table, struct slice name)
{
    uint8_t *at = k->bytes;
    put_byte(&at, (uint8_t)table);
    if (name.size) put(&at, name.data, name.size);
    return key_end(k, at);
}

/* --- identity --- */

static const uint8_t magic[8] = "sidan\r\n";

void identity_write(uint8_t out[IDENTITY_SIZE], const struct store_identity *identity)
{
    uint8_t *at = out;
    put(&at, magic, sizeof magic);
    put32(&at, STORE_VERSION);
    put(&at, identity->township.bytes, 32);
    put(&at, identity->device.bytes, 32);
    put(&at, identity->generation, 8);
}

enum err identity_read(struct store_identity *out, struct slice value)
{
    const uint8_t *at = value.data;
    if (value.size < sizeof magic + 4 || memcmp(at, magic, sizeof magic) != 0) return ERR_FOREIGN;
    uint32_t version = be32_get(at + sizeof magic);
    if (version > STORE_VERSION) return ERR_VERSION;
    if (version == 0 || value.size != IDENTITY_SIZE) return ERR_CORRUPT;
    at += sizeof magic + 4;
    get(&at, out->township.bytes, 32);
    get(&at, out->device.bytes, 32);
    get(&at, out->generation, 8);
    return OK;
}

/* --- feeds and scopes --- */

static bool get_scope(const uint8_t **at, struct scope *out)
{
    struct scope scope = {{0}};
    get(at, scope.text, sizeof scope.text);
    if (scope.text[SCOPE_SIZE_MAX] != 0) return false;
    return scope_parse(out, slice_of_text(scope.text)) == OK;
}

static void put_scope(uint8_t **at, const struct scope *scope)
{
    char text[SCOPE_SIZE_MAX + 1] = {0};
    memcpy(text, scope->text, strlen(scope->text));
    put(at, text, sizeof text);
}

static void put_heads(uint8_t **at, const struct head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put64(at, heads[i].seq);
        put(at, heads[i].id.bytes, 32);
        put64(at, heads[i].time);
    }
}

static void get_heads(const uint8_t **at, struct head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        heads[i].seq = get64(at);
        get(at, heads[i].id.bytes, 32);
        heads[i].time = get64(at);
    }
}

size_t feed_row_write(uint8_t out[FEED_ROW_SIZE_MAX], const struct feed_row *row)
{
    uint8_t *at = out;
    put(&at, row->id.bytes, 32);
    put(&at, row->feed.author.bytes, 32);
    put32(&at, row->scope_number);
    put_scope(&at, &row->feed.scope);
    put_byte(&at, row->feed.lane);
    put_byte(&at, row->feed.has_epoch);
    put(&at, row->feed.epoch, 8);
    put64(&at, row->events);
    put_byte(&at, (unsigned)row->head_count);
    put_byte(&at, (unsigned)row->aside_count);
    put_heads(&at, row->heads, row->head_count);
    put_heads(&at, row->aside, row->aside_count);
    return (size_t)(at - out);
}

enum err feed_row_read(struct feed_row *out, uint32_t number, struct slice value)
{
    const size_t fixed = FEED_ROW_SIZE_MAX - 2 * FEED_BRANCHES_MAX * 48;
    const uint8_t *at = value.data;
    if (value.size < fixed) return ERR_CORRUPT;
    memset(out, 0, offsetof(struct feed_row, heads));
    out->number = number;
    get(&at, out->id.bytes, 32);
    get(&at, out->feed.author.bytes, 32);
    out->scope_number = be32_get(at);
    at += 4;
    if (!get_scope(&at, &out->feed.scope)) return ERR_CORRUPT;
    out->feed.lane = *at++;
    uint8_t has_epoch = *at++;
    get(&at, out->feed.epoch, 8);
    out->events = get64(&at);
    out->head_count = *at++;
    out->aside_count = *at++;
    if (out->feed.lane >= LANE_COUNT || has_epoch > 1 || out->head_count > FEED_BRANCHES_MAX ||
        out->aside_count > FEED_BRANCHES_MAX ||
        value.size != fixed + (out->head_count + out->aside_count) * 48)
        return ERR_CORRUPT;
    out->feed.has_epoch = has_epoch;
    get_heads(&at, out->heads, out->head_count);
    get_heads(&at, out->aside, out->aside_count);
    return OK;
}

void scope_row_write(uint8_t out[SCOPE_ROW_SIZE], const struct scope_row *row)
{
    uint8_t *at = out;
    put_scope(&at, &row->scope);
    put64(&at, row->events);
    put64(&at, row->open_rows);
    put(&at, row->rows_sum, 32);
}

enum err scope_row_read(struct scope_row *out, uint32_t number, struct slice value)
{
    const uint8_t *at = value.data;
    if (value.size != SCOPE_ROW_SIZE) return ERR_CORRUPT;
    out->number = number;
    if (!get_scope(&at, &out->scope)) return ERR_CORRUPT;
    out->events = get64(&at);
    out->open_rows = get64(&at);
    get(&at, out->rows_sum, 32);
    return OK;
}

/* --- log records --- */

#define RECORD_FIXED ((size_t)32 + 1 + 2)
#define RECORD_SIGNATURE ((size_t)64 + 4)

/* A flipped bit in a signature shows here, before a peer refuses the run that carries it. */
static void signature_check(uint8_t out[4], const struct signature *sig)
{
    struct hash h;
    crypto_hash_one(&h, "sidan/log", slice_of(sig->bytes, sizeof sig->bytes));
    memcpy(out, h.bytes, 4);
}

size_t record_size(const struct event *e, const struct secret_key *key)
{
    size_t size = RECORD_FIXED + (e->has_signature ? RECORD_SIGNATURE : 0) + (size_t)e->header.size;
    if (e->box_state == BOX_LOCKED) size += e->box.size;
    if (e->box_state == BOX_HERE)
        size += EVENT_SALT_SIZE + e->box.size + (key ? CRYPTO_LOCK_OVERHEAD : 0);
    return size;
}

/* The id names salt and box, by the digest in the header that it is the hash of: so under one key
 * no two messages ever have the same nonce, and nothing more is stored. */
static void lock_box(uint8_t *bytes, size_t size, const struct event_id *id,
                     const struct secret_key *key)
{
    crypto_lock(bytes, size, key, id->bytes, slice_of(id->bytes, sizeof id->bytes));
}

enum err record_open_box(uint8_t *out, const struct event_id *id, struct slice locked,
                         const struct secret_key *key)
{
    return crypto_unlock(out, locked, key, id->bytes, slice_of(id->bytes, sizeof id->bytes))
               ? ERR_CORRUPT
               : OK;
}

static unsigned box_flags(const struct event *e, const struct secret_key *key)
{
    if (e->box_state == BOX_LOCKED) return RECORD_BOX | RECORD_LOCKED;
    if (e->box_state == BOX_HERE) return RECORD_BOX | (key ? RECORD_LOCKED : 0u);
    return 0;
}

void record_write(uint8_t *out, const struct event *e, const struct secret_key *key)
{
    put(&out, e->id.bytes, 32);
    put_byte(&out, (e->has_signature ? RECORD_SIGNED : 0u) | box_flags(e, key));
    be16_put(out, (uint16_t)e->header.size);
    out += 2;
    if (e->has_signature) {
        put(&out, e->signature.bytes, 64);
        signature_check(out, &e->signature);
        out += 4;
    }
    put(&out, e->header.data, e->header.size);
    uint8_t *box = out;
    if (e->box_state == BOX_HERE) put(&out, e->salt, EVENT_SALT_SIZE);
    if (e->box_state == BOX_HERE || e->box_state == BOX_LOCKED) put(&out, e->box.data, e->box.size);
    if (e->box_state == BOX_HERE && key) lock_box(box, (size_t)(out - box), &e->id, key);
}

/* How many bytes of it stand before a box, and a flag that is damage. */
static bool box_read_flags(struct record *out, unsigned flags, size_t *least)
{
    unsigned locked = flags & RECORD_LOCKED;
    out->has_box = (flags & RECORD_BOX) != 0;
    out->box_locked = locked != 0;
    *least = !out->has_box     ? 0
             : out->box_locked ? EVENT_SALT_SIZE + CRYPTO_LOCK_OVERHEAD
                               : EVENT_SALT_SIZE;
    return !locked || (locked == RECORD_LOCKED && out->has_box);
}

enum err record_read(struct record *out, struct slice value)
{
    const uint8_t *at = value.data;
    if (value.size < RECORD_FIXED) return ERR_CORRUPT;
    get(&at, out->id.bytes, 32);
    unsigned flags = *at++;
    size_t header_size = be16_get(at);
    at += 2;
    out->has_signature = (flags & RECORD_SIGNED) != 0;
    unsigned aside = flags & RECORD_ASIDE;
    size_t least, fixed = RECORD_FIXED + (out->has_signature ? RECORD_SIGNATURE : 0) + header_size;
    if (flags > (RECORD_SIGNED | RECORD_BOX | RECORD_ASIDE | RECORD_LOCKED) ||
        (aside && aside != RECORD_ASIDE) || !box_read_flags(out, flags, &least) ||
        value.size < fixed + least || (!out->has_box && value.size != fixed))
        return ERR_CORRUPT;
    if (out->has_signature) {
        uint8_t check[4];
        get(&at, out->signature.bytes, 64);
        signature_check(check, &out->signature);
        if (memcmp(check, at, 4) != 0) return ERR_CORRUPT;
        at += 4;
    }
    out->header = slice_of(at, header_size);
    at += header_size;
    if (out->has_box && !out->box_locked) get(&at, out->salt, EVENT_SALT_SIZE);
    out->box = slice_of(at, (size_t)(value.data + value.size - at));
    return OK;
}

void record_set_aside(uint8_t *record, bool aside)
{
    uint8_t *flags = &record[32];
    *flags = (uint8_t)(aside ? *flags | RECORD_ASIDE : *flags & ~(unsigned)RECORD_ASIDE);
}

bool record_is_aside(struct slice value)
{
    return value.size >= RECORD_FIXED && (value.data[32] & RECORD_ASIDE) == RECORD_ASIDE;
}

bool record_id(struct event_id *out, struct slice value)
{
    if (value.size < RECORD_FIXED) return false;
    memcpy(out->bytes, value.data, 32);
    return true;
}
