#pragma once
/*
 * A year of voluntary service in a test's township: volunteers, activities, what was verified,
 * sheets of points, what was made public, redemption runs. Each helper records one event that knows
 * all that was recorded before it, by a clerk; another person verifies. Dates are "2022-07-12".
 */
#include "tests/support/township.h"

/* Founds or acts (subject not NULL) with depth and seen of one who knows all events so far. `body`
 * and `box` as in township_act. Returns the thing's id. */
struct thing_id year_record(struct township *t, struct township_device *d, const char *kind,
                            const char *scope, const struct thing_id *subject, const char *body,
                            const char *box);

/* The clock stands at 09:00 of that day from now on. */
void year_go_to(struct township *t, const char *date);

struct thing_id year_volunteer(struct township *t, struct township_device *d, const char *number,
                               const char *name);
void year_consent(struct township *t, struct township_device *d, const struct thing_id *person,
                  bool gives);
struct thing_id year_activity(struct township *t, struct township_device *d, const char *date,
                              unsigned outcomes);
/* One attendance sheet of these people, each from 08:00 for `minutes`. */
struct thing_id year_attendance(struct township *t, struct township_device *d,
                                const struct thing_id *activity, const char *date,
                                const struct thing_id *people, size_t count, unsigned minutes);
struct thing_id year_service(struct township *t, struct township_device *d,
                             const struct thing_id *person, const char *date, unsigned minutes);
/* `rows`: JSON array of rows, NULL: as stated. */
void year_verify(struct township *t, struct township_device *d, const struct thing_id *service,
                 const char *decision, const char *rows);

/* A rule of type points with one row "hour": tenths an hour; or of type redeem. */
void year_points_rule(struct township *t, unsigned ver, const char *effective, const char *rows);
void year_redeem_rule(struct township *t, unsigned ver, const char *effective, const char *scheme);

/* A sheet by the hub of one entry each: tenths of points, by rule "hour", based on `basis` (NULL:
 * on nothing). */
struct thing_id year_award(struct township *t, const char *village, unsigned year,
                           const struct thing_id *people, const int *points, size_t count,
                           const struct thing_id *basis);
/* {"entry":n, …more} */
void year_on_entry(struct township *t, struct township_device *d, const char *kind,
                   const char *village, const struct thing_id *sheet, unsigned entry,
                   const char *more, const char *box);
/* `village` NULL: the whole township. The list's digest is zeros. */
struct thing_id year_publicity(struct township *t, struct township_device *d, unsigned year,
                               const char *village, const char *from, const char *to);

/* "{\"$bin\":\"…\"}" of an id; eight of them may be in use at a time. */
const char *year_bin(const struct thing_id *id);
const char *year_hex(const struct thing_id *id);
