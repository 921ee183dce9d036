#pragma once
/* What subject.correct works out when the old text is to be erased with it. */
#include "tools/doing.h"

/* With --erase-old: names the records that say what is corrected, and takes over into the new one
 * what else they say of name, phone, place and content, for a box goes whole. Within the recorder's
 * transaction. */
int subject_correcting_fill(struct doing *d, struct txn *t);
