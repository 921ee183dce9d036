#include "tests/support/service_year.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "service year: %s\n", what);
    abort();
}

static const char *text_of(const struct thing_id *id, const char *before, const char *after)
{
    static char texts[8][64];
    static unsigned next;
    char *text = texts[next++ % 8], hex[sizeof id->bytes * 2 + 1];
    hex_encode(hex, id->bytes, sizeof id->bytes);
    snprintf(text, sizeof texts[0], "%s%s%s", before, hex, after);
    return text;
}

const char *year_bin(const struct thing_id *id)
{
    return text_of(id, "{\"$bin\":\"", "\"}");
}

const char *year_hex(const struct thing_id *id)
{
    return text_of(id, "", "");
}

static const struct thing_id clerk = {{'c', 'l', 'e', 'r', 'k'}};
static const struct thing_id checker = {{'c', 'h', 'e', 'c', 'k', 'e', 'r'}};

static struct thing_id record_by(struct township *t, struct township_device *d,
                                 struct township_act act)
{
    for (size_t i = 0; act.subject && i < t->event_count; i++) {
        const struct event *e = t->events[i];
        if (!thing_id_equal(&e->subject, act.subject)) continue;
        act.seen++;
        if (e->depth >= act.depth) act.depth = e->depth + 1;
    }
    return township_record(t, d, &act)->subject;
}

struct thing_id year_record(struct township *t, struct township_device *d, const char *kind,
                            const char *scope, const struct thing_id *subject, const char *body,
                            const char *box)
{
    return record_by(t, d,
                     (struct township_act){
                         .kind = kind,
                         .scope = scope,
                         .subject = subject,
                         .by = &clerk,
                         .body = body,
                         .box = box,
                     });
}

void year_go_to(struct township *t, const char *date)
{
    uint32_t day;
    must(time_parse_day(&day, slice_of_text(date)) == OK, date);
    t->time_ms = time_day_ms(day, 9 * 60);
}

/* --- people ------------------------------------------------------------------------------- */

struct thing_id year_volunteer(struct township *t, struct township_device *d, const char *number,
                               const char *name)
{
    char body[128], box[128];
    snprintf(body, sizeof body, "{\"number\":\"%s\",\"joined\":\"2021-03-05\"}", number);
    snprintf(box, sizeof box, "{\"name\":\"%s\",\"phone\":\"13800000000\"}", name);
    return year_record(t, d, "volunteer.register", NULL, NULL, body, box);
}

void year_consent(struct township *t, struct township_device *d, const struct thing_id *person,
                  bool gives)
{
    year_record(t, d, gives ? "consent.give" : "consent.withdraw", NULL, person,
                "{\"purpose\":\"rank\",\"method\":\"paper\"}", NULL);
}

/* --- services ----------------------------------------------------------------------------- */

struct thing_id year_activity(struct township *t, struct township_device *d, const char *date,
                              unsigned outcomes)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"title\":\"义务淘井\",\"category\":\"water\",\"date\":\"%s\",\"place\":\"村口\","
             "\"outcome\":[[\"wells_restored\",%u]]}",
             date, outcomes);
    return year_record(t, d, "activity.record", "town", NULL, body, NULL);
}

struct thing_id year_attendance(struct township *t, struct township_device *d,
                                const struct thing_id *activity, const char *date,
                                const struct thing_id *people, size_t count, unsigned minutes)
{
    struct buf body = {0};
    buf_printf(&body,
               "{\"activity\":\"%s\",\"category\":\"water\",\"date\":\"%s\",\"method\":\"paper\","
               "\"rows\":[",
               year_hex(activity), date);
    for (size_t i = 0; i < count; i++)
        buf_printf(&body, "%s[%s,480,%u,%u]", i ? "," : "", year_bin(&people[i]), 480 + minutes,
                   minutes);
    buf_append_text(&body, "]}");
    struct thing_id id = year_record(t, d, "attendance.record", NULL, NULL, buf_text(&body), NULL);
    buf_clear(&body);
    return id;
}

struct thing_id year_service(struct township *t, struct township_device *d,
                             const struct thing_id *person, const char *date, unsigned minutes)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"person\":\"%s\",\"category\":\"elderly\",\"date\":\"%s\",\"minutes\":%u,"
             "\"confirm\":\"sign\"}",
             year_hex(person), date, minutes);
    return year_record(t, d, "service.log", NULL, NULL, body, NULL);
}

void year_verify(struct township *t, struct township_device *d, const struct thing_id *service,
                 const char *decision, const char *rows)
{
    char body[512];
    snprintf(body, sizeof body, "{\"decision\":\"%s\"%s%s}", decision, rows ? ",\"rows\":" : "",
             rows ? rows : "");
    record_by(t, d,
              (struct township_act){
                  .kind = "service.verify", .subject = service, .by = &checker, .body = body});
}

/* --- rules -------------------------------------------------------------------------------- */

void year_points_rule(struct township *t, unsigned ver, const char *effective, const char *rows)
{
    struct buf body = {0};
    buf_printf(
        &body,
        "{\"type\":\"points\",\"ver\":%u,\"effective\":\"%s\",\"approved_by\":\"村民代表会议\","
        "\"doc_ref\":\"琅发〔2021〕9号\",\"public_days\":7,\"points\":%s}",
        ver, effective, rows);
    year_record(t, &t->authority, "rule.put", "town", NULL, buf_text(&body), NULL);
    buf_clear(&body);
}

void year_redeem_rule(struct township *t, unsigned ver, const char *effective, const char *scheme)
{
    struct buf body = {0};
    buf_printf(&body, "{\"type\":\"redeem\",\"ver\":%u,\"effective\":\"%s\",%s}", ver, effective,
               scheme);
    year_record(t, &t->authority, "rule.put", "town", NULL, buf_text(&body), NULL);
    buf_clear(&body);
}

/* --- points ------------------------------------------------------------------------------- */

static const char *scope_text(char out[32], const char *village)
{
    snprintf(out, 32, "village:%s", village);
    return out;
}

struct thing_id year_award(struct township *t, const char *village, unsigned year,
                           const struct thing_id *people, const int *points, size_t count,
                           const struct thing_id *basis)
{
    struct buf body = {0};
    char scope[32];
    buf_printf(&body, "{\"year\":%u,\"rules\":1,\"rows\":[", year);
    for (size_t i = 0; i < count; i++)
        buf_printf(&body, "%s[%s,\"hour\",%s,%d]", i ? "," : "", year_bin(&people[i]),
                   basis ? year_bin(&basis[i]) : "null", points[i]);
    buf_append_text(&body, "]}");
    struct thing_id id = year_record(t, &t->hub, "points.award", scope_text(scope, village), NULL,
                                     buf_text(&body), NULL);
    buf_clear(&body);
    return id;
}

void year_on_entry(struct township *t, struct township_device *d, const char *kind,
                   const char *village, const struct thing_id *sheet, unsigned entry,
                   const char *more, const char *box)
{
    char body[256], scope[32];
    snprintf(body, sizeof body, "{\"entry\":%u%s}", entry, more ? more : "");
    year_record(t, d, kind, scope_text(scope, village), sheet, body, box);
}

struct thing_id year_publicity(struct township *t, struct township_device *d, unsigned year,
                               const char *village, const char *from, const char *to)
{
    char body[384], place[40] = "";
    if (village) snprintf(place, sizeof place, "\"village\":\"%s\",", village);
    snprintf(body, sizeof body,
             "{\"type\":\"points\",\"year\":%u,%s\"list\":\"%064d\",\"from\":\"%s\","
             "\"to\":\"%s\",\"place\":\"村务公开栏\"}",
             year, place, 0, from, to);
    return year_record(t, d, "publicity.open", "town", NULL, body, NULL);
}
