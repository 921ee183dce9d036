/* Frames, join requests and invites from a hostile peer. What a reader takes and a writer gives
 * back must be the same frame, but for elements of later versions. */
#include "proto/frame_courier.h"
#include "proto/join.h"
#include "proto/town.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* `again` is `frame`, or `frame` has more elements. */
static void must_be_written_back(struct buf *again, struct slice frame)
{
    struct mp_reader a = mp_reader_of(buf_slice(again)), b = mp_reader_of(frame);
    must(!again->err && mp_scan_whole(buf_slice(again)) == OK);
    size_t count = mp_read_array(&a, SIZE_MAX);
    must(count <= mp_read_array(&b, SIZE_MAX));
    for (; count > 0; count--) must(slice_equal(mp_skip(&a), mp_skip(&b)));
    buf_clear(again);
}

static void try_hello(struct slice frame)
{
    struct frame_hello h;
    if (frame_hello_read(&h, frame) != OK || !frame_hello_version_meets(&h)) return;
    static struct have_entry have[HAVE_ENTRIES_MAX];
    struct mp_reader r = frame_have_begin(&h);
    size_t count = 0;
    while (count < h.have_count && frame_have_next(&r, &have[count])) count++;
    must(count == h.have_count);
    struct buf again = {0};
    frame_hello_write(&again, &h, have);
    must_be_written_back(&again, frame);
    uint8_t digest[8];
    have_digest(digest, have, count);
}

static void try_town(struct slice frame)
{
    struct frame_town f;
    static struct town_head heads[TOWN_HEADS_MAX];
    if (frame_town_read(&f, frame) != OK) return;
    struct mp_reader r = frame_town_begin(&f);
    size_t count = 0;
    while (count < f.head_count && frame_town_next(&r, &heads[count])) count++;
    must(count == f.head_count);
    struct buf again = {0};
    frame_town_write(&again, &f.state, f.has_heads ? heads : NULL, count);
    must_be_written_back(&again, frame);
}

static void try_run(struct slice frame)
{
    struct frame_run f;
    if (frame_run_read(&f, frame) != OK) return;
    must(f.run.count > 0 && f.run.raw_size > 0 && f.run.payload.size > 0);
    struct buf again = {0};
    frame_run_write(&again, &f);
    must_be_written_back(&again, frame);
}

static void try_piece(struct slice frame)
{
    struct frame_piece f;
    if (frame_piece_read(&f, frame) != OK) return;
    must(f.bytes.size > 0 && f.offset + f.bytes.size <= f.run_size && f.run_size <= FRAME_SIZE_MAX);
    struct buf again = {0};
    frame_piece_write(&again, &f);
    must_be_written_back(&again, frame);
}

static void try_want(struct slice frame)
{
    struct frame_want f;
    if (frame_want_read(&f, frame) != OK) return;
    struct buf again = {0};
    frame_want_write(&again, &f);
    must_be_written_back(&again, frame);
}

static bool find(void *state, struct receipt_entry *entry)
{
    (void)state;
    memset(entry->id.bytes + 8, 1, sizeof entry->id.bytes - 8);
    return true;
}

static void try_receipt(struct slice frame)
{
    static const struct receipt_parties parties = {.receiver = {{1}}};
    struct frame_receipt f;
    struct receipt_entry entry;
    if (frame_receipt_read(&f, frame) != OK) return;
    struct mp_reader r = frame_receipt_begin(&f);
    size_t count = 0;
    while (frame_receipt_next(&r, &entry)) count++;
    must(count == f.entry_count);
    must(frame_receipt_verify(&f, &parties) == ERR_SIGNATURE);
    struct buf whole = {0};
    must(frame_receipt_complete(&f, &whole, find, NULL) == OK);
    for (r = frame_receipt_begin(&f); frame_receipt_next(&r, &entry); count--) must(!entry.brief);
    must(count == 0);
    buf_clear(&whole);
}

static void try_offer(struct slice frame)
{
    struct frame_offer f;
    static struct offer_entry entries[OFFER_ENTRIES_MAX];
    if (frame_offer_read(&f, frame) != OK) return;
    struct mp_reader r = frame_offer_begin(&f);
    size_t count = 0;
    while (count < f.count && frame_offer_next(&r, &entries[count])) count++;
    must(count == f.count);
    struct buf again = {0};
    frame_offer_write(&again, entries, count);
    must_be_written_back(&again, frame);
}

static void try_ask(struct slice frame)
{
    struct frame_ask f;
    if (frame_ask_read(&f, frame) != OK) return;
    must(f.count <= ASK_COUNT_MAX && f.offset <= BUNDLE_SIZE_MAX);
    struct buf again = {0};
    frame_ask_write(&again, &f);
    must_be_written_back(&again, frame);
}

static void try_part(struct slice frame)
{
    struct frame_part f;
    if (frame_part_read(&f, frame) != OK) return;
    must(f.bytes.size > 0 && f.bytes.size <= PART_SIZE_MAX);
    struct buf again = {0};
    frame_part_write(&again, &f);
    must_be_written_back(&again, frame);
}

static void try_join(struct slice frame)
{
    struct frame_join f;
    struct join_request q;
    if (frame_join_read(&f, frame) != OK) return;
    if (join_request_read(&q, f.request) == OK) must(strlen(q.name) <= DEVICE_NAME_SIZE_MAX);
    enum err err = join_verify(&q, &f);
    must(err == OK || err == ERR_SIGNATURE || err == ERR_MALFORMED || err == ERR_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) must(crypto_init() == OK);
    ready = true;
    struct slice frame = slice_of(data, size);
    struct invite invite;
    struct frame_refuse refuse;
    struct hash hash;
    uint64_t type, next_s;
    bool hold;
    if (invite_read(&invite, frame) == OK) must(invite.address_count <= INVITE_ADDRESSES_MAX);
    if (frame_type_of(frame, &type) != OK) return 0;
    if (type == FRAME_HELLO) try_hello(frame);
    if (type == FRAME_RUN) try_run(frame);
    if (type == FRAME_PIECE) try_piece(frame);
    if (type == FRAME_WANT) try_want(frame);
    if (type == FRAME_RECEIPT) try_receipt(frame);
    if (type == FRAME_TOWN) try_town(frame);
    if (type == FRAME_OFFER) try_offer(frame);
    if (type == FRAME_ASK) try_ask(frame);
    if (type == FRAME_PART) try_part(frame);
    if (type == FRAME_REFUSE && frame_refuse_read(&refuse, frame) == OK)
        must(refuse.text.size <= REFUSE_TEXT_SIZE_MAX && refuse_text(refuse.code)[0]);
    if (type == FRAME_HOLD && frame_hold_read(&hold, frame) == OK) must(frame.size >= 3);
    if (type == FRAME_PING && frame_ping_read(&next_s, frame) == OK) must(next_s <= FRAME_UINT_MAX);
    if (type == FRAME_JOIN) try_join(frame);
    if (type == FRAME_ADMIT && frame_admit_read(&hash, frame) == OK) must(frame.size >= 36);
    return 0;
}
