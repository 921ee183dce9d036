/* The recovery key on paper: node/township.h. */
#include "node/township.h"

#include <ctype.h>
#include <string.h>

#include "common/i18n.h"

enum { GROUP_DIGITS = 4, GROUPS = 17, DIGITS = GROUP_DIGITS * GROUPS, SEED_DIGITS = 64 };

static void check_of(uint8_t out[2], const struct sign_seed *seed)
{
    struct hash check;
    crypto_hash_one(&check, CONTEXT_RECOVERY, slice_of(seed->bytes, sizeof seed->bytes));
    memcpy(out, check.bytes, 2);
}

void township_recovery_print(struct buf *out, const struct sign_seed *seed)
{
    uint8_t bytes[sizeof seed->bytes + 2];
    memcpy(bytes, seed->bytes, sizeof seed->bytes);
    check_of(bytes + sizeof seed->bytes, seed);
    for (size_t group = 0; group < GROUPS; group++) {
        char digits[GROUP_DIGITS + 1];
        hex_encode(digits, bytes + group * 2, 2);
        buf_printf(out, "%s%s", group == 0 ? "" : group % 4 == 0 ? "\n" : " ", digits);
        crypto_wipe(digits, sizeof digits);
    }
    crypto_wipe(bytes, sizeof bytes);
}

/* What people take for each other on paper. */
static char digit_of(uint8_t c)
{
    int lower = tolower(c);
    if (lower == 'o') return '0';
    if (lower == 'l' || lower == 'i') return '1';
    return (char)lower;
}

static enum err digits_read(char out[DIGITS], struct slice text, unsigned *group, const char **what)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (isspace(c) || c == '-' || c == '.' || c == ',') continue;
        char digit = digit_of(c);
        *group = (unsigned)(count / GROUP_DIGITS) + 1;
        *what = N_("it has something else than the digits 0 to 9 and a to f");
        if (!strchr("0123456789abcdef", digit)) return ERR_MALFORMED;
        *group = 0;
        *what = N_("there are more than 17 groups of 4");
        if (count == DIGITS) return ERR_MALFORMED;
        out[count++] = digit;
    }
    *group = 0;
    *what = N_("there are less than 17 groups of 4");
    return count == DIGITS ? OK : ERR_MALFORMED;
}

enum err township_recovery_read(struct sign_seed *out, struct slice text, unsigned *group,
                                const char **what)
{
    char digits[DIGITS];
    uint8_t typed[2], check[2];
    enum err err = digits_read(digits, text, group, what);
    if (!err) err = hex_decode(out->bytes, sizeof out->bytes, digits, SEED_DIGITS);
    if (!err) err = hex_decode(typed, sizeof typed, digits + SEED_DIGITS, GROUP_DIGITS);
    crypto_wipe(digits, sizeof digits);
    if (err) return err;
    check_of(check, out);
    *what = N_("the last group does not fit the others: a digit is wrong, or two are swapped");
    return memcmp(check, typed, sizeof check) ? ERR_SIGNATURE : OK;
}

static uint8_t nibble_get(const struct sign_seed *seed, unsigned at)
{
    uint8_t byte = seed->bytes[at / 2];
    return at % 2 ? byte & 15 : byte >> 4;
}

static void nibble_put(struct sign_seed *seed, unsigned at, uint8_t value)
{
    uint8_t *byte = &seed->bytes[at / 2];
    *byte = (uint8_t)(at % 2 ? (*byte & 0xf0) | value : (*byte & 15) | value << 4);
}

static bool is_seed_of(const struct sign_seed *seed, const struct sign_key *key)
{
    struct signer signer;
    signer_from_seed(&signer, seed);
    bool same = sign_key_equal(&signer.key, key);
    signer_clear(&signer);
    return same;
}

unsigned township_recovery_slip(const struct sign_seed *typed, const struct sign_key *recovery)
{
    unsigned found = 0;
    if (is_seed_of(typed, recovery)) return GROUPS; /* the check itself was mistyped */
    for (unsigned at = 0; at < SEED_DIGITS && !found; at++) {
        struct sign_seed other = *typed;
        uint8_t digit = nibble_get(typed, at);
        for (uint8_t d = 0; d < 16 && !found; d++) {
            nibble_put(&other, at, d);
            if (d != digit && is_seed_of(&other, recovery)) found = at / GROUP_DIGITS + 1;
        }
        if (at + 1 < SEED_DIGITS && !found) {
            nibble_put(&other, at, nibble_get(typed, at + 1));
            nibble_put(&other, at + 1, digit);
            if (is_seed_of(&other, recovery)) found = at / GROUP_DIGITS + 1;
        }
        crypto_wipe(&other, sizeof other);
    }
    return found;
}

void township_recovery_mark(char out[9], const struct sign_key *recovery)
{
    hex_encode(out, recovery->bytes, 4);
}
