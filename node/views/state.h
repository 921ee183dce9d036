#pragma once
/* What the files of the views share: the handle, and folding one thing into its rows. */
#include "node/views/doc_numbers.h"
#include "node/views/fold.h"
#include "node/views/numbers.h"
#include "node/views/rules.h"

/* meta: how often the roster changed, and the keys of its hubs, one after the other */
#define META_ROSTER_CHANGES "roster.changes"
#define META_ROSTER_HUBS "roster.hubs"
#define META_ROSTER_AUTHORITIES "roster.authorities" /* of each key and recovery key */
#define META_RULES_CHANGES "rules.changes"           /* how often a rule or a calendar changed */
#define META_RULES_BOUND "rules.bound"               /* 1: some act is without effect by them */

struct views {
    struct roster *roster;   /* NULL: to be read */
    uint64_t roster_changes; /* META_ROSTER_CHANGES as of `roster` */
    uint64_t roster_txn;     /* serial of the transaction it was last compared in */
    struct rules *rules;     /* NULL: to be read */
    uint64_t rules_changes;  /* META_RULES_CHANGES as of `rules` */
    uint64_t rules_txn; /* serial of the transaction it was last compared in; 0: to be compared */
    struct sign_key device; /* this node's */
    struct fold fold;
    struct numbers_note numbers, officials, persons;
    struct doc_numbers doc_numbers;
};

/* In this order: the township, which says who the authorities are; the roster's other things, by
 * which all others are folded; what else is in `town`, for
 * the rules are there (PASS_RULES: they alone), by which the things of other scopes are folded. */
enum views_pass { PASS_TOWNSHIP, PASS_ROSTER, PASS_RULES, PASS_TOWN, PASS_REST };

/* Folds a thing if its type belongs to the pass and keeps its row and index rows. `*changed` is set
 * when its row changed. Numbers are noted, not flushed. Errors: as fold_thing. */
MUST_CHECK enum err views_fold_thing(struct views *v, struct txn *t, const struct thing_key *key,
                                     const struct event *sole, enum views_pass pass, bool *changed);
/* After rows of the roster changed: reads it again and tells other processes to. `*rights`: rights
 * of an author changed whose events may be folded already, and stay as they were set before. */
MUST_CHECK enum err views_roster_reload(struct views *v, struct txn *t, bool *rights);
/*
 * What counts is found from one beginning, so that it does not depend on what came first: all that
 * the roster takes from itself is given back (views_uncut; in `town` alone, where the roster is),
 * and then what the roster by that says does not count is taken away, and the roster folded without
 * it, until nothing changes or CUT_ROUNDS_MAX times (views_cut, once at least). Only keys that let
 * each other in go on for ever.
 * *out: the things that events were taken from or given back to; `more`: too many for once. Owned
 * by the caller: cut_things_clear. Errors: ERR_NOMEM, the transaction's.
 */
#define CUT_ROUNDS_MAX 8u
struct cut_things {
    struct touched *items;
    size_t count;
    bool more;
    enum err err;
};
MUST_CHECK enum err views_uncut(struct txn *t, struct cut_things *out);
MUST_CHECK enum err views_cut(struct views *v, struct txn *t, struct cut_things *out);
void cut_things_clear(struct cut_things *c);
/* Folds all things of `town` that belong to the pass. Errors: as views_fold_thing. */
MUST_CHECK enum err views_fold_town_all(struct views *v, struct txn *t, enum views_pass pass,
                                        bool *changed);
/* Keeps in meta whose feeds make up the roster. Errors: ERR_NOMEM. */
MUST_CHECK enum err views_authors_keep(struct txn *t, const struct roster *r);
/* Is what meta says of the authors of the roster what the roster gives? Errors: ERR_NOMEM, the
 * transaction's. */
MUST_CHECK enum err views_authors_compare(struct txn *t, const struct roster *r, bool *same);
/* What the next fold_thing reads besides events, as of this transaction. */
MUST_CHECK enum err views_fold_begin(struct views *v, struct txn *t);
/* After rows of rules or calendars may have changed: reads them again. `*altered`: what other
 * things fold to may be altered by it. */
MUST_CHECK enum err views_rules_follow(struct views *v, struct txn *t, bool *altered);
void views_numbers_flush(struct views *v, struct txn *t);
/* Where another version folded the rows: throws them away, folds the roster and leaves the rest to
 * a rebuild. Errors: as views_open. */
MUST_CHECK enum err views_rebuild_renew(struct views *v, struct store *s);
/* Sets the marker for folding everything again by roster and rules as they are now; rows stay until
 * then. */
void views_rebuild_refold(struct txn *t);
