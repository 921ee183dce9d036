#include "node/store/local.h"

#include "node/store/locking.h"
#include "node/store/txn.h"
#include "proto/frame.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_PEER = 'p', TABLE_RECEIPT = 'r', TABLE_ASK = 'a', TABLE_UNFINISHED = 'u' };
enum { HAVE_SIZE = 24 };

/* --- peers: format, numbers of 8 bytes, generation, views8, then the two have-vectors --- */

/* A row of another format is forgotten: a contact tells all of it anew. */
enum { PEER_FORMAT = 5, PEER_NUMBERS = 22, PEER_FIXED = 1 + PEER_NUMBERS * 8 + 16 };

static void peer_numbers(const struct peer_row *row, uint64_t out[PEER_NUMBERS])
{
    const uint64_t numbers[PEER_NUMBERS] = {
        row->last_attempt_ms, row->last_ok_ms,
        row->failures,        row->last_error,
        row->state,           row->credit,
        row->disk_free_mib,   (uint64_t)row->clock_offset_ms,
        row->clock_trusted,   row->has_views,
        row->rate_bps,        row->rtt_ms,
        row->bytes_sent,      row->bytes_received,
        row->refusals,        row->next_attempt_ms,
        row->have_count,      row->cut,
        row->cut_bytes,       row->cut_sending,
        row->bundle,          be64_get(row->towns8),
    };
    memcpy(out, numbers, sizeof numbers);
}

static void peer_numbers_take(struct peer_row *row, const uint64_t in[PEER_NUMBERS])
{
    row->last_attempt_ms = in[0];
    row->last_ok_ms = in[1];
    row->failures = (uint32_t)in[2];
    row->last_error = (uint32_t)in[3];
    row->state = (uint8_t)in[4];
    row->credit = in[5];
    row->disk_free_mib = in[6];
    row->clock_offset_ms = (int64_t)in[7];
    row->clock_trusted = in[8] != 0;
    row->has_views = in[9] != 0;
    row->rate_bps = in[10];
    row->rtt_ms = in[11];
    row->bytes_sent = in[12];
    row->bytes_received = in[13];
    row->refusals = in[14];
    row->next_attempt_ms = in[15];
    row->have_count = in[16];
    row->cut = in[17] != 0;
    row->cut_bytes = in[18];
    row->cut_sending = in[19] != 0;
    row->bundle = in[20];
    be64_put(row->towns8, in[21]);
}

static struct peer_have *vector_read(const uint8_t *at, size_t count)
{
    struct peer_have *have = calloc(count + 1, sizeof *have);
    for (size_t i = 0; have && i < count; i++, at += HAVE_SIZE) {
        memcpy(have[i].feed8, at, 8);
        have[i].seq = be64_get(at + 8);
        memcpy(have[i].id8, at + 16, 8);
    }
    return have;
}

static enum err peer_read(struct peer_row *out, struct slice value)
{
    uint64_t numbers[PEER_NUMBERS];
    if (!value.size || value.data[0] != PEER_FORMAT) return ERR_NOT_FOUND;
    const uint8_t *at = value.data + 1;
    if (value.size < PEER_FIXED || (value.size - PEER_FIXED) % HAVE_SIZE != 0) return ERR_CORRUPT;
    size_t count = (value.size - PEER_FIXED) / HAVE_SIZE;
    for (size_t i = 0; i < PEER_NUMBERS; i++) numbers[i] = be64_get(at + 8 * i);
    at += PEER_NUMBERS * 8;
    peer_numbers_take(out, numbers);
    if (out->have_count > count) return ERR_CORRUPT;
    out->shown_count = count - out->have_count;
    memcpy(out->generation, at, 8);
    memcpy(out->views8, at + 8, 8);
    at += 16;
    out->have = vector_read(at, out->have_count);
    out->shown = vector_read(at + out->have_count * HAVE_SIZE, out->shown_count);
    if (out->have && out->shown) return OK;
    peer_row_clear(out);
    return ERR_NOMEM;
}

static bool peer_take(struct txn *t, const struct sign_key *device, struct slice value,
                      struct peer_row *out)
{
    struct peer_row row = {.device = *device};
    enum err err = peer_read(&row, value);
    if (err && err != ERR_NOT_FOUND) txn_fail(t, err);
    if (err) return false;
    *out = row;
    return true;
}

bool peer_get(struct txn *t, const struct sign_key *device, struct peer_row *out)
{
    struct key key;
    struct slice value;
    return db_get(t, DB_LOCAL, key_local(&key, TABLE_PEER, slice_of(device->bytes, 32)), &value) &&
           peer_take(t, device, value, out);
}

static int have_order(const void *a, const void *b)
{
    const struct peer_have *x = a, *y = b;
    int order = memcmp(x->feed8, y->feed8, 8);
    return order ? order : (x->seq < y->seq) - (x->seq > y->seq);
}

static uint8_t *vector_write(uint8_t *at, struct peer_have *have, size_t count)
{
    if (count) qsort(have, count, sizeof *have, have_order);
    for (size_t i = 0; i < count; i++, at += HAVE_SIZE) {
        memcpy(at, have[i].feed8, 8);
        be64_put(at + 8, have[i].seq);
        memcpy(at + 16, have[i].id8, 8);
    }
    return at;
}

/* meta: 1 after there was one, so that pages may hold one still */
#define META_CUT_RUNS "cut_runs"

/* Locked where boxes are: nonce ‖ what crypto_lock makes of the bytes, bound to the device. */
static void unfinished_put(struct txn *t, const struct peer_row *row)
{
    struct key key;
    struct slice name = key_local(&key, TABLE_UNFINISHED, slice_of(row->device.bytes, 32));
    size_t size = row->unfinished.size;
    if (size && !meta_get_uint(t, META_CUT_RUNS)) meta_put_uint(t, META_CUT_RUNS, 1);
    if (!size) {
        db_delete(t, DB_LOCAL, name);
        return;
    }
    if (t->keyless) txn_fail(t, ERR_LOCKED);
    size_t more = t->locks ? CRYPTO_NONCE_SIZE + CRYPTO_LOCK_OVERHEAD : 0;
    uint8_t *at = db_put_room(t, DB_LOCAL, name, size + more, false);
    if (!at) return;
    uint8_t *bytes = at + (t->locks ? CRYPTO_NONCE_SIZE : 0);
    memcpy(bytes, row->unfinished.data, size);
    if (!t->locks) return;
    crypto_random(at, CRYPTO_NONCE_SIZE);
    crypto_lock(bytes, size, &t->store->key, at, slice_of(row->device.bytes, 32));
}

/* What cannot be opened is begun anew. */
static struct slice unfinished_open(struct txn *t, const struct sign_key *device,
                                    struct slice value)
{
    struct buf *opened = &t->unfinished;
    size_t least = CRYPTO_NONCE_SIZE + CRYPTO_LOCK_OVERHEAD;
    buf_reset(opened);
    if (value.size < least || !t->store->has_key) return SLICE_EMPTY;
    uint8_t *at = buf_reserve(opened, value.size - least);
    struct slice locked = slice_of(value.data + CRYPTO_NONCE_SIZE, value.size - CRYPTO_NONCE_SIZE);
    if (!at || crypto_unlock(at, locked, &t->store->key, value.data, slice_of(device->bytes, 32)))
        return SLICE_EMPTY;
    buf_advance(opened, value.size - least);
    return buf_slice(opened);
}

struct slice peer_unfinished(struct txn *t, const struct sign_key *device)
{
    struct key key;
    struct slice value;
    struct slice name = key_local(&key, TABLE_UNFINISHED, slice_of(device->bytes, 32));
    struct locking now;
    if (locking_get(t, &now) || !db_get(t, DB_LOCAL, name, &value)) return SLICE_EMPTY;
    bool plain = now.state == LOCKING_NONE || now.state == LOCKING_OPENS;
    return plain ? value : unfinished_open(t, device, value);
}

bool peers_drop_unfinished(struct txn *t)
{
    struct key from, gone;
    struct slice found, value;
    if (!meta_get_uint(t, META_CUT_RUNS)) return false;
    meta_delete(t, META_CUT_RUNS);
    key_local(&from, TABLE_UNFINISHED, SLICE_EMPTY);
    while (db_find(t, DB_LOCAL, key_slice(&from), &found, &value) && found.size == 1 + 32 &&
           found.data[0] == TABLE_UNFINISHED) {
        gone.size = found.size; /* found dies with the write (L12) */
        memcpy(gone.bytes, found.data, found.size);
        db_delete(t, DB_LOCAL, key_slice(&gone));
    }
    return true;
}

void peer_unfinished_delete(struct txn *t, const struct sign_key *device)
{
    struct key key;
    db_delete(t, DB_LOCAL, key_local(&key, TABLE_UNFINISHED, slice_of(device->bytes, 32)));
}

void peer_put(struct txn *t, const struct peer_row *row)
{
    struct key key;
    uint64_t numbers[PEER_NUMBERS];
    if (row->have_count > HAVE_ENTRIES_MAX || row->shown_count > HAVE_ENTRIES_MAX)
        txn_fail(t, ERR_LIMIT);
    size_t size = PEER_FIXED + (row->have_count + row->shown_count) * HAVE_SIZE;
    uint8_t *at = db_put_room(
        t, DB_LOCAL, key_local(&key, TABLE_PEER, slice_of(row->device.bytes, 32)), size, false);
    if (!at) return;
    *at++ = PEER_FORMAT;
    peer_numbers(row, numbers);
    for (size_t i = 0; i < PEER_NUMBERS; i++, at += 8) be64_put(at, numbers[i]);
    memcpy(at, row->generation, 8);
    memcpy(at + 8, row->views8, 8);
    at += 16;
    at = vector_write(at, row->have, row->have_count);
    vector_write(at, row->shown, row->shown_count);
    if (row->unfinished_new) unfinished_put(t, row);
}

void peer_row_clear(struct peer_row *row)
{
    free(row->have);
    free(row->shown);
    buf_clear(&row->unfinished);
    row->have = row->shown = NULL;
    row->have_count = row->shown_count = 0;
}

bool peer_have_set(struct peer_have **vector, size_t *count, const uint8_t feed8[8],
                   const struct want_point *points, size_t point_count)
{
    size_t kept = 0;
    struct peer_have *have = calloc(*count + point_count + 1, sizeof *have);
    if (!have) return false;
    for (size_t i = 0; i < *count; i++)
        if (memcmp((*vector)[i].feed8, feed8, 8) < 0) have[kept++] = (*vector)[i];
    for (size_t i = 0; i < point_count; i++) {
        memcpy(have[kept].feed8, feed8, 8);
        have[kept].seq = points[i].seq;
        memcpy(have[kept].id8, points[i].id8, sizeof have[kept].id8);
        kept++;
    }
    for (size_t i = 0; i < *count; i++)
        if (memcmp((*vector)[i].feed8, feed8, 8) > 0) have[kept++] = (*vector)[i];
    free(*vector);
    *vector = have;
    /* A row over the limit would cost the commit of all peers. */
    *count = kept > HAVE_ENTRIES_MAX ? HAVE_ENTRIES_MAX : kept;
    return true;
}

bool peer_next(struct txn *t, struct sign_key *after, struct peer_row *out)
{
    static const struct sign_key zero;
    struct key from;
    struct slice found, value;
    struct sign_key device;
    do {
        key_local(&from, TABLE_PEER, slice_of(after->bytes, 32));
        if (!sign_key_equal(after, &zero)) from.bytes[from.size++] = 0; /* strictly after */
        if (!db_find(t, DB_LOCAL, key_slice(&from), &found, &value) || found.size != 1 + 32 ||
            found.data[0] != TABLE_PEER)
            return false;
        memcpy(device.bytes, found.data + 1, 32);
        *after = device;
    } while (!peer_take(t, &device, value, out) && txn_error(t) == OK);
    return txn_error(t) == OK;
}

/* --- receipts --- */

enum { RECEIPT_KEY_SIZE = 1 + 32 + 8, SIGNATURE_SIZE = 64 };

static struct slice key_receipt(struct key *k, const struct sign_key *from, uint64_t counter)
{
    uint8_t name[40];
    memcpy(name, from->bytes, 32);
    be64_put(name + 32, counter);
    return key_local(k, TABLE_RECEIPT, slice_of(name, sizeof name));
}

/* The first receipt of a device from `counter` on. */
static bool receipt_find(struct txn *t, const struct sign_key *from, uint64_t counter,
                         struct slice *found, struct slice *value)
{
    struct key key;
    return db_find(t, DB_LOCAL, key_receipt(&key, from, counter), found, value) &&
           found->size == RECEIPT_KEY_SIZE && memcmp(found->data, key.bytes, 33) == 0;
}

static void drop_oldest_receipt(struct txn *t, const struct sign_key *from)
{
    struct slice found, value;
    uint64_t counter = 0;
    for (size_t count = 0; count < RECEIPTS_KEPT_MAX; count++) {
        if (!receipt_find(t, from, counter, &found, &value)) return;
        counter = be64_get(found.data + 33) + 1;
        if (counter == 0) return;
    }
    struct key key;
    if (!receipt_find(t, from, counter, &found, &value) ||
        !receipt_find(t, from, 0, &found, &value))
        return;
    key_receipt(&key, from, be64_get(found.data + 33)); /* found dies with the write (L12) */
    db_delete(t, DB_LOCAL, key_slice(&key));
}

void receipt_put(struct txn *t, const struct sign_key *from, uint64_t counter,
                 struct slice signed_body, const struct signature *sig)
{
    struct key key;
    uint8_t *at = db_put_room(t, DB_LOCAL, key_receipt(&key, from, counter),
                              SIGNATURE_SIZE + signed_body.size, false);
    if (!at) return;
    memcpy(at, sig->bytes, SIGNATURE_SIZE);
    if (signed_body.size) memcpy(at + SIGNATURE_SIZE, signed_body.data, signed_body.size);
    drop_oldest_receipt(t, from);
}

bool receipt_whole_id(void *txn, struct receipt_entry *entry)
{
    struct txn *t = txn;
    struct feed_row row;
    struct event e;
    if (feed_find_id8(t, entry->feed8, &row)) return false;
    uint64_t arrival = log_find(t, row.number, entry->seq, entry->id.bytes);
    if (!arrival || log_read_header(t, arrival, &e)) return false;
    entry->id = e.id;
    return true;
}

uint64_t receipt_range_take(struct txn *t, bool write)
{
    uint64_t ranges = meta_get_uint(t, "exchange_starts") + 1;
    if (write) meta_put_uint(t, "exchange_starts", ranges);
    return ranges << RECEIPT_RANGE_LOG;
}

bool receipt_next(struct txn *t, const struct sign_key *from, uint64_t *after_counter,
                  struct slice *signed_body, struct signature *sig)
{
    struct slice found, value;
    if (*after_counter == UINT64_MAX || !receipt_find(t, from, *after_counter + 1, &found, &value))
        return false;
    if (value.size < SIGNATURE_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    *after_counter = be64_get(found.data + 33);
    memcpy(sig->bytes, value.data, SIGNATURE_SIZE);
    *signed_body = slice_of(value.data + SIGNATURE_SIZE, value.size - SIGNATURE_SIZE);
    return true;
}

/* --- asks --- */

void ask_put(struct txn *t, const char *name, struct slice value)
{
    struct key key;
    db_put(t, DB_LOCAL, key_local(&key, TABLE_ASK, slice_of_text(name)), value);
}

bool ask_get(struct txn *t, const char *name, struct slice *value)
{
    struct key key;
    return db_get(t, DB_LOCAL, key_local(&key, TABLE_ASK, slice_of_text(name)), value);
}

void ask_delete(struct txn *t, const char *name)
{
    struct key key;
    db_delete(t, DB_LOCAL, key_local(&key, TABLE_ASK, slice_of_text(name)));
}
