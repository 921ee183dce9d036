#include "tests/vectors/vectors.h"

/* --- encoding --- */

static const struct bytes accepted[] = {
    BYTES("nil", "\xc0"),
    BYTES("true", "\xc3"),
    BYTES("0", "\x00"),
    BYTES("127", "\x7f"),
    BYTES("128", "\xcc\x80"),
    BYTES("256", "\xcd\x01\x00"),
    BYTES("65536", "\xce\x00\x01\x00\x00"),
    BYTES("2^32", "\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
    BYTES("2^64 - 1", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    BYTES("-1", "\xff"),
    BYTES("-32", "\xe0"),
    BYTES("-33", "\xd0\xdf"),
    BYTES("-129", "\xd1\xff\x7f"),
    BYTES("-2^63", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
    BYTES("empty str", "\xa0"),
    BYTES("str with tab and newline", "\xa3\x09\x0a\x41"),
    BYTES("str in Chinese", "\xa6\xe5\x9b\x9b\xe5\x8d\x95"),
    BYTES("str of 4-byte UTF-8", "\xa4\xf0\xa0\xae\xb7"),
    BYTES("str of 32 bytes", "\xd9\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    BYTES("empty bin", "\xc4\x00"),
    BYTES("empty array", "\x90"),
    BYTES("map in order of encoded keys", "\x83\x01\xc0\xa1\x62\xc0\xa2\x61\x61\xc0"),
    BYTES("depth 8", "\x91\x91\x91\x91\x91\x91\x91\x90"),
};

static const struct bytes refused[] = {
    BYTES("nothing", ""),
    BYTES("1 as uint 8", "\xcc\x01"),
    BYTES("255 as uint 16", "\xcd\x00\xff"),
    BYTES("1 as int 8", "\xd0\x01"),
    BYTES("-1 as int 8", "\xd0\xff"),
    BYTES("-128 as int 16", "\xd1\xff\x80"),
    BYTES("128 as int 16", "\xd1\x00\x80"),
    BYTES("float 32", "\xca\x3f\x80\x00\x00"),
    BYTES("float 64", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    BYTES("fixext", "\xd4\x01\x00"),
    BYTES("0xc1", "\xc1"),
    BYTES("short str as str 8", "\xd9\x01\x41"),
    BYTES("str 16 of 1", "\xda\x00\x01\x41"),
    BYTES("bin 16 of 1", "\xc5\x00\x01\x41"),
    BYTES("array 16 of 1", "\xdc\x00\x01\xc0"),
    BYTES("map 16 of 1", "\xde\x00\x01\x01\xc0"),
    BYTES("NUL in str", "\xa1\x00"),
    BYTES("control character", "\xa1\x1b"),
    BYTES("carriage return", "\xa1\x0d"),
    BYTES("overlong UTF-8", "\xa2\xc0\xaf"),
    BYTES("surrogate", "\xa3\xed\xa0\x80"),
    BYTES("past U+10FFFF", "\xa4\xf4\x90\x80\x80"),
    BYTES("cut UTF-8", "\xa2\xe5\x9b"),
    BYTES("key twice", "\x82\xa1\x61\xc0\xa1\x61\xc0"),
    BYTES("keys out of order", "\x82\xa1\x62\xc0\xa1\x61\xc0"),
    BYTES("longer key first", "\x82\xa2\x61\x61\xc0\xa1\x62\xc0"),
    BYTES("bin as key", "\x81\xc4\x01\x61\xc0"),
    BYTES("nil as key", "\x81\xc0\xc0"),
    BYTES("depth 9", "\x91\x91\x91\x91\x91\x91\x91\x91\x90"),
    BYTES("array cut", "\x92\xc0"),
    BYTES("array that claims 2^32 - 1", "\xdd\xff\xff\xff\xff"),
    BYTES("bin cut", "\xc4\x05\x41"),
    BYTES("two values", "\xc0\xc0"),
};

json_t *make_encoding(void)
{
    json_t *root = not_null(json_object());
    put(root, "accept", bytes_list(accepted, sizeof accepted / sizeof accepted[0]));
    put(root, "refuse", bytes_list(refused, sizeof refused / sizeof refused[0]));
    return root;
}

/* --- hashes, signatures, feeds --- */

json_t *make_crypto(void)
{
    static const char *const messages[] = {"", "abc", "四单"};
    static const char *const contexts[] = {CONTEXT_EVENT, CONTEXT_BOX, CONTEXT_RECEIPT};
    json_t *root = not_null(json_object()), *hashes = json_array(), *signatures = json_array();
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        struct slice message = slice_of_text(messages[i]);
        struct hash hash;
        struct signature signature;
        struct signer signer = signer_of((uint8_t)(i + 1));
        crypto_hash_one(&hash, contexts[i], message);
        signer_sign(&signature, &signer, contexts[i], message);
        json_t *h = not_null(json_object()), *s = not_null(json_object());
        put(h, "context", json_string(contexts[i]));
        put(h, "message", hex(message));
        put(h, "hash", HEX(hash.bytes));
        put(s, "seed", seed_of((uint8_t)(i + 1)));
        put(s, "key", HEX(signer.key.bytes));
        put(s, "context", json_string(contexts[i]));
        put(s, "message", hex(message));
        put(s, "signature", HEX(signature.bytes));
        add(hashes, h);
        add(signatures, s);
    }
    put(root, "hashes", hashes);
    put(root, "signatures", signatures);
    return root;
}

static json_t *feed_json(const struct feed *f)
{
    struct buf encoded = {0};
    struct mp_writer w = {&encoded};
    struct feed_id id;
    feed_write(&w, f);
    feed_id_of(&id, f);
    json_t *out = not_null(json_object());
    put(out, "encoded", hex(buf_slice(&encoded)));
    put(out, "value", value_of(buf_slice(&encoded)));
    put(out, "id", HEX(id.bytes));
    buf_clear(&encoded);
    return out;
}

json_t *make_feeds(void)
{
    const struct feed feeds[] = {feed_of("town", LANE_NORMAL, false),
                                 feed_of("village:431322111203", LANE_URGENT, false),
                                 feed_of("office", LANE_INTAKE, true)};
    json_t *root = not_null(json_array());
    for (size_t i = 0; i < 3; i++) add(root, feed_json(&feeds[i]));
    return root;
}
