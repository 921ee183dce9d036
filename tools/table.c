#include "tools/output.h"

#include "common/csv.h"
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The cells of the sample lie one after another in t->cells: size (4 bytes), then text. */

static struct slice next_cell(const struct table *t, size_t *at)
{
    uint32_t size;
    memcpy(&size, t->cells.data + *at, sizeof size);
    struct slice cell = slice_of(t->cells.data + *at + sizeof size, size);
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

static void print_header(const struct table *t)
{
    if (t->cli->csv) fputs(CSV_MARK, stdout);
    print_colour(t, COLOUR_BOLD);
    for (size_t i = 0; i < t->column_count; i++)
        print_cell(t, i, slice_of_text(_(t->columns[i].title)));
    print_colour(t, COLOUR_NONE);
    fputs(t->cli->csv ? CSV_ROW_END : "\n", stdout);
}

/* Prints cell `index` of all cells, with what belongs before and after it. */
static void print_in_row(const struct table *t, size_t index, struct slice text, enum colour colour)
{
    size_t column = index % t->column_count;
    if (column == 0 && colour) print_colour(t, colour);
    print_cell(t, column, text);
    if (column + 1 < t->column_count) return;
    if (colour) print_colour(t, COLOUR_NONE);
    fputs(t->cli->csv ? CSV_ROW_END : "\n", stdout);
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
    size_t at = 0;
    if (t->cli->csv || t->cell_count == 0 || width_of_all(t) <= TABLE_WIDTH) return;
    for (size_t i = 0; at < t->cells.size; i++) {
        size_t column = i % t->column_count;
        struct slice text = next_cell(t, &at);
        bool begins = i < t->column_count;
        if (begins) first[column] = text;
        empty[column] = (begins || empty[column]) && text.size == 0;
        same[column] = begins || (same[column] && slice_equal(first[column], text));
    }
    for (size_t i = 0; i < t->column_count; i++) t->hidden[i] = empty[i];
    for (size_t i = 0; i < t->column_count && width_of_all(t) > TABLE_WIDTH; i++)
        t->hidden[i] = t->hidden[i] || (same[i] && strcmp(t->columns[i].title, "village") == 0);
}

static void flush_sample(struct table *t)
{
    if (t->streaming) return;
    t->streaming = true;
    print_header(t);
    size_t at = 0;
    for (size_t i = 0; at < t->cells.size; i++) {
        struct slice text = next_cell(t, &at);
        print_in_row(t, i, text, (enum colour)t->colours.data[i / t->column_count]);
    }
    buf_clear(&t->cells);
    buf_clear(&t->colours);
}

void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t count)
{
    *t = (struct table){.cli = cli, .columns = columns, .column_count = count};
    for (size_t i = 0; i < count; i++) {
        size_t width = text_width(slice_of_text(_(columns[i].title)));
        t->widths[i] = width > columns[i].width_min ? width : columns[i].width_min;
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
    if (t->streaming) {
        print_in_row(t, t->cell_count, text, t->colour);
    } else {
        uint32_t size = (uint32_t)text.size;
        buf_append(&t->cells, &size, sizeof size);
        buf_append_slice(&t->cells, text);
        if (column == 0) buf_append_byte(&t->colours, (uint8_t)t->colour);
        size_t width = text_width(text);
        if (width > t->widths[column]) t->widths[column] = width;
    }
    t->cell_count++;
    if (t->cell_count % t->column_count == 0) t->colour = COLOUR_NONE;
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
