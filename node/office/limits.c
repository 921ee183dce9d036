#include "node/office/limits.h"

#include <assert.h>

#include "common/time.h"
#include "proto/msgpack.h"

enum { NAME_SIZE_MAX = 16 };
#define HOUR_MS UINT64_C(3600000)

static const char *const step_names[] = {
#define LIMITS_NAME(step, name, amount, unit) [step] = name,
    LIMITS_LIST(LIMITS_NAME)
#undef LIMITS_NAME
};

static const char *const unit_names[] = {
    [LIMIT_WORKING_DAYS] = "wd", [LIMIT_DAYS] = "d", [LIMIT_HOURS] = "h"};

struct limits limits_default(void)
{
    return (struct limits){{
#define LIMITS_DEFAULT(step, name, amount, unit) [step] = {amount, unit},
        LIMITS_LIST(LIMITS_DEFAULT)
#undef LIMITS_DEFAULT
    }};
}

enum err limits_find_step(enum limit_step *out, struct slice name)
{
    for (size_t i = 0; i < LIMIT_STEP_COUNT; i++)
        if (slice_is_text(name, step_names[i])) {
            *out = (enum limit_step)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

static enum err find_unit(enum limit_unit *out, struct slice name)
{
    for (size_t i = 0; i < sizeof unit_names / sizeof unit_names[0]; i++)
        if (slice_is_text(name, unit_names[i])) {
            *out = (enum limit_unit)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

static enum err read_row(struct mp_reader *r, struct limits *limits, bool seen[LIMIT_STEP_COUNT])
{
    enum limit_step step;
    struct limit limit;
    size_t cells = mp_read_array(r, 3);
    struct slice name = mp_read_str(r, NAME_SIZE_MAX);
    limit.amount = (uint32_t)mp_read_uint(r, CALENDAR_AMOUNT_MAX);
    struct slice unit = mp_read_str(r, NAME_SIZE_MAX);
    if (r->err || cells != 3) return r->err ? r->err : ERR_MALFORMED;
    if (limits_find_step(&step, name) || find_unit(&limit.unit, unit)) return ERR_RANGE;
    if (seen[step]) return ERR_EXISTS;
    seen[step] = true;
    limits->of[step] = limit;
    return OK;
}

enum err limits_read(struct limits *out, struct slice body)
{
    struct mp_reader rows;
    struct limits limits = limits_default();
    bool seen[LIMIT_STEP_COUNT] = {false};
    if (!mp_map_get(body, "limits", &rows)) return ERR_MALFORMED;
    size_t count = mp_read_array(&rows, LIMIT_STEP_COUNT);
    enum err e = rows.err;
    for (size_t i = 0; i < count && !e; i++) e = read_row(&rows, &limits, seen);
    if (!e) *out = limits;
    return e;
}

void limits_due(const struct limits *limits, const struct calendar *cal, enum limit_step step,
                uint64_t start_ms, uint64_t *due_ms, bool *provisional)
{
    assert(step < LIMIT_STEP_COUNT);
    const struct limit *limit = &limits->of[step];
    *provisional = false;
    switch (limit->unit) {
    case LIMIT_WORKING_DAYS:
        calendar_due(cal, start_ms, limit->amount, due_ms, provisional);
        break;
    case LIMIT_DAYS:
        *due_ms = time_day_ms(time_day(start_ms) + limit->amount, CALENDAR_CLOSES_MINUTE);
        break;
    case LIMIT_HOURS:
        *due_ms = start_ms + limit->amount * HOUR_MS;
        break;
    }
}
