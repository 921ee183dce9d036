#pragma once
/*
 * What every recording verb settles before it records: the clock, this device, who acts; and how
 * what was recorded is told.
 */
#include "node/views/request.h"
#include "tools/act.h"
#include "tools/cli.h"
#include "tools/output.h"

struct recording {
    struct clock_reading clock;
    struct device self; /* a copy */
    bool has_by;
    struct thing_id by;
};

/* Opens keys, store, views and recorder. Reports failures. */
int recording_begin(struct cli *cli, struct recording *r);
/* The clock as it stands now: for each commit of a long input. */
MUST_CHECK enum err recording_clock(struct cli *cli, struct clock_reading *out);
/* The scope of this device's own village; exit 2 at the township, which must name one (`flag`). */
int recording_own_scope(struct cli *cli, const struct recording *r, const char *flag,
                        struct scope *out);
/* Records one draft, signed and committed. Reports failures in a person's words. */
int recording_one(struct cli *cli, const struct recording *r, struct draft *draft,
                  struct recorded *out);
/* The same between recorder_begin and recorder_commit; ends the commit on failure. */
int recording_add(struct cli *cli, struct draft *draft, struct recorded *out);
/* The same for several in one commit: all of them or none. */
int recording_all(struct cli *cli, const struct recording *r, struct draft *drafts, size_t count,
                  struct recorded *out);
/* What the tools ask beyond the table of kinds and the recorder, before anything is signed and
 * wherever it comes from: what begins or is looked at again may not lie before the act, which is
 * `at` where that is stated, else now, and what was done not on a day after it; a phone must be
 * one. Errors: ERR_RANGE with *problem. */
MUST_CHECK enum err recording_check(const struct draft *draft, uint64_t now_ms,
                                    struct act_problem *problem);
/* An act that roles or the thing's state do not allow: why, how it stands, what comes next. */
int recording_impossible(struct cli *cli, enum err e, const struct draft *draft, const char *why);
/* Before anything is computed for it: exit 8 where this device has no role for the kind. */
int recording_may(struct cli *cli, const struct recording *r, const char *kind,
                  enum scope_class scope);
int recording_refused(struct cli *cli, const struct act_problem *problem);

/* The lane of a new request: urgent where its urgency is 3. */
uint8_t recording_request_lane(struct slice body);
/* "urgent", "normal", "intake". False for another word. */
const char *recording_lane_name(uint8_t lane);
bool recording_lane_parse(uint8_t *lane, const char *name);
/* DEVICE/scope/lane[/epoch] with the device's whole id. */
void recording_feed_print(struct buf *out, const struct feed *feed);
/* feed, seq, id, subject into a JSON object. */
void recording_describe(json_t *object, const struct recorded *recorded);
