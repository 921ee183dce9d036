#include "common/csv.h"

#include <csv.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"
#include "common/time.h"

/* --- guards --- */

static bool begins_formula(uint8_t c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

/* An apostrophe at the beginning is a guard, or looks like one. */
static bool has_apostrophe_guard(struct slice text)
{
    return text.size > 1 && text.data[0] == '\'' &&
           (begins_formula(text.data[1]) || text.data[1] == '\'');
}

static size_t digits_at(struct slice text, size_t at)
{
    size_t from = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') at++;
    return at - from;
}

/* "-12.5": a spreadsheet keeps it, and shows no other digits. */
static bool is_plain_number(struct slice text)
{
    enum { WHOLE_MAX = 10, DIGITS_MAX = 15 };
    size_t at = text.size > 0 && text.data[0] == '-';
    size_t whole = digits_at(text, at);
    if (whole == 0 || whole > WHOLE_MAX || (whole > 1 && text.data[at] == '0')) return false;
    at += whole;
    if (at == text.size) return true;
    size_t part = text.data[at] == '.' ? digits_at(text, at + 1) : 0;
    return part > 0 && whole + part <= DIGITS_MAX && at + 1 + part == text.size;
}

/* What a spreadsheet takes for a number, a date or a fraction of its own making. */
static bool must_stay_text(struct slice text)
{
    uint32_t day;
    size_t digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (c == 0 || !strchr("+-./eE", c))
            return false;
    }
    return digits > 0 && !is_plain_number(text) && time_parse_day(&day, text) != OK;
}

static struct slice without_guard(struct slice cell)
{
    if (has_apostrophe_guard(cell)) return slice_of(cell.data + 1, cell.size - 1);
    if (cell.size > 0 && cell.data[cell.size - 1] == '\t' &&
        must_stay_text(slice_of(cell.data, cell.size - 1)))
        cell.size--;
    return cell;
}

/* --- reading --- */

struct reading {
    bool (*each)(void *state, const struct csv_row *row, enum err err);
    void *state;
    struct slice file;
    size_t at;        /* of the next line */
    uint64_t line;    /* its number */
    size_t second_at; /* of the line after the one that the row began in */
    struct csv_row row;
    struct buf text; /* the row's cells one after another */
    size_t ends[CSV_COLUMNS_MAX];
    enum err row_err;
    bool stopped;
};

static void take_cell(void *cell, size_t size, void *state)
{
    struct reading *r = state;
    if (r->row.count == CSV_COLUMNS_MAX || r->text.size + size > LINE_SIZE_MAX) {
        r->row_err = ERR_LIMIT;
        return;
    }
    buf_append(&r->text, cell, size);
    r->ends[r->row.count++] = r->text.size;
}

static void take_row(int terminator, void *state)
{
    (void)terminator;
    struct reading *r = state;
    if (r->text.err) r->row_err = r->text.err;
    for (size_t i = 0, at = 0; i < r->row.count; at = r->ends[i++])
        r->row.cells[i] = without_guard(slice_of(r->text.data + at, r->ends[i] - at));
    if (!r->stopped && !r->each(r->state, &r->row, r->row_err)) r->stopped = true;
    buf_reset(&r->text);
    r->row.count = 0;
    r->row_err = OK;
}

static bool in_row(const struct csv_parser *parser, const struct reading *r)
{
    return r->row.count > 0 || parser->entry_pos > 0;
}

/* The row's quote is never closed: without this one stray quote would swallow the rest of the
 * file. The row is reported as bad, and reading goes on in the line after its beginning. */
static void give_row_up(struct csv_parser *parser, struct reading *r)
{
    r->row.count = 0;
    r->row_err = ERR_MALFORMED;
    take_row(-1, r);
    r->at = r->second_at;
    r->line = r->row.line + 1;
    csv_free(parser);
    csv_init(parser, CSV_APPEND_NULL);
}

/* libcsv does not count lines, and a quoted cell may hold some: it is fed line by line. */
static enum err feed_line(struct csv_parser *parser, struct reading *r)
{
    const uint8_t *from = r->file.data + r->at;
    size_t left = r->file.size - r->at;
    const uint8_t *end = memchr(from, '\n', left);
    size_t size = end ? (size_t)(end - from) + 1 : left;
    r->at += size;
    if (!in_row(parser, r)) {
        r->row.line = r->line;
        r->second_at = r->at;
    }
    r->line++;
    if (csv_parse(parser, from, size, take_cell, take_row, r) != size) return ERR_NOMEM;
    if (parser->entry_pos > LINE_SIZE_MAX) give_row_up(parser, r);
    return OK;
}

static enum err read_utf8(struct reading *r)
{
    struct csv_parser parser;
    enum err e = OK;
    if (csv_init(&parser, CSV_APPEND_NULL)) return ERR_NOMEM;
    while (!e && !r->stopped) {
        if (r->at < r->file.size) {
            e = feed_line(&parser, r);
            continue;
        }
        /* The end of the last line, which files often lack, ends every row but one in quotes. */
        if (csv_parse(&parser, "\n", 1, take_cell, take_row, r) != 1) e = ERR_NOMEM;
        if (e || !in_row(&parser, r)) break;
        give_row_up(&parser, r);
    }
    csv_free(&parser);
    return e;
}

enum err csv_read(struct slice file,
                  bool (*each)(void *state, const struct csv_row *row, enum err err), void *state)
{
    struct reading r = {.each = each, .state = state, .line = 1};
    struct buf converted = {.size_max = 2 * IMPORT_FILE_SIZE_MAX};
    enum err e = OK;
    if (file.size >= 3 && memcmp(file.data, CSV_MARK, 3) == 0)
        file = slice_of(file.data + 3, file.size - 3);
    if (!text_valid(file)) {
        e = text_from_gb18030(&converted, file);
        file = buf_slice(&converted);
    }
    r.file = file;
    if (!e) e = read_utf8(&r);
    buf_clear(&converted);
    buf_clear(&r.text);
    return e;
}

/* --- writing --- */

static void append_quoted(struct buf *out, struct slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.size && plain; i++)
        plain = text.data[i] > ' ' && text.data[i] != '"' && text.data[i] != ',';
    if (plain) {
        buf_append_slice(out, text);
        return;
    }
    size_t size = csv_write(NULL, 0, text.data, text.size);
    uint8_t *to = buf_reserve(out, size);
    if (!to) return;
    csv_write(to, size, text.data, text.size);
    buf_advance(out, size);
}

void csv_write_cell(struct buf *out, struct slice text, bool first)
{
    if (!first) buf_append_byte(out, ',');
    if (text.size == 0) return;
    bool formula = begins_formula(text.data[0]) && !is_plain_number(text);
    if (!formula && !has_apostrophe_guard(text)) {
        append_quoted(out, text);
        if (must_stay_text(text)) buf_append_byte(out, '\t');
        return;
    }
    struct buf guarded = {0};
    buf_append_byte(&guarded, '\'');
    buf_append_slice(&guarded, text);
    append_quoted(out, buf_slice(&guarded));
    if (guarded.err && !out->err) out->err = guarded.err;
    buf_clear(&guarded);
}
