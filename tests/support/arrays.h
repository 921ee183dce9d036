#pragma once
/* Encoded arrays with one thing wrong, for tests of readers. */
#include "proto/msgpack.h"

/* The first `keep` elements of an array, and text `more` after them (NULL: nothing). */
void array_cut(struct buf *out, const struct buf *array, size_t keep, const char *more);
/* The array with element `at` replaced by an encoded value. */
void array_replace(struct buf *out, const struct buf *array, size_t at, struct slice value);
