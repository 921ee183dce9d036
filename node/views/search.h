#pragma once
/*
 * Looking people up: a local index by phone, name and place over the boxes of requests and
 * volunteers.
 * It is no view: it says what stands in boxes that are held here, so nodes differ in it and no
 * digest covers it. Accusations, which stand in `office`, are left out. Rows of the scope that the
 * thing is in, without a value:
 *
 *   ROW_PHONE  digits of the phone from the last to the first ‖ 0 ‖ thing id
 *   ROW_NAME   name without blanks ‖ 0 ‖ thing id
 *   ROW_PLACE  place of a request without blanks, a long one hashed ‖ 0 ‖ thing id
 *   ROW_REF    a request's reference in its channel, a long one hashed ‖ 0 ‖ thing id
 *
 * Made lazily: meta "search.indexed" is the last arrival that was looked at. What arrived since,
 * the tail, is read from the log by each look-up, so recording and syncing pay nothing, and a
 * look-up never misses anything. Every name, phone and place that a thing ever had finds it; who
 * needs the one that holds now asks node/views/person.h.
 *
 * Where boxes are locked (node/store/locking.h) there is no index, for it would say in the clear
 * what they hide: each look-up opens the boxes of the whole log.
 */
#include "node/views/views.h"

#define SEARCH_TAIL_MAX 512u /* events read by a look-up gladly */
#define SEARCH_SLICE_EVENTS 4096u
#define SEARCH_DIGITS_MIN 4u /* of a phone: the tail that people say */

/* How many events a look-up would have to read. */
uint64_t search_behind(struct txn *t);
/* Indexes up to so many more in this transaction; false: there are no more. */
bool search_slice(struct txn *t, uint64_t events_max);
/* All of them, if more than SEARCH_TAIL_MAX are waiting, in transactions of their own. */
MUST_CHECK enum err search_catch_up(struct store *s);
/* Forgets it all; for who throws the rows away. */
void search_reset(struct txn *t);
/* Takes the rows away, up to so many in this transaction; false: there are no more. */
bool search_drop_slice(struct txn *t, uint64_t rows_max);
/* Takes out what the box of this record says of the thing: for who erases it, before and in the
 * same transaction. Where other boxes of the thing stay, search_again follows. No look-up ever
 * finds what is gone. */
void search_forget(struct txn *t, const struct thing_key *key, uint64_t arrival);
void search_again(struct txn *t, const struct thing_key *key);

struct search_hit {
    enum thing_type type; /* THING_REQUEST or THING_VOLUNTEER */
    struct thing_key key;
};
/* Does one of the phones in a field end with these digits? As search_phone has it. */
bool search_phone_ends(struct slice field, struct slice digits);

/* Whose phone ends with these digits (other characters are passed over; fewer than
 * SEARCH_DIGITS_MIN find nothing); whose name begins so. Each thing once, in order of scope and
 * founding, until `each` says false; things that have no row are left out. Errors: ERR_NOMEM, the
 * transaction's. */
MUST_CHECK enum err search_phone(struct txn *t, struct slice phone,
                                 bool (*each)(void *state, const struct search_hit *hit),
                                 void *state);
MUST_CHECK enum err search_name(struct txn *t, struct slice name,
                                bool (*each)(void *state, const struct search_hit *hit),
                                void *state);
/* Whose place is this one, or begins so; a long one exactly. */
MUST_CHECK enum err search_place(struct txn *t, struct slice place,
                                 bool (*each)(void *state, const struct search_hit *hit),
                                 void *state);
/* Which requests were registered with this reference (channel_ref), exactly. */
MUST_CHECK enum err search_reference(struct txn *t, struct slice reference,
                                     bool (*each)(void *state, const struct search_hit *hit),
                                     void *state);
