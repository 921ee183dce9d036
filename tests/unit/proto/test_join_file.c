#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/join_file.h"
#include "tests/support/vectors.h"

#include <string.h>

static struct signer hub, laptop;
static struct box_key transport;
static struct box_secret secret;
static const uint8_t runs[] = {0x92, 0xc4, 0x02, 0x01, 0x02, 0xc4, 0x01, 0x03};

static struct join_answer answer_of(void)
{
    return (struct join_answer){.township = {{9}},
                                .acceptor = hub.key,
                                .device = laptop.key,
                                .request = {{7}},
                                .time_ms = 1234,
                                .runs = slice_of(runs, sizeof runs)};
}

static enum err open_bytes(struct slice bytes, const struct sign_key *acceptor,
                           const struct box_key *key, const struct box_secret *own)
{
    struct join_answer_outside outside;
    struct join_answer out;
    struct buf opened = {0};
    enum err err = join_answer_outside(&outside, bytes);
    if (!err) err = join_answer_open(&opened, &out, &outside, acceptor, key, own);
    if (!err) {
        struct mp_reader r = mp_reader_of(out.runs);
        struct slice frame;
        assert_int_equal(mp_read_array(&r, 9), 2);
        assert_true(join_answer_next(&r, &frame) && frame.size == 2);
        assert_true(join_answer_next(&r, &frame) && frame.size == 1);
        assert_false(join_answer_next(&r, &frame));
        assert_int_equal(out.time_ms, 1234);
        assert_int_equal(out.request.bytes[0], 7);
    }
    buf_clear(&opened);
    return err;
}

static void an_answer_opens_for_its_laptop_alone(void **state)
{
    (void)state;
    struct join_answer answer = answer_of();
    struct buf bytes = {0};
    struct box_key other;
    struct box_secret other_secret;
    box_pair_make(&other, &other_secret);
    assert_int_equal(join_answer_write(&bytes, &answer, &transport, &hub), OK);
    assert_int_equal(open_bytes(buf_slice(&bytes), &hub.key, &transport, &secret), OK);
    assert_int_equal(open_bytes(buf_slice(&bytes), &hub.key, &other, &other_secret), ERR_FOREIGN);
    assert_int_equal(open_bytes(buf_slice(&bytes), &laptop.key, &transport, &secret),
                     ERR_SIGNATURE);
    buf_clear(&bytes);
}

static void refuses_every_changed_byte_of_an_answer(void **state)
{
    (void)state;
    struct join_answer answer = answer_of();
    struct buf bytes = {0};
    assert_int_equal(join_answer_write(&bytes, &answer, &transport, &hub), OK);
    for (size_t i = 0; i < bytes.size; i++) {
        bytes.data[i] ^= 1;
        assert_int_not_equal(open_bytes(buf_slice(&bytes), &hub.key, &transport, &secret), OK);
        bytes.data[i] ^= 1;
    }
    buf_clear(&bytes);
}

/* Who can read the request can seal to its key: only the hub's signature makes an answer. */
static void another_cannot_answer_for_the_hub(void **state)
{
    (void)state;
    struct signer enemy;
    struct sign_seed seed;
    struct join_answer answer = answer_of();
    struct buf bytes = {0};
    sign_seed_make(&seed);
    signer_from_seed(&enemy, &seed);
    assert_int_equal(join_answer_write(&bytes, &answer, &transport, &enemy), OK);
    assert_int_equal(open_bytes(buf_slice(&bytes), &hub.key, &transport, &secret), ERR_SIGNATURE);
    buf_clear(&bytes);
}

static void refuses_runs_of_another_form(void **state)
{
    static const uint8_t bad[][3] = {{0x91, 0x01, 0}, {0x91, 0xa1, 'x'}, {0x01, 0, 0}};
    static const size_t sizes[] = {2, 3, 1};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct join_answer answer = answer_of();
        struct buf bytes = {0};
        answer.runs = slice_of(bad[i], sizes[i]);
        assert_int_equal(join_answer_write(&bytes, &answer, &transport, &hub), OK);
        assert_int_equal(open_bytes(buf_slice(&bytes), &hub.key, &transport, &secret),
                         ERR_MALFORMED);
        buf_clear(&bytes);
    }
}

static void reads_the_vectors(void **state)
{
    (void)state;
    json_t *v = vectors_load("carried");
    struct buf request = vectors_bytes(v, "request"), join = vectors_bytes(v, "join"), out = {0};
    struct buf answer = vectors_bytes(v, "answer"), opened = {0};
    struct sign_key acceptor;
    struct join_answer_outside outside;
    struct join_answer a;
    uint8_t words[JOIN_WORDS];
    vectors_fixed(v, "acceptor", acceptor.bytes, sizeof acceptor.bytes);
    vectors_fixed(v, "transport_secret", secret.bytes, sizeof secret.bytes);
    box_key_of_secret(&transport, &secret);
    struct slice text = slice_of_text(vectors_text(v, "request_text"));
    assert_int_equal(armour_read(&out, &armour_request, text, NULL), OK);
    assert_true(slice_equal(buf_slice(&out), buf_slice(&join)));
    assert_int_equal(join_words(words, buf_slice(&request)), OK);
    for (size_t i = 0; i < JOIN_WORDS; i++)
        assert_string_equal(join_word_list[words[i]].zh,
                            json_string_value(json_array_get(json_object_get(v, "words"), i)));
    assert_int_equal(join_answer_outside(&outside, buf_slice(&answer)), OK);
    assert_int_equal(join_answer_open(&opened, &a, &outside, &acceptor, &transport, &secret), OK);
    vectors_assert_hex(a.runs, v, "runs");
    buf_clear(&request);
    buf_clear(&join);
    buf_clear(&out);
    buf_clear(&answer);
    buf_clear(&opened);
    json_decref(v);
}

/* --- the words --- */

/* As a person of the region may hear it: n and l, h and f, r and l, zh and z, ng and n are one. */
static void heard(char *out, const char *pinyin)
{
    size_t at = 0;
    for (const char *p = pinyin; *p; p++) {
        bool first = p == pinyin || p[-1] == ' ';
        bool last = !p[1] || p[1] == ' ';
        if (*p == 'h' && p > pinyin && strchr("zcs", p[-1])) continue;
        if (first && *p == 'h') {
            out[at++] = 'f';
            if (p[1] == 'u') p++;
            continue;
        }
        if (last && *p == 'g') continue;
        out[at++] = first && (*p == 'n' || *p == 'r') ? 'l' : *p;
    }
    out[at] = 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, add or leave out until one is the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32];
    for (size_t j = 0; j <= strlen(b); j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; b[j - 1]; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(changed, least(row[j] + 1, row[j - 1] + 1));
        }
    }
    return row[strlen(b)];
}

static void no_two_words_sound_alike(void **state)
{
    char sounds[256][32];
    (void)state;
    for (size_t i = 0; i < 256; i++) {
        assert_true(strlen(join_word_list[i].pinyin) < sizeof sounds[i]);
        assert_int_equal(strlen(join_word_list[i].zh), 6); /* two characters */
        heard(sounds[i], join_word_list[i].pinyin);
        for (size_t j = 0; j < i; j++) {
            if (distance(sounds[i], sounds[j]) < 2 ||
                strcmp(join_word_list[i].en, join_word_list[j].en) == 0)
                fail_msg("%s and %s", join_word_list[i].zh, join_word_list[j].zh);
        }
    }
}

static int setup(void **state)
{
    struct sign_seed seed;
    (void)state;
    if (crypto_init()) return -1;
    sign_seed_make(&seed);
    signer_from_seed(&hub, &seed);
    sign_seed_make(&seed);
    signer_from_seed(&laptop, &seed);
    box_pair_make(&transport, &secret);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_opens_for_its_laptop_alone),
        cmocka_unit_test(refuses_every_changed_byte_of_an_answer),
        cmocka_unit_test(another_cannot_answer_for_the_hub),
        cmocka_unit_test(refuses_runs_of_another_form),
        cmocka_unit_test(reads_the_vectors),
        cmocka_unit_test(no_two_words_sound_alike),
    };
    return cmocka_run_group_tests(tests, setup, NULL) != 0;
}
