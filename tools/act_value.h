#pragma once
/* One value as a person types it, for a field of the table of kinds: what it may be, and how it is
 * encoded. */
#include "proto/kinds.h"

/* What a field may hold: "1-3", "phone|visit (电话|上门)", "YYYY-MM-DD". */
void act_allowed(struct buf *out, const struct field *field);
/* Points, stored in tenths. */
bool act_is_tenths(const struct field *field);
/* Without the blanks around it. */
struct slice act_trimmed(struct slice text);
/* Writes `text` as one value of the field's type; false, with nothing written, where it cannot be
 * one: a date, a number, a choice in its own word or in Chinese, yes or no, hex, words with commas
 * between, points with one decimal (stored in tenths). Rows are not written here
 * (tools/act_rows.h). */
bool act_value_write(struct mp_writer *w, const struct field *field, struct slice text);
