#include "tools/receipts.h"

#include "proto/frame.h"

struct check {
    struct txn *txn;
    const struct visible *visible;
    struct receipts_result *result;
    void (*problem)(void *state, enum err err, const char *what);
    void *state;
};

static void report(struct check *c, enum err err, const char *what)
{
    c->result->problems++;
    c->problem(c->state, err, what);
}

/* [township, receiver, addressee, generation, counter, time, entries] */
static struct mp_reader entries_of(struct slice body)
{
    struct mp_reader r = mp_reader_of(body);
    if (mp_read_array(&r, 7) == 7) {
        for (int i = 0; i < 6; i++) {
            mp_skip(&r);
        }
    }
    return r;
}

/* A receipt of nothing but what this device does not show is not counted either. */
static bool is_shown(const struct check *c, struct slice body)
{
    struct mp_reader r = entries_of(body);
    struct feed_row feed;
    size_t count = mp_read_array(&r, HAVE_ENTRIES_MAX), hidden = 0;
    for (size_t i = 0; i < count && r.err == OK; i++) {
        uint8_t feed8[8];
        mp_read_array(&r, 3);
        mp_read_bin_exact(&r, feed8, sizeof feed8);
        mp_skip(&r);
        mp_skip(&r);
        hidden += feed_find_id8(c->txn, feed8, &feed) == OK &&
                  !visible_scope(c->visible, &feed.feed.scope);
    }
    return hidden == 0 || hidden < count;
}

static void check_held(struct check *c, struct slice body)
{
    struct mp_reader r = entries_of(body);
    size_t count = mp_read_array(&r, HAVE_ENTRIES_MAX);
    for (size_t i = 0; i < count && r.err == OK; i++) {
        uint8_t feed8[8];
        struct event_id id;
        struct feed_row feed;
        mp_read_array(&r, 3);
        mp_read_bin_exact(&r, feed8, sizeof feed8);
        uint64_t seq = mp_read_uint(&r, UINT64_MAX);
        mp_read_bin_exact(&r, id.bytes, sizeof id.bytes);
        if (r.err == OK && (feed_find_id8(c->txn, feed8, &feed) != OK ||
                            log_find(c->txn, feed.number, seq, id.bytes) == 0)) {
            report(c, ERR_CHAIN, "a receipt names a record that is not here");
        }
    }
    if (mp_read_end(&r) != OK) {
        report(c, ERR_MALFORMED, "a receipt cannot be read");
    }
}

static void check_peer(struct check *c, const struct sign_key *peer)
{
    uint64_t counter = 0;
    struct slice body, newest = SLICE_EMPTY;
    struct signature sig;
    while (receipt_next(c->txn, peer, &counter, &body, &sig)) {
        struct hash hash;
        newest = body;
        crypto_hash_one(&hash, CONTEXT_RECEIPT, body);
        if (mp_scan_whole(body) != OK) {
            newest = SLICE_EMPTY;
            c->result->receipts++;
            report(c, ERR_MALFORMED, "a receipt cannot be read");
            continue;
        }
        c->result->receipts += is_shown(c, body);
        if (crypto_verify(&sig, peer, CONTEXT_RECEIPT, slice_of(hash.bytes, sizeof hash.bytes)) !=
            OK) {
            report(c, ERR_SIGNATURE, "the signature of a receipt does not verify");
        }
    }
    if (newest.size > 0) {
        check_held(c, newest);
    }
}

enum err receipts_check(struct txn *t, const struct visible *visible, struct receipts_result *out,
                        void (*problem)(void *state, enum err err, const char *what), void *state)
{
    struct check c = {
        .txn = t, .visible = visible, .result = out, .problem = problem, .state = state};
    struct sign_key after = {0};
    struct peer_row row;
    *out = (struct receipts_result){0};
    while (peer_next(t, &after, &row)) {
        struct sign_key device = row.device;
        peer_row_clear(&row);
        check_peer(&c, &device);
    }
    return txn_error(t);
}
