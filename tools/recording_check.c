#include "tools/recording.h"

#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/views/person.h"
#include "tools/words.h"

/* When something is looked at again, or begins: what lies behind the act cannot be meant. By when
 * something is due the recorder judges, with the rules at hand. */
static const struct moment_field {
    const char *kind, *field;
} ahead[] = {
    {"order.suspend", "review"},
    {"call.publish", "start"},
    {"call.update", "start"},
};

#define MINUTE_MS (60 * 1000)
#define DAY_MS (24 * 60 * MINUTE_MS)

/* What was received or done before it is recorded. */
static const struct moment_field behind[] = {
    {"request.register", "received"}, {"thanks.record", "received"}, {"service.log", "date"},
    {"attendance.record", "date"},    {"activity.record", "date"},
};

/* The field of this kind in such a table; NULL: none. */
static const struct field *field_in(const struct moment_field *table, size_t count,
                                    const struct kind *k)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].kind, k->name) == 0) return kind_field(k, table[i].field);
    return NULL;
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

static enum err check_phone(const struct field *f, struct slice map, struct act_problem *problem)
{
    struct mp_reader value;
    if (!map.size || !mp_map_get(map, f->name, &value) || mp_peek(&value) != MP_STR) return OK;
    struct slice phone = mp_read_str(&value, SIZE_MAX);
    return person_phone_usable(phone) ? OK : act_refuse(f, phone, problem);
}

/* In body or box. */
static enum err check_phones(const struct kind *k, const struct draft *draft,
                             struct act_problem *problem)
{
    const struct field *f = kind_field(k, "phone");
    enum err err = f ? check_phone(f, draft->body, problem) : OK;
    return f && !err ? check_phone(f, draft->box, problem) : err;
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

static enum err check_moments(const struct kind *k, const struct draft *draft, uint64_t now_ms,
                              struct act_problem *problem)
{
    struct mp_reader value;
    uint64_t act_ms = now_ms, ms;
    const struct field *f = field_in(ahead, sizeof ahead / sizeof ahead[0], k);
    if (f && mp_map_get(draft->body, "at", &value) && mp_peek(&value) == MP_UINT)
        act_ms = mp_read_uint(&value, UINT64_MAX);
    if (f && mp_map_get(draft->body, f->name, &value) && moment_of(f, &value, &ms) && ms < act_ms)
        return refuse_past(f, ms, act_ms, problem);
    f = field_in(behind, sizeof behind / sizeof behind[0], k);
    if (!f || !mp_map_get(draft->body, f->name, &value) || !moment_of(f, &value, &ms)) return OK;
    /* A date is its whole day: it has come with its first minute. */
    uint64_t slack_ms = f->type == FIELD_DATE ? DAY_MS : MINUTE_MS;
    return ms >= now_ms + slack_ms ? refuse_future(f, ms, now_ms, problem) : OK;
}

enum err recording_check(const struct draft *draft, uint64_t now_ms, struct act_problem *problem)
{
    const struct kind *k = kind_find(slice_of_text(draft->kind));
    if (!k || !draft->body.size) return OK;
    enum err err = check_moments(k, draft, now_ms, problem);
    return err ? err : check_phones(k, draft, problem);
}
