#pragma once
/*
 * A request (诉求): its state machine as a table, its folded row, and lists over the rows.
 */
#include "node/views/views.h"

#define REQUEST_STATES(X)                                                                          \
    X(REQUEST_HELD, "held", "未见登记")                                                            \
    X(REQUEST_REGISTERED, "registered", "待受理")                                                  \
    X(REQUEST_AWAITING_INFO, "awaiting_info", "待补充")                                            \
    X(REQUEST_ACCEPTED, "accepted", "待交办")                                                      \
    X(REQUEST_ASSIGNED, "assigned", "待签收")                                                      \
    X(REQUEST_IN_PROGRESS, "in_progress", "办理中")                                                \
    X(REQUEST_OBJECTED, "objected", "退单待裁定")                                                  \
    X(REQUEST_SUSPENDED, "suspended", "挂起")                                                      \
    X(REQUEST_REPORTED, "reported", "待回访")                                                      \
    X(REQUEST_CLOSED, "closed", "已办结")                                                          \
    X(REQUEST_DECLINED, "declined", "不予受理")                                                    \
    X(REQUEST_MERGED, "merged", "已并案")                                                          \
    X(REQUEST_WITHDRAWN, "withdrawn", "已撤回")                                                    \
    X(REQUEST_ARCHIVED, "archived", "已归档")

enum request_state {
#define REQUEST_STATE_ENUM(code, name, zh) code,
    REQUEST_STATES(REQUEST_STATE_ENUM)
#undef REQUEST_STATE_ENUM
        REQUEST_STATE_COUNT
};
const char *request_state_name(enum request_state s);
const char *request_state_zh(enum request_state s);
MUST_CHECK enum err request_state_parse(enum request_state *out, struct slice name);

enum { REQUEST_SUPPORTS_MAX = 8 };

/* The steps that have a deadline of their own besides the due date of the whole. */
enum request_clock {
    CLOCK_ACCEPT,
    CLOCK_ISSUE,
    CLOCK_SIGN,
    CLOCK_CONTACT,
    CLOCK_CALLBACK,
    REQUEST_CLOCK_COUNT
};
/* Was a step done by the deadline that was in force then? Unknown: not done, or none was stated. */
enum request_timing { TIMING_UNKNOWN, TIMING_IN_TIME, TIMING_LATE };
enum request_solved { SOLVED_UNKNOWN, SOLVED_YES, SOLVED_PART, SOLVED_NO };

/* The row of stage 1 (SPEC 14.10), decoded; slices borrowed from the row. Moments are milliseconds,
 * 0: none. A moment of an act is the act's own time where the township acted, and the time that it
 * states (`at`, else its own) where a village did. */
struct request {
    /* What lists need; all that requests_each reads when it is asked to be brief. */
    enum request_state state;
    struct slice number;          /* 03A-0127, as registered */
    struct slice official_number; /* the hub's, empty before acceptance */
    char village[13];             /* "" in the office's own scope */
    struct slice channel, nature, category;
    uint32_t urgency;    /* 1..3 */
    struct slice class;  /* simple, general, complex, petition; empty before acceptance */
    bool township;       /* handled at township level; else 村级自办 */
    struct slice holder; /* responsible unit, as the newest order names it */
    uint64_t registered_ms;
    uint64_t due_ms;                            /* of the whole */
    uint64_t next_due_ms;                       /* of the step that it waits for */
    uint64_t review_ms;                         /* suspended: when it is to be looked at again */
    uint32_t supervised;                        /* 督办: 0 none, 1 yellow, 2 red */
    bool due_provisional, next_due_provisional; /* past the calendar that was known */
    bool both_changed; /* 两边都改过: no township act has seen it yet */

    bool number_due; /* accepted by a township device that gives no number: the hub does */
    struct slice channel_ref;
    struct {
        struct slice unit;
        bool reported;
    } supports[REQUEST_SUPPORTS_MAX];
    size_t support_count;
    uint32_t rules; /* version of the limits; 0: not stated */
    uint64_t received_ms, accepted_ms, issued_ms, signed_ms;
    uint64_t contacted_ms; /* the first that reached the person after the order */
    uint64_t reported_ms;  /* the newest */
    uint64_t closed_ms, escalated_ms;
    enum request_timing timing[REQUEST_CLOCK_COUNT];
    bool untrusted; /* one of the moments comes from an act whose clock was not trusted */
    uint64_t suspended_since_ms, suspended_total_ms;
    uint64_t extend_to_ms;     /* asked for and not decided */
    bool extended;             /* this order once was */
    uint32_t rounds;           /* how often it was reopened */
    uint32_t objections;       /* how often it was sent back */
    bool answered;             /* at once, without an order */
    struct thing_id signer_by; /* who signed for it; zero before */
    bool has_reporter, reporter_has_by;
    struct sign_key reporter; /* device and person of the newest report or answer */
    struct thing_id reporter_by;
    /* of the callbacks since the newest report */
    uint32_t callbacks_failed; /* attempts that reached nobody */
    uint32_t failed_first_day, failed_last_day;
    bool callback_reached;
    enum request_solved solved;            /* as the person says */
    enum request_timing contacted_in_time; /* as the person says */
    uint32_t rating;                       /* 0: none */
    struct slice result;                   /* of the close */
    bool public;
    struct thing_id merged_into; /* zero: none */
    struct slice archive_number;
    uint32_t events, effective;
};
MUST_CHECK enum err request_row_read(struct request *out, struct slice row);
/* Errors: ERR_NOT_FOUND (not held, or its founding event is not), ERR_CORRUPT. */
MUST_CHECK enum err request_get(struct txn *t, const struct thing_key *key, struct request *out);
/* Something is still to be done about it. */
bool request_is_open(const struct request *r);
/* When something is due next: the earlier of due and next_due; the review while it is suspended.
 * UINT64_MAX where nothing is, or it is not open. */
uint64_t request_next_moment(const struct request *r);

/* 红 超期, 黄 soon due, 绿 normal, 灰 suspended; of one that is not open: normal. A suspended one
 * whose review has passed is overdue. `soon_until_ms`: what is due by then is due soon. */
enum request_light { LIGHT_OVERDUE, LIGHT_SOON, LIGHT_NORMAL, LIGHT_SUSPENDED };
enum request_light request_light(const struct request *r, uint64_t now_ms, uint64_t soon_until_ms);

/* What somebody does or means to do about a request. Borrowed. */
struct request_act {
    struct slice kind;
    uint32_t roles;              /* roster_roles of the author */
    const struct roster *roster; /* NULL: it is no correction */
    struct sign_key author;      /* roster_name of who does it */
    bool has_by;
    struct thing_id by;
    struct thing_id thing; /* the request */
    uint64_t time_ms;      /* its own time */
    bool untrusted;        /* the clock of that time */
    struct slice body;
};
/* May this act be done to the request as it stands? The fold asks the same, so the recorder refuses
 * what would have no effect before it signs. `*next`: the state after it. On an error `*why` is
 * static English text. Errors: ERR_FORBIDDEN (role), ERR_STATE (state or guard). */
MUST_CHECK enum err request_may(const struct request *r, const struct request_act *act,
                                enum request_state *next, const char **why);
/* Why a correction (correct.entry) that is good in itself may not be made to a request; NULL: it
 * may. Static English text. */
struct correction;
const char *request_refuses_correction(const struct correction *c);

/* Lists: calls back for each request of a scope; when scope_number is 0, of all scopes but
 * `office`, or, of `accusations`, in `office` alone: they are counted apart. */
struct request_filter {
    uint32_t scope_number;
    bool accusations;
    bool any_state;
    enum request_state state;
    bool open_only;
    bool brief;             /* read only the first part of struct request; the rest is zero */
    uint64_t overdue_at_ms; /* 0: do not ask; else open and its next moment before */
    uint64_t since_ms;      /* registered at or after */
};
MUST_CHECK enum err requests_each(struct txn *t, const struct request_filter *filter,
                                  bool (*each)(void *state, const struct thing_key *key,
                                               const struct request *r),
                                  void *state);
/* By 03A-0127 or the official number, in any scope; a volunteer by 03AV-0012 too.
 * Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err request_find_number(struct txn *t, struct slice number, struct thing_key *out);
/* Open and overdue (next moment before now) of a scope: a count that is kept, and a walk over the
 * overdue ones. */
MUST_CHECK enum err requests_count_open(struct txn *t, uint32_t scope_number, uint64_t now_ms,
                                        uint64_t *open, uint64_t *overdue);
/* Requests whose official number is due: calls back with each thing until it says false. Nothing
 * may be written meanwhile. */
MUST_CHECK enum err requests_each_unnumbered(struct txn *t,
                                             bool (*each)(void *state, const struct thing_key *key),
                                             void *state);
/* The next village number (03A-0127) for this device: one more than the greatest it gave or
 * recorded. It counts as given when this transaction commits. Errors: ERR_NOT_FOUND (the device's
 * village is not in the roster), the transaction's. */
MUST_CHECK enum err request_next_number(struct txn *t, const struct roster *roster,
                                        const struct device *device, char out[16]);
/* The next number of this township device's series of accusations, the same way: JB-0001 at the
 * hub, JBC-0001 at device C. */
MUST_CHECK enum err request_next_accusation(struct txn *t, const struct device *device,
                                            char out[16]);
/* The next official number of the hub (2026-0001), the same way. */
MUST_CHECK enum err request_next_official(struct txn *t, uint32_t year, char out[16]);
