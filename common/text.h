#pragma once
/*
 * UTF-8 text as people see it: validity, columns on a terminal, padding, spelling distance, names
 * and phones half hidden, and GB18030 from spreadsheets. Widths are wcwidth's and need the UTF-8
 * locale that i18n_start sets.
 */
#include "common/bytes.h"

/* One code point of `s` from *at on, which is moved past it; UINT32_MAX where the bytes are not
 * UTF-8 (*at moves by one). */
uint32_t text_next(struct slice s, size_t *at);
bool text_valid(struct slice s);

/* Columns on a terminal. What cannot be printed counts as the one `?` that text_append_shown
 * makes of it. */
size_t text_width(struct slice s);
/* Appends text for a terminal: control characters, escape sequences, invisible direction marks and
 * bad bytes become `?`, so no text from elsewhere can steer the terminal. Line ends become blanks.
 */
void text_append_shown(struct buf *out, struct slice s);
/* The same padded to `width` columns with blanks, on the left when `right`. Longer text stays. */
void text_append_padded(struct buf *out, struct slice s, size_t width, bool right);
/* The longest start of `s` that fits into `width` columns; ends on a code point. */
struct slice text_cut(struct slice s, size_t width);
/* The same for one line of several: before a blank or behind a comma or full stop where there
 * is one; never empty unless s is. */
struct slice text_line(struct slice s, size_t width);

/* The longest start of `s` that fits into `size` bytes with a NUL behind it; ends on a code point.
 */
void text_copy(char *out, size_t size, struct slice s);

/* Optimal string alignment (Damerau-Levenshtein without moved blocks) over code points, of words of
 * at most TEXT_DISTANCE_SIZE_MAX bytes; SIZE_MAX for longer ones. */
#define TEXT_DISTANCE_SIZE_MAX 32
size_t text_distance(const char *a, const char *b);

/* --- what may be seen by those who need not know the person --- */
/* "13812341234" as "138****1234": the first 3 and last 4 characters stay, a star for each of the
 * others. Of less than 11 the first ones go before the last, so that 4 are hidden; of 4 or less
 * nothing stays. */
void text_mask_phone(struct buf *out, struct slice phone);
/* The first character and 某: "邱某". Nothing stays nothing. */
void text_mask_name(struct buf *out, struct slice name);

/* Appends `gb18030` as UTF-8. Errors: ERR_MALFORMED, and the buffer's. */
MUST_CHECK enum err text_from_gb18030(struct buf *out, struct slice gb18030);
