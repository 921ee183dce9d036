#include "node/office/money.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void money_format(char out[MONEY_TEXT_SIZE], int64_t fen)
{
    uint64_t size = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;
    snprintf(out, MONEY_TEXT_SIZE, "%s%llu.%02u", fen < 0 ? "-" : "",
             (unsigned long long)(size / 100), (unsigned)(size % 100));
}

/* --- capitals ------------------------------------------------------------------------------ */

static const char *const digits[] = {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"};

/* Four digits, from the thousands down. `after`: something stands before them. */
static void append_group(struct buf *out, unsigned group, bool after)
{
    static const char *const units[] = {"仟", "佰", "拾", ""};
    static const unsigned places[] = {1000, 100, 10, 1};
    bool zero = false;
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = group / places[i] % 10;
        if (digit == 0) {
            zero = after;
            continue;
        }
        if (zero) buf_append_text(out, digits[0]);
        buf_append_text(out, digits[digit]);
        buf_append_text(out, units[i]);
        zero = false;
        after = true;
    }
}

static void append_yuan(struct buf *out, uint64_t yuan)
{
    static const char *const units[] = {"亿", "万", ""};
    const unsigned groups[] = {(unsigned)(yuan / 100000000), (unsigned)(yuan / 10000 % 10000),
                               (unsigned)(yuan % 10000)};
    bool after = false, skipped = false;
    for (size_t i = 0; i < 3; i++) {
        if (groups[i] == 0) {
            skipped = after;
            continue;
        }
        /* a whole group of zeros; one that begins with zeros says so itself */
        if (skipped && groups[i] >= 1000) buf_append_text(out, digits[0]);
        append_group(out, groups[i], after);
        buf_append_text(out, units[i]);
        after = true;
        skipped = false;
    }
}

void money_capitals(struct buf *out, int64_t fen)
{
    assert(fen >= 0 && fen <= MONEY_FEN_MAX);
    uint64_t yuan = (uint64_t)fen / 100;
    unsigned jiao = (unsigned)(fen / 10 % 10), rest = (unsigned)(fen % 10);
    if (yuan) append_yuan(out, yuan);
    if (!yuan && !jiao && !rest) buf_append_text(out, digits[0]);
    if (yuan || (!jiao && !rest)) buf_append_text(out, "元");
    if (!jiao && !rest) buf_append_text(out, "整");
    if (jiao) {
        buf_append_text(out, digits[jiao]);
        buf_append_text(out, "角");
    } else if (yuan && rest) {
        buf_append_text(out, digits[0]);
    }
    if (rest) {
        buf_append_text(out, digits[rest]);
        buf_append_text(out, "分");
    }
}

/* --- reading ------------------------------------------------------------------------------- */

/* Takes a word off the end; true where it stood there. */
static bool cut_end(struct slice *text, const char *word)
{
    size_t size = strlen(word);
    if (text->size < size || memcmp(text->data + text->size - size, word, size) != 0) return false;
    text->size -= size;
    return true;
}

/* A decimal number times 10^`decimals`, which are all that it may have. */
static enum err read_decimal(int64_t *out, struct slice text, unsigned decimals)
{
    uint64_t value = 0;
    size_t seen = 0, after = 0;
    bool point = false, large = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];
        if (c == ',' && seen && !point) continue;
        if (c == '.' && seen && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') return ERR_MALFORMED;
        if (point && ++after > decimals && c != '0') return ERR_MALFORMED;
        if (point && after > decimals) continue;
        value = value * 10 + (uint64_t)(c - '0');
        large = large || value > MONEY_FEN_MAX;
        if (large) value = 0;
        seen++;
    }
    if (!seen || (point && !after)) return ERR_MALFORMED;
    for (; after < decimals && !large; after++) {
        value *= 10;
        large = value > MONEY_FEN_MAX;
    }
    if (large) return ERR_RANGE;
    *out = (int64_t)value;
    return OK;
}

enum err money_parse(int64_t *fen, struct slice text)
{
    enum { YUAN_DECIMALS = 2, TEN_THOUSAND_DECIMALS = 6 };
    if (text.size > 1 && text.data[0] == '-' && text.data[1] >= '0' && text.data[1] <= '9')
        return ERR_RANGE;
    if (cut_end(&text, "分") || cut_end(&text, "fen")) return read_decimal(fen, text, 0);
    if (!cut_end(&text, "元")) (void)cut_end(&text, "yuan");
    unsigned decimals = cut_end(&text, "万") ? TEN_THOUSAND_DECIMALS : YUAN_DECIMALS;
    return read_decimal(fen, text, decimals);
}
