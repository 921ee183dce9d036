#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/vectors.h"

#include <stdio.h>
#include <string.h>

json_t *vectors_load(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/vectors/%s.json", name);
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root) fail_msg("%s:%d: %s", path, error.line, error.text);
    return root;
}

const char *vectors_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

/* Bytes of a hex member, owned by the caller. */
struct buf vectors_bytes(const json_t *object, const char *key)
{
    const char *text = vectors_text(object, key);
    struct buf out = {0};
    size_t size = strlen(text) / 2;
    uint8_t *to = buf_reserve(&out, size + 1);
    assert_int_equal(hex_decode(to, size, text, strlen(text)), OK);
    buf_advance(&out, size);
    return out;
}

void vectors_fixed(const json_t *object, const char *key, void *out, size_t size)
{
    const char *text = vectors_text(object, key);
    assert_int_equal(hex_decode(out, size, text, strlen(text)), OK);
}

void vectors_assert_hex(struct slice bytes, const json_t *object, const char *key)
{
    struct buf expected = vectors_bytes(object, key);
    if (!slice_equal(bytes, buf_slice(&expected)))
        fail_msg("%s differs in \"%s\"", key, json_string_value(json_object_get(object, "what")));
    buf_clear(&expected);
}

void vectors_assert_value(struct slice encoded, const json_t *object, const char *key)
{
    json_t *value = json_of_value(encoded);
    if (!json_equal(value, json_object_get(object, key)))
        fail_msg("%s differs in \"%s\"", key, json_string_value(json_object_get(object, "what")));
    json_decref(value);
}

struct signer vectors_signer(const json_t *object, const char *key)
{
    struct sign_seed seed;
    struct signer signer;
    vectors_fixed(object, key, seed.bytes, sizeof seed.bytes);
    signer_from_seed(&signer, &seed);
    return signer;
}
