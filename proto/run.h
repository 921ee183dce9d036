#pragma once
/*
 * Runs (proto/SPEC.md, "Runs"): consecutive events of one feed without what the receiver derives
 * (author, scope, lane, epoch, seq, prev, digests, the subject of what was met before), compressed
 * with the feed's own tail as dictionary, with one signature: the last event's.
 *
 *   record = [kind, depth, seen, by, subject, time, body, box, ext]
 *     subject: nil (founding) | bin 16 (met for the first time) | uint k: the k-th thing met in
 *              dictionary and run, in order of first meeting, counted back from the newest (0)
 *     time:    dt | [dt, low]: dt = ms - ms of the event before (0 before the first: SPEC), low =
 *              the 16 low bits when they are not the expected ones
 *     box:     nil | [salt, map] | bin 32 (the digest of a box that is gone)
 */
#include "proto/event.h"
#include "proto/zstd.h"

/* A RUN frame's fields. Slices are borrowed. */
struct run {
    uint64_t base_seq;   /* 0: from the feed's beginning */
    uint8_t base_id8[8]; /* of the event it follows; zero when base_seq is 0 */
    bool has_dictionary;
    uint32_t count;
    uint32_t raw_size;
    uint8_t check4[4];          /* first 4 bytes of hash("sidan/run", raw) */
    struct slice payload;       /* zstd frame without its magic */
    struct signature signature; /* of the last event */
};

/* What the encoding of the next record depends on: the event before, and the things met. */
struct run_context {
    uint64_t time; /* of the event before; 0 at a feed's beginning */
    struct thing_id *met;
    size_t met_count, met_capacity;
    /* open-addressing index over `met` */
    uint32_t *slots;
    size_t slot_count;
};
/* `{0}` is a valid context of a feed's beginning. Reset keeps the memory, clear gives it back. */
void run_context_reset(struct run_context *c, uint64_t time);
void run_context_clear(struct run_context *c);

/* Appends the record of `e` to `raw` and takes its time and thing into the context. On error both
 * are as before. Errors: ERR_NOMEM, ERR_LIMIT (raw would pass RUN_RAW_SIZE_MAX). */
MUST_CHECK enum err run_record_write(struct run_context *c, struct buf *raw, const struct event *e);

/* What an event counts towards RUN_DICTIONARY_SIZE_MAX: size of body + box + 64. */
size_t run_dictionary_weight(const struct event *e);

/* Writes the dictionary: records of `events` (oldest first, the feed's last whole events before the
 * run), written from an empty context with time 0. Leaves in `c` the context that the run itself
 * starts from: things met, and the time of the last event. No events: no dictionary, and `c` stays
 * as it is. Errors: ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err run_dictionary_write(struct run_context *c, struct buf *out,
                                         const struct event *events, size_t count);

/* --- building --- */

/* Compresses `raw` (`count` records written with a context as above) into out->payload, which
 * borrows `payload`, and fills in what follows from it; base and signature are the caller's.
 * `dictionary` empty: without. Errors: ERR_LIMIT (payload over RUN_PAYLOAD_SIZE_MAX, or too many
 * events: build a shorter one), ERR_NOMEM. */
MUST_CHECK enum err run_build(struct run *out, struct zstd *z, struct slice raw, uint32_t count,
                              struct slice dictionary, int level, struct buf *payload);

/* --- opening --- */

struct run_decoder;
MUST_CHECK enum err run_decoder_open(struct run_decoder **out);
void run_decoder_close(struct run_decoder *d);

/* What the run follows. */
struct run_base {
    struct event_id id;
    uint64_t time;
};

/* Opens `run` of `feed`: decompresses, decodes each record, derives headers and ids, checks boxes,
 * and verifies the signature over the last event. `base` is the event before, NULL exactly when
 * base_seq is 0. `dictionary_events` as for run_dictionary_write when run->has_dictionary; the last
 * of them is the base.
 * On OK `*events` (owned by the decoder, valid until its next call) are complete events, the last
 * one with the signature. Nothing is checked about meaning, roster or roles.
 * Errors: ERR_DICTIONARY (with this dictionary the payload does not give what check4 says),
 * ERR_MALFORMED, ERR_LIMIT, ERR_SIGNATURE, ERR_CHAIN (the same without one), ERR_BASE (base_id8 is
 * another event's), ERR_NOMEM. */
MUST_CHECK enum err run_open(struct run_decoder *d, const struct run *run, const struct feed *feed,
                             const struct run_base *base, const struct event *dictionary_events,
                             size_t dictionary_count, const struct event **events, size_t *count);

/* The last event of the run that was opened last. */
const struct event_id *run_decoder_last(const struct run_decoder *d);

/* The middle of run_open alone: the events of `raw`, run->count records written without dictionary.
 * No signature is verified. Errors: ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err run_read_records(struct run_decoder *d, const struct run *run, struct slice raw,
                                     const struct feed *feed, const struct run_base *base,
                                     const struct event **events);
