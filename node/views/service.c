#include "node/views/service.h"

#include <string.h>

#include "node/views/body.h"

static bool is_state(const struct thing *service, const char *name)
{
    return strcmp(thing_state_name(service->type, service->state), name) == 0;
}

bool service_is_rejected(const struct thing *service)
{
    return is_state(service, "rejected");
}

bool service_is_verified(const struct thing *service)
{
    return is_state(service, "verified");
}

/* NULL: not there. */
static struct service_person *person_in(struct service_person people[], size_t count,
                                        const struct thing_id *person)
{
    for (size_t i = 0; i < count; i++)
        if (thing_id_equal(&people[i].person, person)) return &people[i];
    return NULL;
}

static size_t people_on_sheet(struct slice fields, struct service_person out[SHEET_ROWS_MAX])
{
    size_t count, people = 0;
    struct mp_reader rows = body_rows(fields, "rows", &count);
    for (size_t i = 0; i < count && i < SHEET_ROWS_MAX; i++) {
        struct thing_id person;
        if (mp_read_array(&rows, 4) != 4) break;
        mp_read_bin_exact(&rows, person.bytes, sizeof person.bytes);
        mp_skip(&rows); /* from and to */
        mp_skip(&rows);
        uint32_t minutes = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
        if (rows.err) break;
        struct service_person *before = person_in(out, people, &person);
        if (!before) {
            before = &out[people++];
            *before = (struct service_person){.person = person};
        }
        before->stated += minutes;
    }
    return people;
}

/* The body of the newest verification; empty: there is none. */
static struct slice newest_verification(const struct thing *service)
{
    struct mp_reader acts = mp_reader_of(service->acts);
    struct slice body = SLICE_EMPTY;
    for (struct thing_act act; thing_act_next(&acts, &act);)
        if (slice_is_text(act.kind, "service.verify")) body = act.body;
    return body;
}

/* A verification names those alone whose minutes differ from the stated ones. */
static void take_verified(struct slice verification, struct service_person people[], size_t count)
{
    size_t rows_left = 0;
    struct mp_reader rows = {0};
    for (size_t i = 0; i < count; i++) people[i].verified = people[i].stated;
    if (verification.size) rows = body_rows(verification, "rows", &rows_left);
    for (; rows_left > 0; rows_left--) {
        struct thing_id person;
        if (mp_read_array(&rows, 2) != 2) return;
        mp_read_bin_exact(&rows, person.bytes, sizeof person.bytes);
        uint32_t minutes = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
        struct service_person *named = rows.err ? NULL : person_in(people, count, &person);
        if (named) named->verified = minutes;
    }
}

size_t service_people(const struct thing *service, struct service_person out[SHEET_ROWS_MAX])
{
    size_t people = 0;
    struct thing_id person;
    if (body_has(service->fields, "rows")) {
        people = people_on_sheet(service->fields, out);
    } else if (body_thing(service->fields, "person", &person)) {
        uint32_t minutes = (uint32_t)body_uint(service->fields, "minutes");
        out[people++] = (struct service_person){.person = person, .stated = minutes};
    }
    if (service_is_verified(service)) take_verified(newest_verification(service), out, people);
    return people;
}
