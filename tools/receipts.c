#include "tools/receipts.h"

#include <string.h>

/* The one after *counter. */
static bool next(struct txn *t, const struct sign_key *from, uint64_t *counter, struct receipt *out)
{
    *out = (struct receipt){.from = *from};
    if (!receipt_next(t, from, counter, &out->statement, &out->signature)) return false;
    crypto_hash_one(&out->id, CONTEXT_RECEIPT, out->statement);
    out->err = receipt_body_read(&out->parties, &out->said, out->statement) ? ERR_MALFORMED : OK;
    return true;
}

enum err receipts_each(struct txn *t, bool (*each)(void *state, const struct receipt *r),
                       void *state)
{
    struct sign_key after = {{0}};
    struct peer_row row;
    while (peer_next(t, &after, &row)) {
        const struct sign_key from = row.device;
        struct receipt r;
        uint64_t counter = 0;
        peer_row_clear(&row);
        while (next(t, &from, &counter, &r))
            if (!each(state, &r)) return txn_error(t);
    }
    return txn_error(t);
}

bool receipt_get(struct txn *t, const struct sign_key *from, uint64_t counter, struct receipt *out)
{
    uint64_t at = counter - 1;
    return counter && next(t, from, &at, out) && at == counter;
}

enum err receipt_verify(const struct receipt *r, const struct roster *roster,
                        struct sign_key *signer)
{
    const struct device *d = roster_device(roster, &r->from);
    const struct slice statement = slice_of(r->id.bytes, sizeof r->id.bytes);
    struct sign_key key = r->from;
    enum err err = r->err;
    if (err) return err;
    if (!sign_key_equal(&r->parties.receiver, &r->from)) return ERR_SIGNATURE;
    err = crypto_verify(&r->signature, &key, CONTEXT_RECEIPT, statement);
    for (size_t i = 0; err && d && roster_key_at(roster, d, i, &key); i++)
        err = crypto_verify(&r->signature, &key, CONTEXT_RECEIPT, statement);
    if (!err && signer) *signer = key;
    return err;
}

bool receipt_shown(struct txn *t, const struct visible *visible, const struct receipt *r)
{
    struct receipt_entry entry;
    struct feed_row feed;
    size_t count = 0, hidden = 0;
    struct mp_reader entries = frame_receipt_begin(&r->said);
    for (; !r->err && frame_receipt_next(&entries, &entry); count++)
        hidden +=
            feed_find_id8(t, entry.feed8, &feed) == OK && !visible_scope(visible, &feed.feed.scope);
    return hidden == 0 || hidden < count;
}

static bool leads_to(struct txn *t, const struct feed_row *feed, const struct event *e,
                     const struct receipt_entry *entry)
{
    const struct head head = {.seq = entry->seq, .id = entry->id};
    uint64_t arrival = 0;
    size_t count = 0;
    if (entry->seq < e->seq || !log_find(t, feed->number, entry->seq, entry->id.bytes))
        return false;
    if (log_branch(t, feed, &head, e->seq, e->seq, &arrival, &count) || count != 1) return false;
    return arrival == log_find(t, feed->number, e->seq, e->id.bytes);
}

bool receipt_covers(struct txn *t, const struct receipt *r, const struct feed_row *feed,
                    const struct event *e, struct receipt_entry *head)
{
    struct mp_reader entries = frame_receipt_begin(&r->said);
    while (!r->err && frame_receipt_next(&entries, head))
        if (memcmp(head->feed8, feed->id.bytes, sizeof head->feed8) == 0 &&
            leads_to(t, feed, e, head))
            return true;
    return false;
}

/* --- checking all ---------------------------------------------------------------------------- */

struct check {
    struct txn *txn;
    const struct roster *roster;
    const struct visible *visible;
    struct receipts_result *result;
    void (*problem)(void *state, enum err err, const char *what);
    void *state;
    bool any;
    struct receipt newest; /* of the device that is looked at */
};

static void report(struct check *c, enum err err, const char *what)
{
    c->result->problems++;
    c->problem(c->state, err, what);
}

static void check_held(struct check *c)
{
    struct receipt_entry entry;
    struct feed_row feed;
    struct mp_reader entries = frame_receipt_begin(&c->newest.said);
    while (c->any && !c->newest.err && frame_receipt_next(&entries, &entry))
        if (feed_find_id8(c->txn, entry.feed8, &feed) != OK ||
            log_find(c->txn, feed.number, entry.seq, entry.id.bytes) == 0)
            report(c, ERR_CHAIN, "a receipt names a record that is not here");
}

static bool check_one(void *state, const struct receipt *r)
{
    struct check *c = state;
    if (c->any && !sign_key_equal(&c->newest.from, &r->from)) check_held(c);
    c->any = true;
    c->newest = *r;
    c->result->receipts += receipt_shown(c->txn, c->visible, r);
    enum err err = receipt_verify(r, c->roster, NULL);
    if (err)
        report(c, err,
               err == ERR_MALFORMED ? "a receipt cannot be read"
                                    : "the signature of a receipt does not verify");
    return true;
}

enum err receipts_check(struct txn *t, const struct roster *roster, const struct visible *visible,
                        struct receipts_result *out,
                        void (*problem)(void *state, enum err err, const char *what), void *state)
{
    struct check c = {.txn = t,
                      .roster = roster,
                      .visible = visible,
                      .result = out,
                      .problem = problem,
                      .state = state};
    *out = (struct receipts_result){0};
    enum err err = receipts_each(t, check_one, &c);
    if (!err) check_held(&c);
    return err ? err : txn_error(t);
}
