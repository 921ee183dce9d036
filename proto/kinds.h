#pragma once
/*
 * The kinds of events as one table: names in Chinese and English, fields with type and range,
 * which are personal (box), who may author them, in which scope, and what kind of thing they are
 * about. Recording, validation, help, `sidan kinds` and SPEC's table come from it.
 */
#include "proto/event.h"

enum role {
    ROLE_AUTHORITY = 1 << 0, /* the township authority's own feed */
    ROLE_VILLAGE = 1 << 1,
    ROLE_DISPATCH = 1 << 2,
    ROLE_CALLBACK = 1 << 3,
    ROLE_OFFICE = 1 << 4,
    ROLE_FINANCE = 1 << 5,
    ROLE_UNIT = 1 << 6,
    ROLE_MIRROR = 1 << 7,
    ROLE_HUB = 1 << 8, /* accepts invites, gives official numbers; named in the roster */
};
#define ROLES_TOWNSHIP                                                                             \
    (ROLE_DISPATCH | ROLE_CALLBACK | ROLE_OFFICE | ROLE_FINANCE | ROLE_UNIT | ROLE_MIRROR |        \
     ROLE_HUB)

/* One bit: "authority", "village", "dispatch", ...; "?" for a bit of a later version. */
const char *role_name(enum role role);
/* A role that a device can be given: every one but the authority's. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err role_parse(uint32_t *role, struct slice name);
/* "dispatch,callback" into bits. Errors: ERR_MALFORMED (empty, a name twice), ERR_NOT_FOUND. */
MUST_CHECK enum err roles_parse(uint32_t *roles, struct slice list);
void roles_print(struct buf *out, uint32_t roles); /* the same form; unknown bits are left out */

enum thing_type {
    THING_NONE,
    THING_TOWNSHIP,
    THING_VILLAGE,
    THING_DEVICE,
    THING_ACTOR,
    THING_REQUEST,
    THING_TYPE_COUNT,
};

enum field_type {
    FIELD_TEXT, /* str, min..max bytes */
    FIELD_UINT, /* min..max */
    FIELD_BOOL,
    FIELD_DATE,   /* "YYYY-MM-DD" */
    FIELD_TIME,   /* uint, milliseconds since 1970 */
    FIELD_CHOICE, /* str, one of `choices` */
    FIELD_CODE,   /* str of digits, min..max of them */
    FIELD_THING,  /* bin 16 */
    FIELD_BYTES,  /* bin, min..max bytes */
    FIELD_LIST,   /* array of min..max str, each 1..FIELD_LIST_ITEM_MAX bytes */
};
#define FIELD_LIST_ITEM_MAX 64
const char *
field_type_name(enum field_type type); /* as SPEC's table says it: "text", "uint", ... */

struct field {
    const char *name; /* key in body or box */
    const char *zh;
    const char *en;
    enum field_type type;
    bool required;
    bool personal; /* lives in the box */
    int64_t min, max;
    const char *choices; /* "phone|visit|..." for FIELD_CHOICE */
    const char *sealed;  /* FIELD_CHOICE: more of them, refused here: for sealed events only */
};
/* Is `value` one of "a|b|c"? */
bool choice_has(const char *choices, struct slice value);

struct kind {
    const char *name; /* "request.register" */
    const char *zh;
    const char *en;
    enum thing_type thing;
    bool founding;
    uint32_t roles;  /* who may author it */
    uint32_t scopes; /* bits 1 << enum scope_class */
    const struct field *fields;
    size_t field_count;
};

#define KIND_FIELDS_MAX 24
extern const struct kind kinds[]; /* proto/kinds_table.c */
extern const size_t kinds_count;

/* NULL when unknown. */
const struct kind *kind_find(struct slice name);
const struct field *kind_field(const struct kind *k, const char *name);

/* The first thing wrong with an event of this kind, for people and for the history's mark. */
struct kind_problem {
    char field[32];   /* "" where it is not about a field */
    const char *what; /* static English text: "is missing", "is out of range", ... */
};
/* Checks body and box against the table: encoded, scanned maps; empty: absent. `box_optional`: an
 * absent box is no fault (it was erased or never held), so personal fields are not asked for. Keys
 * not in the table are allowed: a later version may know them; a known field in the wrong one of
 * the two is not, for then a name would stand where it cannot be erased. Walks each map once and
 * allocates nothing. Errors: ERR_RANGE with *problem filled. */
MUST_CHECK enum err kind_check(const struct kind *k, struct slice body, struct slice box,
                               bool box_optional, struct kind_problem *problem);
