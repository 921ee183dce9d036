#include "proto/kinds.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/i18n.h"

/* --- roles --- */

static const struct {
    enum role role;
    const char *name;
} roles_table[] = {
    {ROLE_AUTHORITY, "authority"}, {ROLE_VILLAGE, "village"}, {ROLE_DISPATCH, "dispatch"},
    {ROLE_CALLBACK, "callback"},   {ROLE_OFFICE, "office"},   {ROLE_FINANCE, "finance"},
    {ROLE_UNIT, "unit"},           {ROLE_MIRROR, "mirror"},   {ROLE_HUB, "hub"},
    {ROLE_RECOVERY, "recovery"},
};
#define ROLES_COUNT (sizeof roles_table / sizeof roles_table[0])

enum err role_parse(uint32_t *role, struct slice name)
{
    for (size_t i = 0; i < ROLES_COUNT; i++) {
        if (roles_table[i].role & ROLES_OF_KEYS || !slice_is_text(name, roles_table[i].name))
            continue;
        *role = roles_table[i].role;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* The part of `list` before the next separator; `list` becomes what follows it. */
static struct slice list_next(struct slice *list, char separator)
{
    const uint8_t *end = list->size ? memchr(list->data, separator, list->size) : NULL;
    struct slice part = slice_of(list->data, end ? (size_t)(end - list->data) : list->size);
    size_t used = part.size + (end ? 1 : 0);
    *list = used ? slice_of(list->data + used, list->size - used) : SLICE_EMPTY;
    return part;
}

enum err roles_parse(uint32_t *roles, struct slice list)
{
    uint32_t found = 0;
    if (list.size == 0 || list.data[list.size - 1] == ',') return ERR_MALFORMED;
    while (list.size) {
        uint32_t role;
        struct slice name = list_next(&list, ',');
        if (name.size == 0) return ERR_MALFORMED;
        enum err err = role_parse(&role, name);
        if (err) return err;
        if (found & role) return ERR_MALFORMED;
        found |= role;
    }
    *roles = found;
    return OK;
}

void roles_print(struct buf *out, uint32_t roles)
{
    const char *separator = "";
    for (size_t i = 0; i < ROLES_COUNT; i++) {
        if (!(roles & roles_table[i].role)) continue;
        buf_append_text(out, separator);
        buf_append_text(out, roles_table[i].name);
        separator = ",";
    }
}

/* --- lookups --- */

/* Faster than a strlen and a memcmp: most names differ in their first bytes. */
static bool name_is(const char *name, struct slice text)
{
    return text.size && name[0] == (char)text.data[0] &&
           strncmp(name, (const char *)text.data, text.size) == 0 && name[text.size] == 0;
}

static const struct kind_group *const groups[] = {
    &kinds_roster, &kinds_town, &kinds_request, &kinds_people, &kinds_points, &kinds_carry,
};

const struct kind *kind_at(size_t i)
{
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        if (i < groups[g]->count) return &groups[g]->kinds[i];
        i -= groups[g]->count;
    }
    return NULL;
}

/* Asked for every event that is folded: an open-addressed table by the FNV-1a hash of the name,
 * made at the first call. Every thread would make the same one. */
enum { INDEX_SLOTS = 256 };

static size_t name_slot(struct slice name)
{
    uint32_t h = UINT32_C(2166136261);
    for (size_t i = 0; i < name.size; i++) h = (h ^ name.data[i]) * UINT32_C(16777619);
    return (h ^ h >> 16) % INDEX_SLOTS;
}

const struct kind *kind_find(struct slice name)
{
    static const struct kind *slots[INDEX_SLOTS], *last; /* one is often asked for again */
    static bool made;
    if (last && name_is(last->name, name)) return last;
    if (!made) {
        const struct kind *k;
        for (size_t i = 0; (k = kind_at(i)) != NULL; i++) {
            size_t at = name_slot(slice_of_text(k->name));
            while (slots[at] && slots[at] != k) at = (at + 1) % INDEX_SLOTS;
            slots[at] = k;
        }
        made = true;
    }
    for (size_t at = name_slot(name); slots[at]; at = (at + 1) % INDEX_SLOTS)
        if (name_is(slots[at]->name, name)) return last = slots[at];
    return NULL;
}

/* --- types of things --- */

static const struct {
    const char *name, *zh, *en;
} thing_types[] = {
    [THING_NONE] = {"none", "", ""},
#define THING_TYPE_ROW(code, name_, zh_, en_) [code] = {name_, zh_, en_},
    THING_TYPES(THING_TYPE_ROW)
#undef THING_TYPE_ROW
        [THING_ANY] = {"any", "任何", "anything"},
};

const char *thing_type_name(enum thing_type type)
{
    return thing_types[type].name;
}

const char *thing_type_zh(enum thing_type type)
{
    return thing_types[type].zh;
}

const char *thing_type_en(enum thing_type type)
{
    return thing_types[type].en;
}

uint32_t kind_roles(const struct kind *k, enum scope_class scope)
{
    const uint32_t office = 1u << SCOPE_OFFICE;
    if (!(k->scopes & 1u << scope)) return 0;
    return scope == SCOPE_OFFICE && k->scopes != office ? k->roles & ~(uint32_t)ROLE_VILLAGE
                                                        : k->roles;
}

/* Asked for every field of every event, twice: a table like that of the kinds, over all fields. */
enum { FIELD_SLOTS_LOG2 = 10, FIELD_SLOTS = 1 << FIELD_SLOTS_LOG2 };

struct field_entry {
    const struct kind *kind; /* NULL: free */
    const struct field *field;
    struct slice name;
};

static size_t field_slot(const struct kind *k, struct slice name)
{
    uint64_t h = (uintptr_t)k, size = name.size;
    if (size) h ^= size << 48 | (uint64_t)name.data[0] << 40 | (uint64_t)name.data[size - 1] << 32;
    return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FIELD_SLOTS_LOG2));
}

static void fields_index(struct field_entry *slots)
{
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++)
        for (size_t f = 0; f < k->field_count; f++) {
            struct slice name = slice_of_text(k->fields[f].name);
            size_t at = field_slot(k, name);
            while (slots[at].kind && slots[at].field != &k->fields[f]) at = (at + 1) % FIELD_SLOTS;
            slots[at] = (struct field_entry){k, &k->fields[f], name};
        }
}

const struct field *kind_field_named(const struct kind *k, struct slice name)
{
    static struct field_entry slots[FIELD_SLOTS];
    static bool made;
    if (!made) fields_index(slots);
    made = true;
    for (size_t at = field_slot(k, name); slots[at].kind; at = (at + 1) % FIELD_SLOTS)
        if (slots[at].kind == k && slice_equal(slots[at].name, name)) return slots[at].field;
    return NULL;
}

const struct field *kind_field(const struct kind *k, const char *name)
{
    return kind_field_named(k, slice_of_text(name));
}

bool choice_has(const char *choices, struct slice value)
{
    struct slice rest = slice_of_text(choices);
    while (rest.size)
        if (slice_equal(list_next(&rest, '|'), value)) return true;
    return false;
}

static const struct {
    const char *name;
    enum mp_type wire;
    const char *wrong;
} field_types[] = {
    [FIELD_TEXT] = {"text", MP_STR, N_("is not text")},
    [FIELD_UINT] = {"uint", MP_UINT, N_("is not a whole number from 0 up")},
    [FIELD_BOOL] = {"bool", MP_BOOL, N_("is not true or false")},
    [FIELD_DATE] = {"date", MP_STR, N_("is not a date (YYYY-MM-DD)")},
    [FIELD_TIME] = {"time", MP_UINT, N_("is not a time in milliseconds since 1970")},
    [FIELD_CHOICE] = {"choice", MP_STR, N_("is not text")},
    [FIELD_CODE] = {"code", MP_STR, N_("is not text")},
    [FIELD_THING] = {"thing", MP_BIN, N_("is not an id of 16 bytes")},
    [FIELD_BYTES] = {"bytes", MP_BIN, N_("is not bytes")},
    [FIELD_LIST] = {"list", MP_ARRAY, N_("is not a list")},
    [FIELD_INT] = {"int", MP_UINT, N_("is not a whole number")},
    [FIELD_ROWS] = {"rows", MP_ARRAY, N_("is not a list of rows")},
};

const char *field_type_name(enum field_type type)
{
    return field_types[type].name;
}

/* --- checks: each returns what is wrong, NULL when nothing is --- */

static const char *check_size(size_t size, int64_t min, int64_t max)
{
    if (size < (uint64_t)min) return size == 0 ? N_("is empty") : N_("is too short");
    return size > (uint64_t)max ? N_("is too long") : NULL;
}

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.data[i] < '0' || s.data[i] > '9') return false;
    return true;
}

static const char *check_code(struct slice s, const struct field *f)
{
    if (!all_digits(s)) return N_("is not made of digits");
    bool fits = s.size >= (uint64_t)f->min && s.size <= (uint64_t)f->max;
    return fits ? NULL : N_("has the wrong number of digits");
}

static unsigned digits_value(struct slice s, size_t at, size_t count)
{
    unsigned value = 0;
    for (size_t i = 0; i < count; i++) value = value * 10 + (unsigned)(s.data[at + i] - '0');
    return value;
}

static bool is_date(struct slice s)
{
    static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (s.size != 10 || s.data[4] != '-' || s.data[7] != '-') return false;
    if (!all_digits(slice_of(s.data, 4)) || !all_digits(slice_of(s.data + 5, 2)) ||
        !all_digits(slice_of(s.data + 8, 2)))
        return false;
    unsigned year = digits_value(s, 0, 4), month = digits_value(s, 5, 2);
    unsigned day = digits_value(s, 8, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days[month - 1]) return false;
    return month != 2 || day < 29 || leap;
}

static const char *check_choice(struct slice s, const struct field *f)
{
    if (choice_has(f->choices, s) || (f->sealed && choice_has(f->sealed, s))) return NULL;
    return N_("is not one of the choices");
}

static const char *check_list(struct mp_reader *r, const struct field *f)
{
    size_t count = mp_read_array(r, SIZE_MAX);
    if (count < (uint64_t)f->min) return N_("has too few items");
    if (count > (uint64_t)f->max) return N_("has too many items");
    for (size_t i = 0; i < count; i++) {
        if (mp_peek(r) != MP_STR) return N_("has an item that is not text");
        if (check_size(mp_read_str(r, SIZE_MAX).size, 1, FIELD_LIST_ITEM_MAX))
            return N_("has an item that is empty or too long");
    }
    return NULL;
}

static const char *check_value(struct mp_reader *r, const struct field *f);

static const char *check_rows(struct mp_reader *r, const struct field *f)
{
    size_t count = mp_read_array(r, SIZE_MAX);
    if (count < (uint64_t)f->min) return N_("has too few rows");
    if (count > (uint64_t)f->max) return N_("has too many rows");
    for (size_t i = 0; i < count; i++) {
        if (mp_peek(r) != MP_ARRAY || mp_read_array(r, SIZE_MAX) != f->column_count)
            return N_("has a row with the wrong number of columns");
        for (size_t c = 0; c < f->column_count; c++) {
            if (!f->columns[c].required && mp_read_nil(r)) continue;
            if (check_value(r, &f->columns[c])) return N_("has a row with a wrong value");
        }
    }
    return NULL;
}

static const char *check_int(struct mp_reader *r, const struct field *f)
{
    if (mp_peek(r) == MP_UINT)
        return mp_read_uint(r, UINT64_MAX) > (uint64_t)f->max ? N_("is out of range") : NULL;
    if (mp_peek(r) != MP_INT) return field_types[FIELD_INT].wrong;
    return mp_read_int(r, INT64_MIN, -1) < f->min ? N_("is out of range") : NULL;
}

static const char *check_value(struct mp_reader *r, const struct field *f)
{
    if (f->type == FIELD_INT) return check_int(r, f);
    if (mp_peek(r) != field_types[f->type].wire) return field_types[f->type].wrong;
    uint64_t number;
    switch (f->type) {
    case FIELD_TEXT:
        return check_size(mp_read_str(r, SIZE_MAX).size, f->min, f->max);
    case FIELD_UINT:
        number = mp_read_uint(r, UINT64_MAX);
        return number < (uint64_t)f->min || number > (uint64_t)f->max ? N_("is out of range")
                                                                      : NULL;
    case FIELD_BOOL:
        (void)mp_read_bool(r);
        return NULL;
    case FIELD_DATE:
        return is_date(mp_read_str(r, SIZE_MAX)) ? NULL : field_types[FIELD_DATE].wrong;
    case FIELD_TIME:
        return mp_read_uint(r, UINT64_MAX) > HLC_MS_MAX ? N_("is out of range") : NULL;
    case FIELD_CHOICE:
        return check_choice(mp_read_str(r, SIZE_MAX), f);
    case FIELD_CODE:
        return check_code(mp_read_str(r, SIZE_MAX), f);
    case FIELD_THING:
        return mp_read_bin(r, SIZE_MAX).size == sizeof(struct thing_id)
                   ? NULL
                   : field_types[FIELD_THING].wrong;
    case FIELD_BYTES:
        return check_size(mp_read_bin(r, SIZE_MAX).size, f->min, f->max);
    case FIELD_LIST:
        return check_list(r, f);
    case FIELD_ROWS:
        return check_rows(r, f);
    case FIELD_INT:
        break;
    }
    return N_("is of no known type");
}

const char *field_check(const struct field *f, struct slice value)
{
    struct mp_reader r = mp_reader_of(value);
    return check_value(&r, f);
}

static enum err problem_set(struct kind_problem *problem, const char *field, const char *what)
{
    snprintf(problem->field, sizeof problem->field, "%s", field);
    problem->what = what;
    return ERR_RANGE;
}

/* One map, body or box. Sets a bit in *seen for each field met. */
static enum err check_map(const struct kind *k, struct slice map, bool personal, uint32_t *seen,
                          struct kind_problem *problem)
{
    struct mp_reader r = mp_reader_of(map);
    for (size_t left = mp_read_map(&r, SIZE_MAX); left > 0 && !r.err; left--) {
        struct slice key = SLICE_EMPTY;
        if (mp_peek(&r) == MP_STR)
            key = mp_read_str(&r, SIZE_MAX);
        else
            (void)mp_skip(&r);
        const struct field *f = kind_field_named(k, key);
        if (!f) {
            (void)mp_skip(&r);
            continue;
        }
        if (f->personal != personal)
            return problem_set(problem, f->name,
                               personal ? N_("belongs into the body")
                                        : N_("is personal and belongs into the box"));
        const char *what = check_value(&r, f);
        if (what) return problem_set(problem, f->name, what);
        *seen |= UINT32_C(1) << (f - k->fields);
    }
    return r.err ? problem_set(problem, "",
                               personal ? N_("box is not a map") : N_("body is not a map"))
                 : OK;
}

/* "solved=yes": does the body say so? */
static bool body_says(struct slice body, const char *condition)
{
    char name[32];
    size_t size = strcspn(condition, "=");
    struct mp_reader value;
    assert(size < sizeof name && condition[size]);
    memcpy(name, condition, size);
    name[size] = 0;
    const char *wanted = condition + size + 1;
    if (!body.size || !mp_map_get(body, name, &value)) return false;
    if (mp_peek(&value) == MP_BOOL) return mp_read_bool(&value) == (strcmp(wanted, "true") == 0);
    return mp_peek(&value) == MP_STR && slice_is_text(mp_read_str(&value, SIZE_MAX), wanted);
}

enum err kind_check(const struct kind *k, struct slice body, struct slice box, bool box_optional,
                    struct kind_problem *problem)
{
    assert(k->field_count <= KIND_FIELDS_MAX);
    uint32_t seen = 0;
    enum err err = body.size ? check_map(k, body, false, &seen, problem) : OK;
    if (!err && box.size) err = check_map(k, box, true, &seen, problem);
    if (err) return err;
    bool box_excused = box.size == 0 && box_optional;
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        if ((!f->required && !f->unless) || seen & UINT32_C(1) << i) continue;
        if (f->personal && box_excused) continue;
        if (f->unless && body_says(body, f->unless)) continue;
        return problem_set(problem, f->name, N_("is missing"));
    }
    return OK;
}

enum err kind_check_scope(const struct kind *k, enum scope_class scope, struct slice body,
                          struct kind_problem *problem)
{
    for (size_t i = 0; scope != SCOPE_OFFICE && i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        struct mp_reader value;
        if (!f->sealed || !mp_map_get(body, f->name, &value)) continue;
        if (choice_has(f->sealed, mp_read_str(&value, SIZE_MAX)))
            return problem_set(problem, f->name,
                               N_("must be sealed to the office and is not recorded in the open"));
    }
    return OK;
}
