/*
 * Bundles of a hostile maker, who may seal what he likes, and signs it with a key of the roster.
 * The first byte chooses: a file as it came; a content behind an outside that opens; frames, which
 * are looked at or, seldom, taken into a real store. Whatever it is, the store stays whole.
 */
#define _GNU_SOURCE /* memfd_create */
#include "node/bundle_taking.h"
#include "proto/stream.h"
#include "tests/support/township.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES_MAX = 64 };

static struct township town;
static struct township_node hub;
static struct device_keys keys;
static int file = -1;

static void must(bool holds)
{
    if (!holds) abort();
}

static void remove_home(void)
{
    township_node_close(&hub);
}

static void prepare(void)
{
    must(crypto_init() == OK);
    box_pair_make(&keys.transport, &keys.transport_secret);
    township_begin(&town, 2);
    keys.signer = town.hub.signer;
    township_node_open(&hub, &town, &town.hub);
    township_node_take_all(&hub, &town);
    atexit(remove_home);
    file = memfd_create("fuzz", MFD_CLOEXEC);
    must(file >= 0);
}

static void begin_at(off_t size)
{
    must(ftruncate(file, size) == 0 && lseek(file, 0, SEEK_SET) == 0);
}

/* --- reading --- */

static void read_all(void)
{
    const struct bundle_key key = {&keys.transport, &keys.transport_secret};
    struct bundle_reader *r = NULL;
    struct bundle_head head;
    struct slice frame;
    uint64_t bytes = 0;
    const off_t end = lseek(file, 0, SEEK_END);
    must(lseek(file, 0, SEEK_SET) == 0);
    enum err err = bundle_open(&r, file, &key, 1, &head, &frame);
    for (bool last = false; !err && !last;) {
        must(frame.size > 0 && frame.size <= FRAME_SIZE_MAX);
        bytes += frame.size;
        must(bytes <= (uint64_t)end);
        err = bundle_next(r, &frame, &last);
    }
    bundle_reader_close(r);
    must(err == OK || err == ERR_MALFORMED || err == ERR_VERSION || err == ERR_FOREIGN ||
         err == ERR_CORRUPT);
}

static void try_file(struct slice bytes)
{
    begin_at(0);
    must(stream_write_all(file, bytes.data, bytes.size) == OK);
    read_all();
}

static struct bundle_writer *begin(const uint8_t how)
{
    static const struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                                         .protocol_max = PROTOCOL_MAX};
    static uint64_t number;
    const struct township_device *from = how & 1 ? &town.hub : &town.devices[how >> 1 & 1];
    struct buf hello = {0};
    struct bundle_writer *w;
    struct bundle_head head = {.township = town.authority.signer.key,
                               .from = from->signer.key,
                               .to_township = how & 4,
                               .to = town.hub.signer.key,
                               .number = ++number};
    frame_hello_write(&hello, &h, NULL);
    begin_at(0);
    must(bundle_begin(&w, file, &keys.transport, &head, buf_slice(&hello), &from->signer) == OK);
    buf_clear(&hello);
    return w;
}

/* Behind the outside, whose key its maker has. */
static void try_content(struct slice content)
{
    struct buf outside = {0}, sealed = {0};
    struct secret_key secret = {{3}};
    struct hash check;
    struct stream *s;
    buf_append_text(&outside, "sidan-bundle-1\n");
    must(crypto_seal(&sealed, &keys.transport, slice_of(secret.bytes, sizeof secret.bytes)) == OK);
    buf_append_slice(&outside, buf_slice(&sealed));
    crypto_hash_one(&check, CONTEXT_BUNDLE, buf_slice(&outside));
    buf_append(&outside, check.bytes, 8);
    begin_at(0);
    must(stream_write_all(file, outside.data, outside.size) == OK);
    must(stream_begin_key(&s, file, &secret) == OK);
    must(stream_put(s, content) == OK && stream_finish(s) == OK);
    stream_close(s);
    read_all();
    buf_clear(&outside);
    buf_clear(&sealed);
}

/* --- taking --- */

static uint64_t held(void)
{
    struct txn *t;
    must(txn_begin(hub.store, false, &t) == OK);
    uint64_t count = log_count(t);
    txn_abort(t);
    return count;
}

static struct bundle_taken take(bool look)
{
    struct bundle_taken taken;
    const struct bundle_taking taking = {
        .store = hub.store, .views = hub.views, .keys = &keys, .wall_ms = 5000, .look = look};
    must(lseek(file, 0, SEEK_SET) == 0);
    must(bundle_take(file, &taking, &taken) == OK);
    must(taken.verified && taken.sender_known);
    return taken;
}

/* Each two bytes of size, then a frame of that many. */
static void try_frames(struct slice in, uint8_t how)
{
    struct bundle_writer *w = begin(how);
    uint64_t size;
    for (size_t i = 0; i < FRAMES_MAX && in.size > 2; i++) {
        size_t frame = 1 + (size_t)be16_get(in.data);
        in = slice_of(in.data + 2, in.size - 2);
        if (frame > in.size) frame = in.size;
        must(bundle_put(w, slice_of(in.data, frame)) == OK);
        in = slice_of(in.data + frame, in.size - frame);
    }
    must(bundle_finish(w, &size) == OK);
    bundle_writer_close(w);
    const uint64_t before = held();
    const struct bundle_taken looked = take(true);
    must(held() == before);
    if (how < 8) {
        const struct bundle_taken taken = take(false);
        must(held() >= before && held() - before >= taken.fresh);
        must(taken.damaged == looked.damaged && taken.bytes == looked.bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (file < 0) prepare();
    if (size < 3) return 0;
    const struct slice in = slice_of(data + 2, size - 2);
    switch (data[0] % 64) { /* files are dear: seldom */
    case 0:
        try_file(in);
        break;
    case 1:
        try_content(in);
        break;
    case 2:
        try_frames(in, data[1]);
        break;
    default:
        break;
    }
    return 0;
}
