#include "tools/output.h"

#include "common/csv.h"
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WRAPPED_WIDTH_MIN 6

/* The cells of the sample lie one after another in t->cells: size (4 bytes), then text. */

static struct slice next_cell(const uint8_t **at)
{
    uint32_t size;
    memcpy(&size, *at, sizeof size);
    struct slice cell = slice_of(*at + sizeof size, size);
    *at += sizeof size + size;
    return cell;
}

static size_t first_shown(const struct table *t)
{
    size_t column = 0;
    while (column < t->column_count && t->hidden[column]) column++;
    return column;
}

static size_t last_shown(const struct table *t)
{
    size_t column = t->column_count - 1;
    while (column > 0 && t->hidden[column]) column--;
    return column;
}

static void print_cell(const struct table *t, size_t column, struct slice text)
{
    struct buf shown = {0};
    if (t->hidden[column]) return;
    if (t->cli->csv) {
        csv_write_cell(&shown, text, column == 0);
    } else {
        bool last = column == last_shown(t);
        if (column > first_shown(t)) buf_append_byte(&shown, ' ');
        text_append_padded(&shown, text, last && !t->columns[column].right ? 0 : t->widths[column],
                           t->columns[column].right);
    }
    if (shown.size) fwrite(shown.data, 1, shown.size, stdout);
    buf_clear(&shown);
}

static void print_colour(const struct table *t, enum colour colour)
{
    if (!t->cli->csv) fputs(output_colour(t->cli, colour), stdout);
}

/* Takes from a cell what stands in the next line. */
static struct slice next_line(const struct table *t, size_t column, struct slice *rest)
{
    struct slice line = t->wrapped[column] ? text_line(*rest, t->widths[column]) : *rest;
    bool blank = line.size < rest->size && rest->data[line.size] == ' ';
    *rest = slice_of(rest->data + line.size + blank, rest->size - line.size - blank);
    return line;
}

/* One past the last column that has still something to say. */
static size_t columns_left(const struct table *t, const struct slice *rest)
{
    size_t count = t->column_count;
    while (count > 0 && (t->hidden[count - 1] || rest[count - 1].size == 0)) count--;
    return count;
}

/* One cell for each column, in as many lines as the wrapped ones need. */
static void print_lines(const struct table *t, struct slice rest[TABLE_COLUMNS_MAX],
                        enum colour colour)
{
    size_t columns = t->column_count;
    if (colour) print_colour(t, colour);
    do {
        for (size_t i = 0; i < columns; i++) print_cell(t, i, next_line(t, i, &rest[i]));
        columns = t->cli->csv ? 0 : columns_left(t, rest);
        if (columns) putchar('\n');
    } while (columns);
    if (colour) print_colour(t, COLOUR_NONE);
    fputs(t->cli->csv ? CSV_ROW_END : "\n", stdout);
}

static void print_header(const struct table *t)
{
    struct slice titles[TABLE_COLUMNS_MAX];
    if (t->cli->csv) fputs(CSV_MARK, stdout);
    for (size_t i = 0; i < t->column_count; i++) titles[i] = slice_of_text(_(t->columns[i].title));
    print_lines(t, titles, COLOUR_BOLD);
}

static void print_row(const struct table *t, const uint8_t *cells, enum colour colour)
{
    struct slice texts[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < t->column_count; i++) texts[i] = next_cell(&cells);
    print_lines(t, texts, colour);
}

static size_t width_of_all(const struct table *t)
{
    size_t width = 0;
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->hidden[i]) width += t->widths[i] + (width > 0);
    return width;
}

/* Leaves out what a screen can spare; only the whole table tells that. */
static void hide_what_says_nothing(struct table *t)
{
    struct slice first[TABLE_COLUMNS_MAX];
    bool empty[TABLE_COLUMNS_MAX], same[TABLE_COLUMNS_MAX];
    const uint8_t *at = t->cells.data;
    if (t->cli->csv || t->cell_count == 0 || width_of_all(t) <= TABLE_WIDTH) return;
    for (size_t i = 0; i < t->cell_count; i++) {
        size_t column = i % t->column_count;
        struct slice text = next_cell(&at);
        bool begins = i < t->column_count;
        if (begins) first[column] = text;
        empty[column] = (begins || empty[column]) && text.size == 0;
        same[column] = begins || (same[column] && slice_equal(first[column], text));
    }
    for (size_t i = 0; i < t->column_count; i++) t->hidden[i] = empty[i];
    for (size_t i = 0; i < t->column_count && width_of_all(t) > TABLE_WIDTH; i++)
        t->hidden[i] = t->hidden[i] || (same[i] && strcmp(t->columns[i].title, "village") == 0);
}

static bool may_wrap(const struct table *t, size_t column)
{
    return !t->hidden[column] && !t->columns[column].right &&
           t->widths[column] > t->word_widths[column];
}

/* The widest column gives way first, and no more than is needed. */
static void wrap_what_is_wide(struct table *t)
{
    for (size_t all; !t->cli->csv && (all = width_of_all(t)) > TABLE_WIDTH;) {
        size_t widest = t->column_count;
        for (size_t i = 0; i < t->column_count; i++)
            if (may_wrap(t, i) && (widest == t->column_count || t->widths[i] > t->widths[widest]))
                widest = i;
        if (widest == t->column_count) return;
        size_t excess = all - TABLE_WIDTH, spare = t->widths[widest] - t->word_widths[widest];
        t->widths[widest] -= excess < spare ? excess : spare;
        t->wrapped[widest] = true;
    }
}

static void flush_sample(struct table *t)
{
    if (t->streaming || t->cells.err || t->colours.err) return;
    t->streaming = true;
    wrap_what_is_wide(t);
    print_header(t);
    const uint8_t *at = t->cells.data;
    for (size_t row = 0; row < t->cell_count / t->column_count; row++) {
        print_row(t, at, (enum colour)t->colours.data[row]);
        for (size_t i = 0; i < t->column_count; i++) next_cell(&at);
    }
    buf_reset(&t->cells);
    buf_clear(&t->colours);
}

/* What stands together: numbers, dates, ids, and words that are not Chinese. */
static size_t longest_word(struct slice text)
{
    size_t longest = 0, size = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool ends = text.data[i] <= ' ' || text.data[i] == ',' || text.data[i] >= 0x80;
        size = ends ? 0 : size + 1;
        if (size > longest) longest = size;
    }
    return longest;
}

static void widen(struct table *t, size_t column, struct slice text)
{
    size_t width = text_width(text), word = longest_word(text);
    if (width > t->widths[column]) t->widths[column] = width;
    if (word > t->word_widths[column]) t->word_widths[column] = word;
}

void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t count)
{
    *t = (struct table){.cli = cli, .columns = columns, .column_count = count};
    for (size_t i = 0; i < count; i++) {
        t->widths[i] = columns[i].width_min;
        t->word_widths[i] = WRAPPED_WIDTH_MIN;
        widen(t, i, slice_of_text(_(columns[i].title)));
    }
}

void table_colour(struct table *t, enum colour colour)
{
    t->colour = colour;
}

void table_cell(struct table *t, struct slice text)
{
    size_t column = t->cell_count % t->column_count;
    if (column == 0 && t->cell_count == TABLE_SAMPLE_ROWS * t->column_count) flush_sample(t);
    uint32_t size = (uint32_t)text.size;
    buf_append(&t->cells, &size, sizeof size);
    buf_append_slice(&t->cells, text);
    t->cell_count++;
    bool ends = t->cell_count % t->column_count == 0;
    if (!t->streaming) {
        if (column == 0) buf_append_byte(&t->colours, (uint8_t)t->colour);
        widen(t, column, text);
    } else if (ends && !t->cells.err) {
        print_row(t, t->cells.data, t->colour);
        buf_reset(&t->cells);
    }
    if (ends) t->colour = COLOUR_NONE;
}

void table_cellf(struct table *t, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_cell(t, slice_of_text(text));
}

int table_end(struct table *t)
{
    enum err e = t->cells.err ? t->cells.err : t->colours.err;
    if (!e && !t->streaming) hide_what_says_nothing(t);
    if (!e) flush_sample(t);
    if (!e && t->cell_count == 0 && !t->cli->csv && !t->cli->quiet) puts(_("(none)"));
    buf_clear(&t->cells);
    buf_clear(&t->colours);
    return e || fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_OK;
}
