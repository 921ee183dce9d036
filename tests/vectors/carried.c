/* Joining without a link, SPEC 11.7 to 11.10. */
#include "tests/vectors/vectors.h"

#include "proto/join_file.h"

#include <string.h>

enum { TRANSPORT_SECRET = 0x52, ONCE_SECRET = 0x31, PIECES = 3 };

static void same_bytes(void *state, void *out, size_t size)
{
    memset(out, *(uint8_t *)state, size);
}

static void put_words(json_t *root, struct slice request)
{
    uint8_t words[JOIN_WORDS];
    json_t *zh = not_null(json_array()), *numbers = not_null(json_array());
    must(join_words(words, request) == OK, "words");
    for (size_t i = 0; i < JOIN_WORDS; i++) {
        add(zh, json_string(join_word_list[words[i]].zh));
        add(numbers, json_integer(words[i]));
    }
    put(root, "numbers", numbers);
    put(root, "words", zh);
}

static void put_request(json_t *root, const struct box_key *transport, struct hash *asked)
{
    struct signer invite = signer_of(SEED_INVITE), device = signer_of(SEED_JOINER);
    struct join_request q = {.township = signer_of(SEED_AUTHORITY).key,
                             .invite = invite.key,
                             .device = device.key,
                             .transport = *transport,
                             .name = "龙凤村一号机",
                             .time_ms = TIME_MS};
    struct buf request = {0}, frame = {0}, text = {0};
    struct frame_join f;
    join_request_write(&request, &q);
    join_sign(&f, buf_slice(&request), &invite, &device);
    frame_join_write(&frame, &f);
    armour_write(&text, &armour_request, buf_slice(&frame), "龙凤村一号机");
    join_request_hash(asked, buf_slice(&request));
    put(root, "request", hex(buf_slice(&request)));
    put(root, "join", hex(buf_slice(&frame)));
    put(root, "request_text", json_string(buf_text(&text)));
    put_words(root, buf_slice(&request));
    buf_clear(&request);
    buf_clear(&frame);
    buf_clear(&text);
}

static void put_answer(json_t *root, const struct box_key *transport, const struct hash *asked)
{
    static const uint8_t runs[] = {0x92, 0xc4, 0x02, 0x01, 0x02, 0xc4, 0x01, 0x03};
    struct signer hub = signer_of(SEED_HUB);
    struct join_answer answer = {.township = signer_of(SEED_AUTHORITY).key,
                                 .acceptor = hub.key,
                                 .device = signer_of(SEED_JOINER).key,
                                 .request = *asked,
                                 .time_ms = TIME_MS + 1000,
                                 .runs = slice_of(runs, sizeof runs)};
    struct buf bytes = {0}, text = {0};
    uint8_t once = ONCE_SECRET;
    crypto_random_source(same_bytes, &once);
    must(join_answer_write(&bytes, &answer, transport, &hub) == OK, "answer");
    crypto_random_source(NULL, NULL);
    armour_write(&text, &armour_answer, buf_slice(&bytes), NULL);
    put(root, "acceptor", HEX(hub.key.bytes));
    put(root, "time_ms", json_integer((json_int_t)answer.time_ms));
    put(root, "runs", hex(answer.runs));
    put(root, "answer", hex(buf_slice(&bytes)));
    put(root, "answer_text", json_string(buf_text(&text)));
    json_t *pieces = not_null(json_array());
    for (size_t i = 0; i < PIECES; i++) {
        buf_reset(&text);
        must(armour_piece(&text, &armour_answer, buf_slice(&bytes), i, PIECES), "piece");
        add(pieces, json_string(buf_text(&text)));
    }
    put(root, "pieces", pieces);
    buf_clear(&bytes);
    buf_clear(&text);
}

json_t *make_carried(void)
{
    struct box_secret secret;
    struct box_key transport;
    struct hash asked;
    json_t *root = not_null(json_object());
    memset(secret.bytes, TRANSPORT_SECRET, sizeof secret.bytes);
    box_key_of_secret(&transport, &secret);
    put(root, "transport_secret", HEX(secret.bytes));
    put_request(root, &transport, &asked);
    put_answer(root, &transport, &asked);
    return root;
}
