#include "tools/record_entry.h"

#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "node/views/person.h"
#include "tools/accusation.h"

const char *record_entry_read(struct record_entry *e, json_t *object)
{
    const char *key, *name = NULL;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char **text = strcmp(key, "kind") == 0      ? &name
                            : strcmp(key, "subject") == 0 ? &e->subject
                            : strcmp(key, "scope") == 0   ? &e->scope
                            : strcmp(key, "lane") == 0    ? &e->lane
                            : strcmp(key, "by") == 0      ? &e->by
                            : strcmp(key, "at") == 0      ? &e->at
                                                          : NULL;
        if (json_is_null(value)) {
            continue;
        }
        if (text != NULL && json_is_string(value)) {
            *text = json_string_value(value);
        } else if (strcmp(key, "body") == 0 && json_is_object(value)) {
            e->body = value;
        } else if (strcmp(key, "box") == 0 && json_is_object(value)) {
            e->box = value;
        } else {
            return N_("a key that is not known here, or its value has another type; allowed: "
                      "kind subject scope lane body box by at");
        }
    }
    e->kind = name != NULL ? kind_find(slice_of_text(name)) : NULL;
    return e->kind != NULL ? NULL : N_("the kind is missing or not known; see sidan kinds");
}

/* Where an entry is worked on. */
struct work {
    struct cli *cli;
    const struct recording *recording;
};

/* A thing by its id, a prefix of it, or a request's number. */
static const char *find_thing(struct work *w, const char *text, struct thing_key *out)
{
    struct txn *t = recorder_txn(w->cli->recorder);
    const struct roster *roster;
    struct visible visible;
    uint8_t prefix[16] = {0};
    struct thing_key found[2];
    char digits[33];
    size_t size = strlen(text);
    if (size < 32 && request_find_number(t, slice_of_text(text), out) == OK) {
        return NULL;
    }
    if (size < 6 || size > 32) {
        return N_("there is no such subject");
    }
    snprintf(digits, sizeof digits, "%s%.*s", text, (int)(32 - size),
             "00000000000000000000000000000000");
    if (hex_decode(prefix, sizeof prefix, digits, 32) != OK) {
        return N_("there is no such subject");
    }
    if (views_roster(w->cli->views, t, &roster) != OK || visible_begin(&visible, t, roster) != OK) {
        return N_("the records cannot be read");
    }
    size_t count = visible_find_prefix(&visible, t, prefix, size, found, 2);
    visible_end(&visible);
    if (count != 1) {
        return count == 0 ? N_("there is no such subject") : N_("more than one id begins so");
    }
    *out = found[0];
    return NULL;
}

/* A request whose nature is for the office alone. */
static bool is_accusation(const struct record_entry *e)
{
    if (strcmp(e->kind->name, "request.register") != 0) {
        return false;
    }
    const char *nature = json_string_value(json_object_get(e->body, "nature"));
    return nature != NULL && accusation_named(slice_of_text(nature));
}

static const char *place_founding(struct work *w, const struct record_entry *e, struct draft *draft)
{
    bool village = !device_is_township(&w->recording->self);
    if (is_accusation(e)) {
        accusation_place(w->recording, draft);
    } else if (village && (e->kind->scopes & 1u << SCOPE_VILLAGE)) {
        draft->scope = scope_of_village(w->recording->self.village);
    } else if (e->kind->scopes == 1u << SCOPE_TOWN) {
        draft->scope = scope_town();
    } else {
        return N_("the scope is missing: village:CODE");
    }
    return NULL;
}

static const char *place(struct work *w, const struct record_entry *e, struct draft *draft)
{
    struct thing_key subject;
    const char *why = NULL;
    draft->founding = e->kind->founding && e->subject == NULL;
    if (e->subject != NULL) {
        struct scope_row row;
        why = find_thing(w, e->subject, &subject);
        if (why == NULL && scope_get(recorder_txn(w->cli->recorder), subject.scope_number, &row)) {
            draft->subject = subject.thing;
            draft->scope = row.scope;
        }
    } else if (!e->kind->founding) {
        return N_("the subject is missing");
    } else if (e->scope == NULL || is_accusation(e)) {
        why = place_founding(w, e, draft);
    }
    if (why == NULL && e->scope != NULL && !draft->sealed &&
        scope_parse(&draft->scope, slice_of_text(e->scope)) != OK) {
        why = N_("the scope is none: town, office or village:CODE");
    }
    if (why == NULL && e->lane != NULL && !recording_lane_parse(&draft->lane, e->lane)) {
        why = N_("the lane is none: urgent, normal or intake");
    }
    return why;
}

static const char *find_actor(struct work *w, const struct record_entry *e, struct draft *draft)
{
    struct thing_key actor;
    draft->has_by = w->recording->has_by;
    draft->by = w->recording->by;
    if (e->by == NULL) {
        return NULL;
    }
    if (find_thing(w, e->by, &actor) != NULL) {
        return N_("there is no such person: see sidan actor list");
    }
    draft->has_by = true;
    draft->by = actor.thing;
    return NULL;
}

/* What the caller may leave out: the claimed time beside the body, the number of a request or a
 * volunteer. */
static const char *complete_body(struct work *w, struct record_entry *e, const struct draft *draft)
{
    uint64_t ms;
    if (e->at != NULL) {
        if (time_parse(&ms, e->at) != OK) {
            return N_("at is no time: YYYY-MM-DD HH:MM");
        }
        json_object_set_new(e->body, "at", json_integer((json_int_t)ms));
    }
    bool numbered = e->kind->thing == THING_REQUEST || e->kind->thing == THING_VOLUNTEER;
    if (numbered && e->kind->founding && kind_field(e->kind, "number") != NULL &&
        json_object_get(e->body, "number") == NULL) {
        char number[16];
        struct txn *t = recorder_txn(w->cli->recorder);
        const struct roster *roster;
        const struct device *self = &w->recording->self;
        enum err err = views_roster(w->cli->views, t, &roster);
        if (err == OK) {
            err = e->kind->thing == THING_VOLUNTEER ? person_next_number(t, roster, self, number)
                  : scope_class(&draft->scope) == SCOPE_OFFICE
                      ? accusation_number(w->cli, w->recording, number)
                      : request_next_number(t, roster, self, number);
        }
        if (err != OK) {
            return N_("no number could be given");
        }
        json_object_set_new(e->body, "number", json_string(number));
    }
    return NULL;
}

const char *record_entry_place(struct cli *cli, const struct recording *r, struct record_entry *e,
                               struct draft *draft)
{
    struct work w = {.cli = cli, .recording = r};
    const char *why;
    *draft = (struct draft){.kind = e->kind->name, .lane = LANE_NORMAL};
    why = place(&w, e, draft);
    if (why == NULL) {
        why = find_actor(&w, e, draft);
    }
    return why != NULL ? why : complete_body(&w, e, draft);
}
