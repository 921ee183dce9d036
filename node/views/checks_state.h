#pragma once
/* What the files of the checks share: one run over everything. */
#include "node/views/checks.h"
#include "node/views/person.h"

struct unit_name {
    char text[65];
};
struct checking {
    struct views *views;
    struct txn *txn;
    bool (*each)(void *state, const struct check_flag *flag);
    void *state;
    bool stopped;
    enum err err;
    const struct bounds *bounds; /* of the rules */
    struct buf claims;           /* struct claim */
    struct buf box;              /* of the event at hand, opened */
    struct buf left;             /* struct left_person, by id */
    struct buf closed; /* struct unit_name: units that were abolished, and none is called so now */
};

/* Something that one thing alone may have. */
struct claim {
    enum check_code code;
    uint8_t digest[16]; /* of what is claimed */
    struct check_thing thing;
    char said[64];
};
/* `said`: may it be shown? */
void claim_add(struct checking *c, enum check_code code, struct slice value, enum thing_type type,
               const struct thing_key *key, bool said);

/* A volunteer who left, with the last day ("" where none is said). */
struct left_person {
    struct thing_id id;
    char on[11];
};
const struct left_person *left_find(const struct checking *c, const struct thing_id *id);

/* One person's part of a record of service, as it is compared with the others of that person. */
struct part {
    struct thing_id person;
    uint32_t start, end; /* minutes since 1970, as days of 1440; equal: not timed */
    uint32_t day, minutes;
    struct thing_key key;
};
/* Those of an attendance sheet or a single service, until `each` says false; none where the date is
 * none. */
void parts_each(struct slice fields, const struct thing_key *key,
                bool (*each)(void *state, const struct part *part), void *state);
void parts_day(char out[11], uint32_t day); /* "2022-11-08" */
/* `last_day`: "" where none is said. */
bool served_after_leaving(const struct part *part, const char *last_day);

void flag_give(struct checking *c, const struct check_flag *flag);
struct check_flag flag_of(enum check_code code, enum thing_type type, const struct thing_key *key);
void flag_say(struct check_flag *flag, struct slice text);

/* Latch errors in c->err. */
void checks_requests(struct checking *c);
void checks_people(struct checking *c);
void checks_services(struct checking *c);
void checks_points(struct checking *c);
void checks_twice(struct checking *c);
/* Is a unit of this name abolished, and none of the name in use? */
bool checks_unit_closed(struct txn *t, struct slice name);
/* For how many days a list is shown; 0: its dates are none. Are they fewer than the rules ask for?
 */
struct rules;
uint32_t checks_shown_days(struct slice publicity);
bool checks_shown_too_short(const struct rules *rules, struct slice publicity);
