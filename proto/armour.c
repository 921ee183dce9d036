#include "proto/armour.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_SIZE = 4, CHECK_DIGITS = 2 * CHECK_SIZE, NUMBER_DIGITS = 2 };

static const char mark[] = "sidan-";

static bool starts(struct slice s, const char *text)
{
    size_t size = strlen(text);
    return s.size >= size && memcmp(s.data, text, size) == 0;
}

static struct slice from(struct slice s, size_t at)
{
    return slice_of(s.data + at, s.size - at);
}

/* Digits without a leading zero, then `end`; *s goes on behind it. 0: it is no such number. */
static unsigned number_to(struct slice *s, char end)
{
    unsigned n = 0;
    size_t at = 0;
    while (at < s->size && at < NUMBER_DIGITS && s->data[at] >= '0' && s->data[at] <= '9')
        n = n * 10 + (unsigned)(s->data[at++] - '0');
    if (!at || s->data[0] == '0' || at == s->size || s->data[at] != (uint8_t)end) return 0;
    *s = from(*s, at + 1);
    return n;
}

/* The line begins with "sidan-NAME-" and the number of a version. */
static bool is_mark(const struct armour *a, struct slice line, unsigned *version,
                    struct slice *token)
{
    if (!starts(line, mark)) return false;
    line = from(line, sizeof mark - 1);
    if (!starts(line, a->name)) return false;
    line = from(line, strlen(a->name));
    if (!starts(line, "-")) return false;
    line = from(line, 1);
    *version = number_to(&line, ':');
    *token = line;
    return *version != 0;
}

/* The next one, with what belongs to it: up to the next mark, comment, or the end. */
static bool next_token(const struct armour *a, struct slice *text, unsigned *version,
                       struct slice *token)
{
    bool found = false;
    while (text->size) {
        struct slice line = *text;
        bool ends = starts(line, mark) || starts(line, "#");
        if (found && ends) break;
        if (!found && ends) found = is_mark(a, line, version, token);
        const uint8_t *end = memchr(line.data, '\n', line.size);
        *text = end ? from(line, (size_t)(end - line.data) + 1) : SLICE_EMPTY;
    }
    if (found) token->size -= text->size;
    return found;
}

bool armour_is(const struct armour *a, struct slice text)
{
    unsigned version;
    struct slice token;
    return next_token(a, &text, &version, &token);
}

struct piece {
    unsigned number, count; /* count 0: it is whole */
    struct slice check;     /* hex */
    struct slice text;
};

/* A '/' is in no base64url. */
static enum err piece_read(struct piece *out, struct slice token)
{
    *out = (struct piece){.text = token};
    if (!memchr(token.data, '/', token.size)) return OK;
    out->number = number_to(&out->text, '/');
    out->count = number_to(&out->text, '/');
    if (!out->number || out->number > out->count || out->count > ARMOUR_PIECES_MAX ||
        out->text.size <= CHECK_DIGITS || out->text.data[CHECK_DIGITS] != ':')
        return ERR_MALFORMED;
    out->check = slice_of(out->text.data, CHECK_DIGITS);
    out->text = from(out->text, CHECK_DIGITS + 1);
    return OK;
}

static void check_of(uint8_t out[CHECK_SIZE], const struct armour *a, struct slice content)
{
    struct hash hash;
    crypto_hash_one(&hash, a->context, content);
    memcpy(out, hash.bytes, CHECK_SIZE);
}

static enum err collect(const struct armour *a, struct slice text, struct piece first,
                        struct slice pieces[ARMOUR_PIECES_MAX])
{
    unsigned version;
    struct slice token;
    while (next_token(a, &text, &version, &token)) {
        struct piece p;
        if (version != 1) return ERR_VERSION;
        enum err err = piece_read(&p, token);
        if (err) return err;
        if (p.count != first.count || !slice_equal(p.check, first.check)) return ERR_AMBIGUOUS;
        pieces[p.number - 1] = p.text;
    }
    return OK;
}

/* The base64url of what is in the text, put together. */
static enum err gather(struct buf *out, const struct armour *a, struct slice text,
                       struct armour_pieces *pieces)
{
    unsigned version;
    struct slice token, rest = text, parts[ARMOUR_PIECES_MAX] = {{0}};
    struct piece first;
    if (!next_token(a, &rest, &version, &token)) return ERR_MALFORMED;
    if (version != 1) return ERR_VERSION;
    enum err err = piece_read(&first, token);
    if (err) return err;
    if (!first.count) {
        buf_append_slice(out, first.text);
        return out->err;
    }
    pieces->count = first.count;
    err = collect(a, text, first, parts);
    for (unsigned i = 0; !err && i < first.count; i++) {
        pieces->here[i] = parts[i].data != NULL;
        buf_append_slice(out, parts[i]);
    }
    for (unsigned i = 0; !err && i < first.count; i++)
        if (!pieces->here[i]) err = ERR_NOT_FOUND;
    return err ? err : out->err;
}

static size_t text_size_max(const struct armour *a)
{
    return 2 * a->size_max + KIB(4); /* base64url, white space, comments, the marks of pieces */
}

enum err armour_read(struct buf *out, const struct armour *a, struct slice text,
                     struct armour_pieces *pieces)
{
    struct armour_pieces ignored;
    struct buf coded = {0};
    if (!pieces) pieces = &ignored;
    *pieces = (struct armour_pieces){0};
    if (text.size > text_size_max(a)) return ERR_LIMIT;
    size_t before = out->size;
    /* one allocation each: growing would leave copies of a secret behind */
    if (!buf_reserve(&coded, text.size + 1) || !buf_reserve(out, text.size + 1)) {
        enum err failed = coded.err ? coded.err : out->err;
        buf_clear(&coded);
        return failed;
    }
    enum err err = gather(&coded, a, text, pieces);
    if (!err) err = base64url_decode(out, buf_slice(&coded));
    size_t size = out->size - before;
    if (!err && (size <= CHECK_SIZE || size > a->size_max + CHECK_SIZE)) err = ERR_MALFORMED;
    if (!err) {
        uint8_t check[CHECK_SIZE];
        out->size -= CHECK_SIZE;
        check_of(check, a, slice_of(out->data + before, out->size - before));
        if (memcmp(check, out->data + out->size, CHECK_SIZE) != 0) err = ERR_MALFORMED;
    }
    if (coded.data) crypto_wipe(coded.data, coded.capacity);
    buf_clear(&coded);
    return err;
}

/* --- writing --- */

static void write_comment(struct buf *out, const char *comment)
{
    while (*comment) {
        size_t size = strcspn(comment, "\n");
        buf_append_text(out, "# ");
        buf_append(out, comment, size);
        buf_append_byte(out, '\n');
        comment += size;
        if (*comment) comment++;
    }
}

/* The base64url of content and check, in memory that did not grow. */
static void encode(struct buf *out, const struct armour *a, struct slice content)
{
    struct buf bytes = {0};
    uint8_t check[CHECK_SIZE];
    check_of(check, a, content);
    if (buf_reserve(&bytes, content.size + CHECK_SIZE)) {
        buf_append_slice(&bytes, content);
        buf_append(&bytes, check, CHECK_SIZE);
    }
    if (bytes.err && !out->err) out->err = bytes.err;
    if (buf_reserve(out, 2 * bytes.size + 4)) base64url_encode(out, buf_slice(&bytes));
    if (bytes.data) crypto_wipe(bytes.data, bytes.capacity);
    buf_clear(&bytes);
}

void armour_write(struct buf *out, const struct armour *a, struct slice content,
                  const char *comment)
{
    if (comment) write_comment(out, comment);
    buf_printf(out, "%s%s-1:", mark, a->name);
    encode(out, a, content);
    buf_append_byte(out, '\n');
}

/* Marks of pieces: "sidan-NAME-1:", two numbers with "/", the check with ":". */
static size_t coded_size(struct slice content)
{
    size_t bytes = content.size + CHECK_SIZE;
    return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0);
}

size_t armour_piece_count(const struct armour *a, struct slice content, size_t size_max)
{
    size_t marks = strlen(mark) + strlen(a->name) + 3 + 2 * (NUMBER_DIGITS + 1) + CHECK_DIGITS + 1;
    size_t each = size_max > marks ? size_max - marks : 1;
    return (coded_size(content) + each - 1) / each;
}

bool armour_piece(struct buf *out, const struct armour *a, struct slice content, size_t i,
                  size_t count)
{
    struct buf coded = {0};
    uint8_t check[CHECK_SIZE];
    if (i >= count || count > ARMOUR_PIECES_MAX) return false;
    encode(&coded, a, content);
    check_of(check, a, content);
    size_t each = (coded.size + count - 1) / count, at = i * each;
    size_t size = at >= coded.size ? 0 : coded.size - at < each ? coded.size - at : each;
    buf_printf(out, "%s%s-1:", mark, a->name);
    if (count > 1) {
        buf_printf(out, "%zu/%zu/", i + 1, count);
        for (size_t n = 0; n < CHECK_SIZE; n++) buf_printf(out, "%02x", check[n]);
        buf_append_byte(out, ':');
    }
    buf_append(out, coded.data + at, size);
    if (coded.err && !out->err) out->err = coded.err;
    if (coded.data) crypto_wipe(coded.data, coded.capacity);
    buf_clear(&coded);
    return size != 0;
}
