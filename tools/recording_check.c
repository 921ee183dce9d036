#include "tools/recording.h"

#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/views/person.h"
#include "tools/words.h"

/* When something is looked at again, or begins: what lies behind the act cannot be meant. By when
 * something is due the recorder judges, with the rules at hand. */
static const struct {
    const char *kind, *field;
} ahead[] = {
    {"order.suspend", "review"},
    {"call.publish", "start"},
    {"call.update", "start"},
};

#define MINUTE_MS (60 * 1000)
#define DAY_MS (24 * 60 * MINUTE_MS)

/* What was received or done before it is recorded. */
static const struct {
    const char *kind, *field;
} behind[] = {
    {"request.register", "received"}, {"thanks.record", "received"}, {"service.log", "date"},
    {"attendance.record", "date"},    {"activity.record", "date"},
};

static bool is_behind(const struct kind *k, const struct field *f)
{
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
        if (strcmp(behind[i].kind, k->name) == 0 && strcmp(behind[i].field, f->name) == 0)
            return true;
    return false;
}

static bool is_ahead(const struct kind *k, const struct field *f)
{
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++)
        if (strcmp(ahead[i].kind, k->name) == 0 && strcmp(ahead[i].field, f->name) == 0)
            return true;
    return false;
}

/* The moment that a time or the end of a date means; false where the value is neither, which the
 * table of kinds says next. */
static bool moment_of(const struct field *f, struct mp_reader *value, uint64_t *ms)
{
    uint32_t day;
    if (f->type == FIELD_TIME && mp_peek(value) == MP_UINT) {
        *ms = mp_read_uint(value, UINT64_MAX);
        return true;
    }
    if (f->type != FIELD_DATE || mp_peek(value) != MP_STR ||
        time_parse_day(&day, mp_read_str(value, SIZE_MAX)))
        return false;
    *ms = time_day_ms(day, 24 * 60 - 1);
    return true;
}

static enum err refuse_past(const struct field *f, uint64_t ms, uint64_t act_ms,
                            struct act_problem *problem)
{
    char then[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
    time_format(then, ms);
    time_format(now, act_ms);
    snprintf(problem->what, sizeof problem->what, _("%s: %s is past"), words_field(f), then);
    snprintf(problem->allowed, sizeof problem->allowed,
             _("after %s; where this machine's time is wrong: sidan clock"), now);
    return ERR_RANGE;
}

/* Each phone of a body or a box. */
static enum err check_phones(const struct kind *k, struct slice map, struct act_problem *problem)
{
    struct mp_reader value;
    for (size_t i = 0; map.size && i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        if (strcmp(f->name, "phone") != 0 || !mp_map_get(map, f->name, &value) ||
            mp_peek(&value) != MP_STR)
            continue;
        struct slice phone = mp_read_str(&value, SIZE_MAX);
        if (!person_phone_usable(phone)) return act_refuse(f, phone, problem);
    }
    return OK;
}

static enum err refuse_future(const struct field *f, uint64_t ms, uint64_t now_ms,
                              struct act_problem *problem)
{
    char then[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
    void (*format)(char *, uint64_t) = f->type == FIELD_DATE ? time_format_date : time_format;
    format(then, ms);
    format(now, now_ms);
    snprintf(problem->what, sizeof problem->what, _("%s: %s has not come yet"), words_field(f),
             then);
    snprintf(problem->allowed, sizeof problem->allowed,
             _("until %s; where this machine's time is wrong: sidan clock"), now);
    return ERR_RANGE;
}

enum err recording_check(const struct draft *draft, uint64_t now_ms, struct act_problem *problem)
{
    const struct kind *k = kind_find(slice_of_text(draft->kind));
    struct mp_reader value;
    uint64_t act_ms = now_ms, ms;
    if (!k || !draft->body.size) return OK;
    if (mp_map_get(draft->body, "at", &value) && mp_peek(&value) == MP_UINT)
        act_ms = mp_read_uint(&value, UINT64_MAX);
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        bool is_moment = f->type == FIELD_TIME || f->type == FIELD_DATE;
        if (is_moment && is_ahead(k, f) && mp_map_get(draft->body, f->name, &value) &&
            moment_of(f, &value, &ms) && ms < act_ms)
            return refuse_past(f, ms, act_ms, problem);
        /* A date is its whole day: it has come with its first minute. */
        uint64_t slack_ms = f->type == FIELD_DATE ? DAY_MS : MINUTE_MS;
        if (is_moment && is_behind(k, f) && mp_map_get(draft->body, f->name, &value) &&
            moment_of(f, &value, &ms) && ms >= now_ms + slack_ms)
            return refuse_future(f, ms, now_ms, problem);
    }
    enum err err = check_phones(k, draft->body, problem);
    return err ? err : check_phones(k, draft->box, problem);
}
