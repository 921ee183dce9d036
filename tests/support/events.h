#pragma once
/*
 * Events for tests: deterministic keys, and chains of signed events that own their bytes. Helpers
 * abort on a mistake of the test itself.
 */
#include "proto/event.h"

/* The signer of a number: the same in every run. Call crypto_init first. */
void test_signer(struct signer *out, unsigned number);
/* A thing id of a number. */
struct thing_id test_thing(unsigned number);
/* Appends a canonical map of text values: key, value, ..., NULL in any order. */
void test_map(struct buf *out, const char *const *pairs);

/* One event to be; zeros give a founding "request.register" with an empty body, no box, and a time
 * one second after the one before. */
struct test_event {
    const char *kind;
    const struct thing_id *subject; /* NULL: founding */
    const struct thing_id *by;
    uint32_t depth, seen;
    uint64_t time;        /* HLC */
    const char *body[16]; /* key, value, ..., NULL */
    const char *box[16];
    bool box_gone; /* as after an erasure: the digest stays */
};

#define TEST_CHAIN_EVENTS_MAX 5000

struct test_chain {
    struct signer signer;
    struct feed feed;
    struct event *events; /* oldest first; stay where they are */
    size_t count;
};
void test_chain_begin(struct test_chain *c, unsigned author, const char *scope);
/* Adds and signs; the result is borrowed from the chain. */
struct event *test_chain_add(struct test_chain *c, const struct test_event *e);
/* `count` requests about as large as real ones, every third an act on an earlier one. */
void test_chain_fill(struct test_chain *c, size_t count);
void test_chain_end(struct test_chain *c);
