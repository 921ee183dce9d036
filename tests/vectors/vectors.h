#pragma once
/* What the files of the vector generator share. A mistake ends the program. */
#include "proto/join.h"
#include "proto/json.h"
#include "proto/town.h"

#define TIME_MS UINT64_C(1657584000123)
enum { SEED_AUTHORITY = 1, SEED_HUB, SEED_VILLAGE, SEED_INVITE, SEED_JOINER };

void must(bool holds, const char *what);
void *not_null(void *p);

/* --- JSON; every result is owned by the caller --- */
json_t *hex(struct slice s);
#define HEX(array) hex(slice_of((array), sizeof(array)))
json_t *value_of(struct slice encoded);
void put(json_t *object, const char *key, json_t *value); /* takes `value` over */
void add(json_t *array, json_t *value);                   /* the same */
json_t *named(const char *what);

/* --- the same keys and feeds everywhere --- */
struct signer signer_of(uint8_t number); /* its seed is 32 times that byte */
json_t *seed_of(uint8_t number);
struct feed feed_of(const char *scope, uint8_t lane, bool epoch); /* of SEED_VILLAGE */

struct bytes {
    const char *what, *data;
    size_t size;
};
#define BYTES(what, text)                                                                          \
    {                                                                                              \
        (what), (text), sizeof(text) - 1                                                           \
    }

json_t *bytes_list(const struct bytes *list, size_t count);

/* `keep` elements of an array, the one at `at` replaced by `value`, and `more` after them. */
void rewrite(struct buf *out, struct slice array, size_t keep, size_t at, struct slice value,
             struct slice more);

/* --- a feed of events of every shape --- */
enum { EVENTS = 7 };
struct chain {
    struct signer signer;
    struct event events[EVENTS];
    struct buf headers[EVENTS], bodies[EVENTS], boxes[EVENTS];
};

void chain_make(struct chain *c);
void chain_clear(struct chain *c);

json_t *make_encoding(void);
json_t *make_crypto(void);
json_t *make_feeds(void);
json_t *make_events(const struct chain *c);
json_t *make_runs(const struct chain *c);
json_t *make_frames(const struct chain *c);
json_t *make_joining(void);
json_t *make_sealed(void);
json_t *make_carried(void);
json_t *make_pipe(void);
json_t *make_bundle(const json_t *runs); /* of make_runs */
json_t *make_digests(const struct chain *c);
/* {authority, events: [header], rows: [{scope, key, value}]} of random histories. */
json_t *make_histories(unsigned count, uint64_t seed);
