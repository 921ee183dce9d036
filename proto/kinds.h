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
    ROLE_HUB = 1 << 8,      /* accepts invites, gives official numbers; named in the roster */
    ROLE_RECOVERY = 1 << 9, /* the key on the sheet in the drawer: it replaces the authority */
};
#define ROLES_OF_KEYS (ROLE_AUTHORITY | ROLE_RECOVERY) /* never of a device */
#define ROLES_TOWNSHIP                                                                             \
    (ROLE_DISPATCH | ROLE_CALLBACK | ROLE_OFFICE | ROLE_FINANCE | ROLE_UNIT | ROLE_MIRROR |        \
     ROLE_HUB)

/* A role that a device can be given: none of ROLES_OF_KEYS. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err role_parse(uint32_t *role, struct slice name);
/* "dispatch,callback" into bits. Errors: ERR_MALFORMED (empty, a name twice), ERR_NOT_FOUND. */
MUST_CHECK enum err roles_parse(uint32_t *roles, struct slice list);
void roles_print(struct buf *out, uint32_t roles); /* the same form; unknown bits are left out */

/* Types of things, in the order of their numbers (SPEC 14.10): name, and what people call one. */
#define THING_TYPES(X)                                                                             \
    X(THING_TOWNSHIP, "township", "乡镇", "township")                                              \
    X(THING_VILLAGE, "village", "村(社区)", "village")                                             \
    X(THING_DEVICE, "device", "终端", "device")                                                    \
    X(THING_ACTOR, "actor", "经办人", "person")                                                    \
    X(THING_REQUEST, "request", "诉求", "request")                                                 \
    X(THING_RULE, "rule", "规则", "rule")                                                          \
    X(THING_CALENDAR, "calendar", "工作日历", "working calendar")                                  \
    X(THING_UNIT, "unit", "单位", "unit")                                                          \
    X(THING_DUTY, "duty", "晒单", "published duties")                                              \
    X(THING_TEAM, "team", "服务队", "team")                                                        \
    X(THING_VOLUNTEER, "volunteer", "志愿者", "volunteer")                                         \
    X(THING_CALL, "call", "号召", "call for helpers")                                              \
    X(THING_ACTIVITY, "activity", "活动", "activity")                                              \
    X(THING_SERVICE, "service", "服务记录", "service record")                                      \
    X(THING_ASSET, "asset", "设施", "asset")                                                       \
    X(THING_THANKS, "thanks", "感谢信", "letter of thanks")                                        \
    X(THING_NOTICE, "notice", "结果公开", "published result")                                      \
    X(THING_POINTS, "points", "积分单", "sheet of points")                                         \
    X(THING_PUBLICITY, "publicity", "公示", "public notice")                                       \
    X(THING_REDEEM, "redeem", "积分兑换", "redemption run")                                        \
    X(THING_HONOUR, "honour", "表彰", "honour")                                                    \
    X(THING_BENEFIT, "benefit", "优待推荐", "recommendation")                                      \
    X(THING_STAT, "stat", "统计", "figure")                                                        \
    X(THING_SEALED, "sealed", "密封件", "sealed record")                                           \
    X(THING_OFFICE_KEY, "office_key", "办公室密钥", "office key")                                  \
    X(THING_CONTINUATION, "continuation", "接续", "continuation")                                  \
    X(THING_COURIER, "courier", "捎带件", "file that somebody carries")

enum thing_type {
    THING_NONE,
#define THING_TYPE_ENUM(code, name, zh, en) code,
    THING_TYPES(THING_TYPE_ENUM)
#undef THING_TYPE_ENUM
        THING_TYPE_COUNT,
    THING_ANY = THING_TYPE_COUNT, /* only of a kind: it acts on things of every type */
};
/* "request"; "any"; "none". */
const char *thing_type_name(enum thing_type type);
/* What people call one: 诉求, "request". */
const char *thing_type_zh(enum thing_type type);
const char *thing_type_en(enum thing_type type);

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
    FIELD_INT,    /* min..max, may be below 0 */
    FIELD_ROWS,   /* array of min..max rows, each an array of one value a column */
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
    const char *choices;         /* "phone|visit|..." for FIELD_CHOICE */
    const char *unless;          /* "solved=yes": required unless that field has that value */
    const struct field *columns; /* of FIELD_ROWS: types but rows; one not required may be nil */
    size_t column_count;
    const char *sealed; /* FIELD_CHOICE: more of them, in scope `office` only (SPEC 13.4) */
};
/* What is wrong with an encoded, scanned value of this field: NULL for nothing. */
const char *field_check(const struct field *f, struct slice value);
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
#define KIND_COLUMNS_MAX 12
/* Kinds that belong together; each group stands in proto/kinds_<group>.c. */
struct kind_group {
    const struct kind *kinds;
    size_t count;
};
extern const struct kind_group kinds_roster, kinds_request, kinds_people, kinds_points, kinds_town,
    kinds_carry;

/* All kinds in the order of the table: 0, 1, ...; NULL at the end. */
const struct kind *kind_at(size_t i);
#define KIND_CONTINUED "feed.continued" /* begins the feed of a later life (SPEC 6.9) */
#define KIND_SEALED "sealed"            /* what is recorded for the office alone (SPEC 19) */
/* NULL when unknown. */
const struct kind *kind_find(struct slice name);
/* Who may author it in a scope of this class; 0: nobody. In `office` the role village gives a right
 * to kinds that stand nowhere else, and to no others: a village's words there are sealed. */
uint32_t kind_roles(const struct kind *k, enum scope_class scope);
const struct field *kind_field(const struct kind *k, const char *name);
const struct field *kind_field_named(const struct kind *k, struct slice name);

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
/* A choice that is for the office alone may not stand in another scope: the body of an event there
 * that kind_check took. Errors: ERR_RANGE with *problem filled. */
MUST_CHECK enum err kind_check_scope(const struct kind *k, enum scope_class scope,
                                     struct slice body, struct kind_problem *problem);
