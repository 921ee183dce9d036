#define _XOPEN_SOURCE 700
#include "common/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <wchar.h>

static bool is_continuation(struct slice s, size_t at)
{
    return at < s.size && (s.data[at] & 0xc0) == 0x80;
}

/* Unicode 15, table 3-7: well-formed byte sequences. */
uint32_t text_next(struct slice s, size_t *at)
{
    size_t i = *at;
    uint8_t first = s.data[i];
    *at = i + 1;
    if (first < 0x80) return first;
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4) return UINT32_MAX;
    uint32_t point = first & (0x3fu >> more);
    for (size_t k = 1; k <= more; k++) {
        if (!is_continuation(s, i + k)) return UINT32_MAX;
        point = point << 6 | (s.data[i + k] & 0x3fu);
    }
    if (more == 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return UINT32_MAX;
    if (more == 3 && (point < 0x10000 || point > 0x10ffff)) return UINT32_MAX;
    *at = i + 1 + more;
    return point;
}

bool text_valid(struct slice s)
{
    for (size_t at = 0; at < s.size;)
        if (text_next(s, &at) == UINT32_MAX) return false;
    return true;
}

/* Direction marks and overrides can make a line read as another one. */
static bool is_direction_mark(uint32_t point)
{
    return point == 0x061c || (point >= 0x200e && point <= 0x200f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static bool is_blank(uint32_t point)
{
    return point == '\n' || point == '\r' || point == '\t';
}

/* Columns of one code point; -1 where it must not reach a terminal. */
static int width_of(uint32_t point)
{
    if (is_blank(point)) return 1;
    if (point == UINT32_MAX || is_direction_mark(point)) return -1;
    return wcwidth((wchar_t)point);
}

size_t text_width(struct slice s)
{
    size_t width = 0;
    for (size_t at = 0; at < s.size;) {
        int w = width_of(text_next(s, &at));
        width += w < 0 ? 1 : (size_t)w;
    }
    return width;
}

void text_append_shown(struct buf *out, struct slice s)
{
    for (size_t at = 0; at < s.size;) {
        size_t from = at;
        uint32_t point = text_next(s, &at);
        if (is_blank(point))
            buf_append_byte(out, ' ');
        else if (width_of(point) < 0)
            buf_append_byte(out, '?');
        else
            buf_append(out, s.data + from, at - from);
    }
}

void text_append_padded(struct buf *out, struct slice s, size_t width, bool right)
{
    size_t own = text_width(s);
    if (!right) text_append_shown(out, s);
    for (size_t i = own; i < width; i++) buf_append_byte(out, ' ');
    if (right) text_append_shown(out, s);
}

struct slice text_cut(struct slice s, size_t width)
{
    size_t used = 0;
    for (size_t at = 0; at < s.size;) {
        size_t from = at;
        int w = width_of(text_next(s, &at));
        used += w < 0 ? 1 : (size_t)w;
        if (used > width) return slice_of(s.data, from);
    }
    return s;
}

void text_copy(char *out, size_t size, struct slice s)
{
    size_t end = s.size;
    if (end >= size)
        for (size_t at = end = 0; (void)text_next(s, &at), at < size;) end = at;
    if (end) memcpy(out, s.data, end);
    out[end] = 0;
}

/* Of any script, the Chinese ones three bytes long. */
static bool ends_in_comma(struct slice s)
{
    static const char commas[][4] = {"，", "、", "；", "。"};
    if (s.data[s.size - 1] == ',') return true;
    for (size_t i = 0; s.size >= 3 && i < sizeof commas / sizeof commas[0]; i++)
        if (memcmp(s.data + s.size - 3, commas[i], 3) == 0) return true;
    return false;
}

struct slice text_line(struct slice s, size_t width)
{
    struct slice line = text_cut(s, width);
    if (line.size == s.size) return s;
    size_t end = line.size;
    while (end > 0 && s.data[end] != ' ' && !ends_in_comma(slice_of(s.data, end))) end--;
    if (end > 0) return slice_of(s.data, end);
    if (line.size > 0) return line;
    size_t at = 0;
    text_next(s, &at);
    return slice_of(s.data, at);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t points_of(uint32_t out[TEXT_DISTANCE_SIZE_MAX], const char *text)
{
    struct slice s = slice_of_text(text);
    size_t count = 0;
    if (s.size > TEXT_DISTANCE_SIZE_MAX) return SIZE_MAX;
    for (size_t at = 0; at < s.size;) out[count++] = text_next(s, &at);
    return count;
}

size_t text_distance(const char *first, const char *second)
{
    uint32_t a[TEXT_DISTANCE_SIZE_MAX], b[TEXT_DISTANCE_SIZE_MAX];
    size_t n = points_of(a, first), m = points_of(b, second);
    if (n == SIZE_MAX || m == SIZE_MAX) return SIZE_MAX;
    size_t d[TEXT_DISTANCE_SIZE_MAX + 1][TEXT_DISTANCE_SIZE_MAX + 1];
    for (size_t i = 0; i <= n; i++) d[i][0] = i;
    for (size_t j = 0; j <= m; j++) d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = least(replaced, 1 + least(d[i - 1][j], d[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

void text_mask_phone(struct buf *out, struct slice phone)
{
    enum { HEAD = 3, TAIL = 4, HIDDEN_MIN = 4 };
    size_t count = 0, at = 0;
    while (at < phone.size) {
        text_next(phone, &at);
        count++;
    }
    size_t shown = count > HIDDEN_MIN ? count - HIDDEN_MIN : 0;
    size_t tail = least(shown, TAIL), head = least(shown - tail, HEAD);
    at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t from = at;
        text_next(phone, &at);
        if (i < head || i >= count - tail)
            buf_append(out, phone.data + from, at - from);
        else
            buf_append_byte(out, '*');
    }
}

void text_mask_name(struct buf *out, struct slice name)
{
    size_t at = 0;
    if (name.size == 0) return;
    text_next(name, &at);
    buf_append(out, name.data, at);
    buf_append_text(out, "某");
}

enum err text_from_gb18030(struct buf *out, struct slice gb18030)
{
    if (gb18030.size == 0) return out->err;
    iconv_t convert = iconv_open("UTF-8", "GB18030");
    if (convert == (iconv_t)-1) return err_from_errno(errno);
    char *in = (char *)(uintptr_t)gb18030.data; /* iconv's prototype lacks the const */
    size_t left = gb18030.size;
    enum err e = OK;
    while (left > 0 && !e) {
        size_t room = 4096;
        uint8_t *to = buf_reserve(out, room);
        if (!to) break;
        char *at = (char *)to;
        if (iconv(convert, &in, &left, &at, &room) == (size_t)-1 && errno != E2BIG)
            e = ERR_MALFORMED;
        buf_advance(out, (size_t)(at - (char *)to));
    }
    iconv_close(convert);
    return e ? e : out->err;
}
