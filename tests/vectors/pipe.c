/* A conversation over a pipe, SPEC 25. */
#include "tests/vectors/vectors.h"

#include "node/link/packet.h"
#include "proto/noise.h"

#include <string.h>

enum { CALLER_SECRET = 0x61, CALLED_SECRET = 0x62, CALLER_ONCE = 0x63, CALLED_ONCE = 0x64 };

static uint8_t once;
static void same_bytes(void *state, void *out, size_t size)
{
    (void)state;
    memset(out, once, size);
}

static json_t *secret_of(uint8_t byte, struct box_secret *secret, struct box_key *key)
{
    memset(secret->bytes, byte, sizeof secret->bytes);
    box_key_of_secret(key, secret);
    return HEX(secret->bytes);
}

static void add_packet(json_t *packets, const char *what, enum packet_type type, struct slice body)
{
    struct buf line = {0};
    json_t *out = named(what);
    packet_write(&line, type, body);
    put(out, "type", json_integer(type));
    put(out, "body", hex(body));
    put(out, "line", hex(buf_slice(&line)));
    add(packets, out);
    buf_clear(&line);
}

static void add_data(json_t *packets, const char *what, struct noise_cipher *sending,
                     struct slice content)
{
    struct buf body = {0};
    must(noise_seal(sending, &body, content) == OK, "seal");
    add_packet(packets, what, PACKET_DATA, buf_slice(&body));
    json_t *last = json_array_get(packets, json_array_size(packets) - 1);
    put(last, "content", hex(content));
    buf_clear(&body);
}

static void converse(json_t *packets, struct noise *caller, struct noise *called)
{
    struct buf call = {0}, answer = {0}, nothing = {0};
    struct noise_cipher to_called, to_caller, of_caller, of_called;
    uint8_t part[1 + 1024] = {0}, again[9] = {1};
    once = CALLER_ONCE;
    must(noise_call_write(caller, &call, SLICE_EMPTY) == OK, "call");
    must(noise_call_read(called, &nothing, buf_slice(&call)) == OK, "call read");
    once = CALLED_ONCE;
    must(noise_answer_write(called, &answer, slice_of("\0", 1)) == OK, "answer");
    must(noise_answer_read(caller, &nothing, buf_slice(&answer)) == OK, "answer read");
    noise_split(caller, &to_called, &of_called);
    noise_split(called, &to_caller, &of_caller);
    add_packet(packets, "call", PACKET_CALL, buf_slice(&call));
    add_packet(packets, "answer: admitted", PACKET_ANSWER, buf_slice(&answer));
    add_data(packets, "caller: a frame of 8 bytes", &to_called, slice_of("\1sidan/25", 9));
    add_data(packets, "called: another", &to_caller, slice_of("\1heard", 6));
    for (size_t i = 1; i < sizeof part; i++) part[i] = (uint8_t)(i % 256);
    add_data(packets, "caller: the first 1024 bytes of a frame", &to_called,
             slice_of(part, sizeof part));
    add_data(packets, "caller: its last one", &to_called, slice_of("\1.", 2));
    memcpy(again + 1, call.data, sizeof again - 1);
    add_packet(packets, "again: what came cannot be used", PACKET_AGAIN, slice_of("\0", 1));
    add_packet(packets, "again: no key here opens this call", PACKET_AGAIN,
               slice_of(again, sizeof again));
    buf_clear(&call);
    buf_clear(&answer);
    buf_clear(&nothing);
}

json_t *make_pipe(void)
{
    static const char name[] = "sidan/pipe/1";
    struct box_secret caller_secret, called_secret;
    struct box_key caller_key, called_key;
    const struct signer authority = signer_of(SEED_AUTHORITY);
    struct noise caller, called;
    struct buf prologue = {0};
    json_t *root = not_null(json_object()), *packets = not_null(json_array());
    put(root, "township", HEX(authority.key.bytes));
    put(root, "caller_secret", secret_of(CALLER_SECRET, &caller_secret, &caller_key));
    put(root, "called_secret", secret_of(CALLED_SECRET, &called_secret, &called_key));
    buf_append(&prologue, name, sizeof name - 1);
    buf_append(&prologue, authority.key.bytes, sizeof authority.key.bytes);
    put(root, "prologue", hex(buf_slice(&prologue)));
    noise_begin(&caller, buf_slice(&prologue), &caller_key, &caller_secret, &called_key);
    noise_begin(&called, buf_slice(&prologue), &called_key, &called_secret, NULL);
    crypto_random_source(same_bytes, NULL);
    converse(packets, &caller, &called);
    crypto_random_source(NULL, NULL);
    struct box_secret ephemeral;
    struct box_key unused;
    put(root, "caller_ephemeral", secret_of(CALLER_ONCE, &ephemeral, &unused));
    put(root, "called_ephemeral", secret_of(CALLED_ONCE, &ephemeral, &unused));
    put(root, "hash", HEX(caller.hash));
    put(root, "packets", packets);
    buf_clear(&prologue);
    return root;
}
