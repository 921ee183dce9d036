/* Headers and boxes from a hostile peer. A header that decodes has one encoding, and a box that was
 * encoded with it can be attached to it and to nothing else. */
#include "proto/event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void must_come_back(struct event *e)
{
    struct event trusted, again = *e;
    struct buf header = {0};
    must(event_decode_trusted(&trusted, e->header, &e->id) == OK);
    must(thing_id_equal(&trusted.subject, &e->subject) && trusted.seq == e->seq);
    must(event_encode(&again, &header) == OK);
    must(slice_equal(buf_slice(&header), e->header));
    must(event_id_equal(&again.id, &e->id));
    buf_clear(&header);
}

/* The event with its own body as its box. */
static void try_box(const struct event *e)
{
    struct event boxed = *e, decoded;
    struct buf header = {0};
    static const uint8_t salt[EVENT_SALT_SIZE] = {1};
    enum err err = event_attach_box(&boxed, salt, e->body);
    /* OK too: libFuzzer watches memcmp and writes the right digest into its input */
    must(err == OK || err == ERR_CHAIN || err == ERR_LIMIT);
    memset(boxed.salt, 0, sizeof boxed.salt);
    boxed.box_state = BOX_HERE;
    boxed.box = e->body;
    if (event_encode(&boxed, &header) == OK) { /* the digest may be what is too much */
        must(event_decode(&decoded, buf_slice(&header)) == OK);
        must(event_attach_box(&decoded, salt, e->body) == ERR_CHAIN);
        must(event_attach_box(&decoded, boxed.salt, e->body) == OK);
        must_come_back(&decoded);
    }
    buf_clear(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) must(crypto_init() == OK);
    ready = true;
    struct event e;
    if (event_decode(&e, slice_of(data, size)) != OK) return 0;
    must(e.header.data == data && e.header.size == size);
    must(e.kind.size > 0 && e.body.size > 0 && e.depth <= e.seen);
    must_come_back(&e);
    try_box(&e);
    return 0;
}
