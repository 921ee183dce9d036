#include "node/views/doc_numbers.h"

#include <stdlib.h>

#include "node/views/body.h"

static uint64_t hash_of(struct slice text)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < text.size; i++) h = (h ^ text.data[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

void doc_numbers_clear(struct doc_numbers *d)
{
    free(d->slots);
    *d = (struct doc_numbers){0};
}

static bool read_order(struct txn *t, uint64_t arrival, struct event *e, struct slice *doc_no)
{
    if (log_read_unverified(t, arrival, e) || !slice_is_text(e->kind, "order.issue")) return false;
    *doc_no = body_text(e->body, "doc_no");
    return doc_no->size > 0;
}

static void put(struct doc_number *slots, size_t slot_count, struct doc_number number)
{
    size_t at = (size_t)number.hash & (slot_count - 1);
    while (slots[at].arrival) at = (at + 1) & (slot_count - 1);
    slots[at] = number;
}

static MUST_CHECK enum err add(struct doc_numbers *d, struct doc_number number)
{
    if (2 * (d->count + 1) >= d->slot_count) {
        size_t slot_count = d->slot_count ? 2 * d->slot_count : 64;
        struct doc_number *slots = calloc(slot_count, sizeof *slots);
        if (!slots) return ERR_NOMEM;
        for (size_t i = 0; i < d->slot_count; i++)
            if (d->slots[i].arrival) put(slots, slot_count, d->slots[i]);
        free(d->slots);
        d->slots = slots;
        d->slot_count = slot_count;
    }
    put(d->slots, d->slot_count, number);
    d->count++;
    return OK;
}

static MUST_CHECK enum err read_on(struct doc_numbers *d, struct txn *t)
{
    uint64_t last = log_count(t);
    for (; d->read < last; d->read++) {
        struct event e;
        struct slice doc_no;
        if (!read_order(t, d->read + 1, &e, &doc_no)) continue;
        enum err err = add(d, (struct doc_number){hash_of(doc_no), d->read + 1});
        if (err) return err;
    }
    return txn_error(t);
}

enum err doc_numbers_find(struct doc_numbers *d, struct txn *t, struct slice doc_no,
                          struct event *out)
{
    enum err err = read_on(d, t);
    uint64_t hash = hash_of(doc_no), first = 0;
    for (size_t at = (size_t)hash; !err && d->slot_count; at++) {
        const struct doc_number *n = &d->slots[at & (d->slot_count - 1)];
        struct event e;
        struct slice found;
        if (!n->arrival) break;
        if (n->hash != hash || (first && n->arrival > first)) continue;
        if (read_order(t, n->arrival, &e, &found) && slice_equal(found, doc_no)) first = n->arrival;
    }
    if (!err) err = txn_error(t);
    if (err) return err;
    return first ? log_read_unverified(t, first, out) : ERR_NOT_FOUND;
}
