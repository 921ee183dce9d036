#pragma once
/*
 * A request (诉求): its state machine as a table, its folded row, and lists over the rows.
 */
#include "node/views/views.h"

#define REQUEST_STATES(X)                                                                          \
    X(REQUEST_HELD, "held", "未见登记")                                                            \
    X(REQUEST_REGISTERED, "registered", "待受理")                                                  \
    X(REQUEST_ACCEPTED, "accepted", "待交办")                                                      \
    X(REQUEST_ASSIGNED, "assigned", "待签收")                                                      \
    X(REQUEST_IN_PROGRESS, "in_progress", "办理中")                                                \
    X(REQUEST_REPORTED, "reported", "待回访")                                                      \
    X(REQUEST_CLOSED, "closed", "已办结")

enum request_state {
#define REQUEST_STATE_ENUM(code, name, zh) code,
    REQUEST_STATES(REQUEST_STATE_ENUM)
#undef REQUEST_STATE_ENUM
        REQUEST_STATE_COUNT
};
const char *request_state_name(enum request_state s);
const char *request_state_zh(enum request_state s);
MUST_CHECK enum err request_state_parse(enum request_state *out, struct slice name);

/* The row of stage 1, decoded; slices borrowed from the row.
 *
 * Rows (for SPEC): table 't', key = type (1 byte: 5) ‖ thing id, value = canonical msgpack array
 *
 *    0 state         uint, as in REQUEST_STATES (held is never written)
 *    1 number        str, village number as registered ("" where none)
 *    2 official      str, the hub's number ("" before acceptance)
 *    3 village       str, code ("" where none)
 *    4 channel, 5 nature, 6 category   str; category as of the newest effective act that names one
 *    7 urgency       uint, 0 where not stated
 *    8 received      uint, milliseconds, as stated; 9 registered: ms of the founding event's time
 *   10 due           uint, milliseconds, 0: none
 *   11 holder        str, responsible unit as the order names it
 *   12 signer        nil | bin 16: `by` of the effective order.sign
 *   13 township      bool: accepted or ordered by the township (else the village handles it itself)
 *   14 reporter      nil | [author bin 32, by nil | bin 16] of the newest effective order.report
 *   15 callback      [failed uint, first failed day uint, last failed day uint, reached bool,
 *                    solved uint (enum request_solved), rating uint] of this round;
 *                    day: whole days since 1970 in UTC+8
 *   16 result        str, of the close
 *   17 both changed  bool
 *   18 events        uint, held of this request; 19 effective: uint, of them with effect
 */
enum request_solved { SOLVED_UNKNOWN, SOLVED_YES, SOLVED_PART, SOLVED_NO };

struct request {
    enum request_state state;
    struct slice number;          /* 03A-0127, as registered */
    struct slice official_number; /* the hub's, empty before acceptance */
    char village[13];
    struct slice channel, nature, category;
    uint32_t urgency; /* 1..3 */
    uint64_t received_ms, registered_ms;
    uint64_t due_ms;           /* 0: none */
    struct slice holder;       /* responsible unit, as the order names it */
    struct thing_id signer_by; /* who signed for it; zero before */
    bool township;             /* handled at township level; else 村级自办 */
    bool has_reporter, reporter_has_by;
    struct sign_key reporter; /* device and person of the newest report */
    struct thing_id reporter_by;
    uint32_t callbacks_failed; /* attempts of this round that reached nobody */
    uint32_t failed_first_day, failed_last_day;
    bool callback_reached;      /* a visit reached the person in this round */
    enum request_solved solved; /* as the person said then */
    uint32_t rating;            /* 0: none */
    struct slice result;        /* of the close */
    bool both_changed;          /* 两边都改过: no township act has seen it yet */
    uint32_t events, effective;
};
MUST_CHECK enum err request_row_read(struct request *out, struct slice row);
/* Errors: ERR_NOT_FOUND (not held, or its founding event is not), ERR_CORRUPT. */
MUST_CHECK enum err request_get(struct txn *t, const struct thing_key *key, struct request *out);
bool request_is_open(const struct request *r);

/* What somebody does or means to do about a request. Borrowed. */
struct request_act {
    struct slice kind;
    uint32_t roles; /* roster_roles of the author */
    struct sign_key author;
    bool has_by;
    struct thing_id by;
    uint64_t time_ms;
    struct slice body;
};
/* May this act be done to the request as it stands? The fold asks the same, so the recorder refuses
 * what would have no effect before it signs. `*next`: the state after it. On an error `*why` is
 * static English text. Errors: ERR_FORBIDDEN (role), ERR_STATE (state or guard). */
MUST_CHECK enum err request_may(const struct request *r, const struct request_act *act,
                                enum request_state *next, const char **why);

/* Lists: calls back for each request of a scope; when scope_number is 0, of all scopes but
 * `office`, or, of `accusations`, in `office` alone: they are counted apart. */
struct request_filter {
    uint32_t scope_number;
    bool accusations;
    bool any_state;
    enum request_state state;
    bool open_only;
    uint64_t overdue_at_ms; /* 0: do not ask; else open and due before */
    uint64_t since_ms;      /* registered at or after */
};
MUST_CHECK enum err requests_each(struct txn *t, const struct request_filter *filter,
                                  bool (*each)(void *state, const struct thing_key *key,
                                               const struct request *r),
                                  void *state);
/* By 03A-0127 or the official number, in any scope; a volunteer by 03AV-0012 too.
 * Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err request_find_number(struct txn *t, struct slice number, struct thing_key *out);
/* Open and overdue of a scope at a time: a count that is kept, and a walk over the overdue ones. */
MUST_CHECK enum err requests_count_open(struct txn *t, uint32_t scope_number, uint64_t now_ms,
                                        uint64_t *open, uint64_t *overdue);
/* The next village number (03A-0127) for this device: one more than the greatest it gave or
 * recorded. It counts as given when this transaction commits. Errors: ERR_NOT_FOUND (the device's
 * village is not in the roster), the transaction's. */
MUST_CHECK enum err request_next_number(struct txn *t, const struct roster *roster,
                                        const struct device *device, char out[16]);
/* The next number of the township's own series of accusations (JB-0001), the same way. */
MUST_CHECK enum err request_next_accusation(struct txn *t, char out[16]);
/* The next official number of the hub (2026-0001), the same way. */
MUST_CHECK enum err request_next_official(struct txn *t, uint32_t year, char out[16]);
