#pragma once
/*
 * CSV tables, by libcsv: a header row, then rows of as many cells. Reads UTF-8 with or without a
 * byte order mark, and GB18030 as spreadsheets in Chinese write it (detected from the whole file:
 * what is not valid UTF-8 is taken as GB18030). Writes what WPS and Excel open right by a double
 * click: CSV_MARK first, CSV_ROW_END after each row, and cells guarded so that nobody's text is
 * taken for a formula and no code for a number. Reading takes the guards off again, so what was
 * exported, and saved by a spreadsheet, is imported as it was.
 */
#include "common/bytes.h"

#define CSV_COLUMNS_MAX 64

struct csv_row {
    uint64_t line;                       /* where the row begins in the file, from 1 */
    size_t count;                        /* cells given; may differ from the header's */
    struct slice cells[CSV_COLUMNS_MAX]; /* blanks around them are gone; borrowed for the call */
};

/* Calls back for the header row and then each row that is not blank; false stops without an error.
 * A bad row (too many cells, over LINE_SIZE_MAX: ERR_LIMIT; a quote that is never closed:
 * ERR_MALFORMED) comes with `err` set, and the rows after it go on.
 * Errors: ERR_MALFORMED (neither encoding), ERR_NOMEM. */
MUST_CHECK enum err csv_read(struct slice file,
                             bool (*each)(void *state, const struct csv_row *row, enum err err),
                             void *state);

/* U+FEFF, so that spreadsheets take the file for UTF-8. */
#define CSV_MARK "\xef\xbb\xbf"
#define CSV_ROW_END "\r\n"
/* Appends one cell, quoted where it must be. The guards:
 * - an apostrophe before text that begins with = + - @ tab or CR (but not before a negative
 *   number), and before an apostrophe that reading would take for a guard;
 * - a tab, which nobody sees, after what a spreadsheet would change into another number or a date:
 *   digits with a leading zero, 11 digits and more (phones, village codes), "03E-0127", "72/81",
 *   "2026-11". Shorter numbers and whole dates stay numbers and dates. */
void csv_write_cell(struct buf *out, struct slice text, bool first);
