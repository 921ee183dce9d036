/* What people carry by hand: texts with their armour, whole or in pieces, the request and the
 * answer of a join, and secrets under a passphrase. The first byte chooses: a text as it came; a
 * content that goes into a text and comes out again; bytes behind an armour or a seal that holds.
 */
#include "proto/join_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct box_key key;
static struct box_secret secret;
static struct signer acceptor;
static bool ready;

static void must(bool holds)
{
    if (!holds) abort();
}

static void prepare(void)
{
    static const struct sign_seed seed = {{7}};
    must(crypto_init() == OK);
    memset(secret.bytes, 9, sizeof secret.bytes);
    box_key_of_secret(&key, &secret);
    signer_from_seed(&acceptor, &seed);
    ready = true;
}

static const struct armour *armour_of(uint8_t choice)
{
    static const struct armour *const all[] = {&armour_invite, &armour_request, &armour_answer};
    return all[choice % 3];
}

/* --- texts --- */

static void must_be_read(const struct armour *a, struct slice text, struct slice content)
{
    struct buf out = {0};
    must(armour_is(a, text));
    must(armour_read(&out, a, text, NULL) == OK);
    must(slice_equal(buf_slice(&out), content));
    buf_clear(&out);
}

static void try_text(const struct armour *a, struct slice text)
{
    struct buf content = {0}, again = {0};
    struct armour_pieces pieces;
    enum err err = armour_read(&content, a, text, &pieces);
    if (!err) {
        must(content.size <= a->size_max);
        armour_write(&again, a, buf_slice(&content), NULL);
        must(!again.err);
        must_be_read(a, buf_slice(&again), buf_slice(&content));
    } else if (err == ERR_NOT_FOUND) {
        must(pieces.count > 1 && pieces.count <= ARMOUR_PIECES_MAX);
    }
    crypto_buf_wipe(&content);
    buf_clear(&again);
}

/* In pieces, the last one first. */
static void try_pieces(const struct armour *a, struct slice content, size_t size_max)
{
    struct buf text = {0};
    size_t count = armour_piece_count(a, content, size_max);
    if (!content.size || content.size > a->size_max || !count || count > ARMOUR_PIECES_MAX) return;
    for (size_t i = count; i-- > 0;) {
        must(armour_piece(&text, a, content, i, count));
        buf_append_byte(&text, '\n');
    }
    must(!text.err);
    must_be_read(a, buf_slice(&text), content);
    buf_clear(&text);
}

/* --- joining --- */

static void try_request(struct slice frame)
{
    struct frame_join f;
    struct join_request request;
    if (frame_join_read(&f, frame) == OK) must(join_verify(&request, &f) != ERR_IO);
    must(join_request_read(&request, frame) != ERR_IO);
}

static void read_runs(const struct join_answer *answer)
{
    struct slice frame;
    struct mp_reader r = mp_reader_of(answer->runs);
    size_t count = mp_read_array(&r, SIZE_MAX), seen = 0;
    while (join_answer_next(&r, &frame)) seen++;
    must(seen <= count && seen <= JOIN_ANSWER_RUNS_MAX);
}

static void try_answer(struct slice bytes)
{
    struct join_answer_outside outside;
    struct join_answer answer;
    struct buf opened = {0};
    if (join_answer_outside(&outside, bytes) == OK &&
        join_answer_open(&opened, &answer, &outside, &acceptor.key, &key, &secret) == OK)
        read_runs(&answer);
    crypto_buf_wipe(&opened);
}

/* Sealed by anybody, signed by nobody. */
static void try_sealed(struct slice content)
{
    struct buf sealed = {0}, opened = {0};
    struct join_answer answer;
    struct join_answer_outside outside = {.township = acceptor.key, .device = acceptor.key};
    must(crypto_seal(&sealed, &key, content) == OK);
    outside.sealed = buf_slice(&sealed);
    enum err err = join_answer_open(&opened, &answer, &outside, &acceptor.key, &key, &secret);
    must(err != ERR_FOREIGN);
    if (!err) read_runs(&answer);
    crypto_buf_wipe(&opened);
    buf_clear(&sealed);
}

static void try_runs(struct slice runs)
{
    struct buf bytes = {0}, opened = {0};
    struct join_answer_outside outside;
    struct join_answer answer = {.township = acceptor.key, .acceptor = acceptor.key, .runs = runs},
                       back;
    size_t used;
    if (mp_scan(runs, &used) != OK || used != runs.size) return;
    if (join_answer_write(&bytes, &answer, &key, &acceptor) == OK) {
        must(join_answer_outside(&outside, buf_slice(&bytes)) == OK);
        if (join_answer_open(&opened, &back, &outside, &acceptor.key, &key, &secret) == OK) {
            must(slice_equal(back.runs, runs));
            read_runs(&back);
        }
    }
    crypto_buf_wipe(&opened);
    buf_clear(&bytes);
}

/* --- secrets: Argon2id is dear, so seldom --- */

static void try_wrapped(struct slice text)
{
    struct buf opened = {0};
    if (text.size > 512 || text.size % 16) return;
    must(crypto_unwrap(&opened, text, "fuzz") != OK);
    crypto_buf_wipe(&opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!ready) prepare();
    if (size < 2) return 0;
    const struct slice in = slice_of(data + 2, size - 2);
    const struct armour *a = armour_of(data[1]);
    struct invite invite;
    switch (data[0] % 16) {
    case 0:
        try_text(a, in);
        break;
    case 1:
        try_pieces(a, in, 100 + (size_t)data[1] * 8);
        break;
    case 2:
        must(invite_read(&invite, in) != ERR_IO);
        break;
    case 3:
        try_answer(in);
        break;
    case 4:
        try_sealed(in);
        break;
    case 5:
        try_runs(in);
        break;
    case 6:
        try_wrapped(in);
        break;
    default:
        try_request(in);
        break;
    }
    return 0;
}
