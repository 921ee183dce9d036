/* Runs from a hostile peer: the first byte chooses between a payload and raw records. Records that
 * are taken have one encoding; built into a signed run, with and without dictionary, they open. */
#include "proto/run.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct signer signer;
static struct feed feed;
static struct zstd *zstd;
static struct run_decoder *decoder, *second;

static void must(bool holds)
{
    if (!holds) abort();
}

static void prepare(void)
{
    static const struct sign_seed seed = {{7}};
    must(crypto_init() == OK && zstd_open(&zstd) == OK);
    must(run_decoder_open(&decoder) == OK && run_decoder_open(&second) == OK);
    signer_from_seed(&signer, &seed);
    feed = (struct feed){.author = signer.key, .scope = scope_town(), .lane = LANE_NORMAL};
}

static void try_payload(const uint8_t *data, size_t size)
{
    if (size < 4) return;
    struct run run = {.count = data[0] + 1u, .raw_size = be32_get(data) % (2 * RUN_RAW_SIZE_MAX)};
    run.payload = slice_of(data + 4, size - 4);
    const struct event *events;
    size_t count;
    must(run_open(decoder, &run, &feed, NULL, NULL, 0, &events, &count) != OK);
}

/* The events after the first `before`, which are the dictionary. */
static void must_open(const struct event *events, size_t total, size_t before)
{
    struct run_context context = {0};
    struct buf dictionary = {0}, raw = {0}, payload = {0};
    struct run run = {.base_seq = before};
    struct run_base base = {{{0}}, 0};
    if (before) base = (struct run_base){events[before - 1].id, events[before - 1].time};
    memcpy(run.base_id8, base.id.bytes, sizeof run.base_id8);
    must(run_dictionary_write(&context, &dictionary, events, before) == OK);
    for (size_t i = before; i < total; i++)
        must(run_record_write(&context, &raw, &events[i]) == OK);
    must(run_build(&run, zstd, buf_slice(&raw), (uint32_t)(total - before), buf_slice(&dictionary),
                   1, &payload) == OK);
    struct event last = events[total - 1];
    event_sign(&last, &signer);
    run.signature = last.signature;

    const struct event *again;
    size_t count;
    must(run_open(second, &run, &feed, before ? &base : NULL, events, before, &again, &count) ==
         OK);
    must(count == total - before);
    must(event_id_equal(&again[count - 1].id, &last.id));
    run_context_clear(&context);
    buf_clear(&dictionary);
    buf_clear(&raw);
    buf_clear(&payload);
}

static void try_records(const uint8_t *data, size_t size)
{
    if (size < 2) return;
    struct run run = {.count = data[0] % 64 + 1u};
    size_t before = data[1] % run.count;
    struct slice raw = slice_of(data + 2, size - 2);
    const struct event *events;
    if (run_read_records(decoder, &run, raw, &feed, NULL, &events) != OK) return;
    struct run_context context = {0};
    struct buf again = {0};
    for (size_t i = 0; i < run.count; i++)
        must(run_record_write(&context, &again, &events[i]) == OK);
    must(slice_equal(buf_slice(&again), raw));
    run_context_clear(&context);
    buf_clear(&again);
    if (size > RUN_PAYLOAD_SIZE_MAX / 2) return; /* may be too much for one payload */
    must_open(events, run.count, 0);
    if (before) must_open(events, run.count, before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!zstd) prepare();
    if (size > 1 && data[0] % 2) try_payload(data + 1, size - 1);
    if (size > 1 && !(data[0] % 2)) try_records(data + 1, size - 1);
    return 0;
}
