#include "tools/act_defaults.h"

#include <string.h>

static const struct {
    const char *kind, *field; /* kind NULL: of every kind */
    enum act_default value;
    const char *text;
} defaults[] = {
    {"request.register", "channel", ACT_DEFAULT_CHANNEL, NULL},
    {"request.register", "received", ACT_DEFAULT_NOW, NULL},
    {"request.register", "urgency", ACT_DEFAULT_TEXT, "1"},
    {"request.accept", "class", ACT_DEFAULT_TEXT, "general"},
    {"request.accept", "due", ACT_DEFAULT_RULES, NULL},
    {"order.issue", "due", ACT_DEFAULT_RULES, NULL},
    {"request.reopen", "due", ACT_DEFAULT_DUE, NULL},
    {"callback.record", "attempt", ACT_DEFAULT_ATTEMPT, NULL},
    {"callback.record", "method", ACT_DEFAULT_TEXT, "phone"},
    {"volunteer.register", "joined", ACT_DEFAULT_TODAY, NULL},
    {"volunteer.leave", "on", ACT_DEFAULT_TODAY, NULL},
    {"activity.record", "date", ACT_DEFAULT_TODAY, NULL},
    {"attendance.record", "category", ACT_DEFAULT_ACTIVITY, NULL},
    {"attendance.record", "date", ACT_DEFAULT_ACTIVITY, NULL},
    {"attendance.record", "method", ACT_DEFAULT_TEXT, "paper"},
    {"service.log", "date", ACT_DEFAULT_TODAY, NULL},
    {"duty.publish", "ver", ACT_DEFAULT_VERSION, NULL},
    {"unit.put", "type", ACT_DEFAULT_TEXT, "station"},
    {"subject.export", "asked_by", ACT_DEFAULT_TEXT, "self"},
    {"subject.correct", "asked_by", ACT_DEFAULT_TEXT, "self"},
    {"actor.revoke", "on", ACT_DEFAULT_TODAY, NULL},
    {"points.deduct", "year", ACT_DEFAULT_YEAR, NULL},
    {"honour.award", "year", ACT_DEFAULT_YEAR, NULL},
    {"honour.award", "rank", ACT_DEFAULT_LEDGER, NULL},
    {"honour.award", "points", ACT_DEFAULT_LEDGER, NULL},
    {"honour.award", "shown_name", ACT_DEFAULT_LEDGER, NULL},
    {"publicity.close", "objections", ACT_DEFAULT_LEDGER, NULL},
};

static bool is_of(const char *kind, const char *field, const struct kind *k, const struct field *f)
{
    return strcmp(field, f->name) == 0 && (!kind || strcmp(kind, k->name) == 0);
}

enum act_default act_default_of(const struct kind *k, const struct field *f, const char **text)
{
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (!is_of(defaults[i].kind, defaults[i].field, k, f)) continue;
        *text = defaults[i].text;
        return defaults[i].value;
    }
    return ACT_DEFAULT_NONE;
}

bool act_field_is_seldom(const struct kind *k, const struct field *f)
{
    static const struct {
        const char *kind, *field;
    } seldom[] = {
        {NULL, "at"},
        {NULL, "openid"},
        {NULL, "relation"},
        {NULL, "affected"},
        {"request.accept", "official_no"},
        {"order.report", "unit"},
        {"supervise.issue", "unit"},
    };
    for (size_t i = 0; i < sizeof seldom / sizeof seldom[0]; i++)
        if (is_of(seldom[i].kind, seldom[i].field, k, f)) return true;
    return false;
}

const char *act_field_skipped_when(const struct kind *k, const struct field *f)
{
    static const struct {
        const char *kind, *field, *when;
    } skipped[] = {
        {"callback.record", "contacted_in_time", "reached=false"},
        {"callback.record", "solved", "reached=false"},
        {"callback.record", "rating", "reached=false"},
        {"callback.record", "comment", "reached=false"},
        {"call.publish", "insurance_ref", "hazard=false"},
        {"volunteer.register", "guardian_ref", "minor=false"},
    };
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++)
        if (is_of(skipped[i].kind, skipped[i].field, k, f)) return skipped[i].when;
    return f->unless;
}
