#include "node/views/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/body.h"
#include "node/views/ledger_parts.h"
#include "node/views/person.h"

static const struct {
    const char *name, *zh;
} states[LEDGER_STATE_COUNT] = {
#define LEDGER_STATE_ROW(code, name, zh) {name, zh},
    LEDGER_STATES(LEDGER_STATE_ROW)
#undef LEDGER_STATE_ROW
};

const char *ledger_state_name(enum ledger_state s)
{
    return states[s].name;
}

const char *ledger_state_zh(enum ledger_state s)
{
    return states[s].zh;
}

/* --- shared by its parts -------------------------------------------------------------------- */

void *ledger_grow(struct ledger_loading *l, void *items, size_t count, size_t *capacity,
                  size_t size)
{
    if (count < *capacity) return items;
    size_t more = *capacity ? *capacity * 2 : 64;
    void *grown = realloc(items, more * size);
    if (grown)
        *capacity = more;
    else
        l->err = ERR_NOMEM;
    return grown;
}

const char *ledger_village(struct ledger_loading *l, uint32_t scope_number)
{
    struct scope_row row;
    if (l->scope_number == scope_number) return l->village;
    memset(l->village, 0, sizeof l->village);
    l->scope_number = scope_number;
    if (scope_get(l->txn, scope_number, &row)) {
        struct slice code = slice_of_text(scope_village(&row.scope));
        if (code.size < sizeof l->village) memcpy(l->village, code.data, code.size);
    }
    return l->village;
}

/* --- order --------------------------------------------------------------------------------- */

static int entries_in_order(const void *a, const void *b)
{
    const struct ledger_entry *x = a, *y = b;
    int order = thing_id_compare(&x->person, &y->person);
    if (!order) order = thing_id_compare(&x->sheet.thing, &y->sheet.thing);
    if (order) return order;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->sheet.scope_number < y->sheet.scope_number ? -1 : 1;
}

static int services_in_order(const void *a, const void *b)
{
    const struct ledger_service *x = a, *y = b;
    int order = thing_id_compare(&x->person, &y->person);
    if (order) return order;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return thing_id_compare(&x->basis, &y->basis);
}

static int publicities_in_order(const void *a, const void *b)
{
    const struct ledger_publicity *x = a, *y = b;
    if (x->opened_ms != y->opened_ms) return x->opened_ms < y->opened_ms ? -1 : 1;
    return thing_id_compare(&x->key.thing, &y->key.thing);
}

static int people_in_order(const void *a, const void *b)
{
    const struct ledger_person *x = a, *y = b;
    return thing_id_compare(&x->key.thing, &y->key.thing);
}

static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1) qsort(items, count, size, compare);
}

/* --- people -------------------------------------------------------------------------------- */

static struct ledger_person *add_person(struct ledger_loading *l, const struct thing_key *key)
{
    struct ledger *ledger = l->ledger;
    void *grown = ledger_grow(l, ledger->people, ledger->person_count, &l->person_capacity,
                              sizeof *ledger->people);
    if (!grown) return NULL;
    ledger->people = grown;
    struct ledger_person *person = &ledger->people[ledger->person_count++];
    *person = (struct ledger_person){.key = *key};
    return person;
}

static bool take_volunteer(void *state, const struct thing *thing)
{
    struct ledger_loading *l = state;
    struct ledger_person *person = add_person(l, &thing->key);
    if (!person) return false;
    struct slice number = body_text(thing->fields, "number");
    if (number.size && number.size < sizeof person->number)
        memcpy(person->number, number.data, number.size);
    memcpy(person->village, ledger_village(l, thing->key.scope_number), sizeof person->village);
    person->left = strcmp(thing_state_name(thing->type, thing->state), "left") == 0;
    person->may_name = person_consents(thing, "rank");
    return true;
}

const struct ledger_person *ledger_person_of(const struct ledger *l, const struct thing_id *person)
{
    struct ledger_person key = {.key.thing = *person};
    if (!l->person_count) return NULL;
    return bsearch(&key, l->people, l->person_count, sizeof key, people_in_order);
}

/* Behind the others, for now; once, as the items of a person stand together. */
static void add_unknown(struct ledger_loading *l, const struct thing_id *id)
{
    struct ledger *ledger = l->ledger;
    size_t known = ledger->person_count;
    if (known && thing_id_equal(&ledger->people[known - 1].key.thing, id)) return;
    (void)add_person(l, &(struct thing_key){.thing = *id});
}

/* Entries and services of people that are no volunteers (not held, or never were). */
static void add_all_unknown(struct ledger_loading *l)
{
    struct ledger *ledger = l->ledger;
    size_t known = ledger->person_count;
    struct ledger view = {.people = ledger->people, .person_count = known};
    for (size_t i = 0; i < ledger->entry_count && !l->err; i++) {
        view.people = ledger->people;
        if (!ledger_person_of(&view, &ledger->entries[i].person))
            add_unknown(l, &ledger->entries[i].person);
    }
    sort(ledger->people, ledger->person_count, sizeof *ledger->people, people_in_order);
    view.person_count = ledger->person_count;
    for (size_t i = 0; i < ledger->service_count && !l->err; i++) {
        view.people = ledger->people;
        if (!ledger_person_of(&view, &ledger->services[i].person))
            add_unknown(l, &ledger->services[i].person);
    }
    sort(ledger->people, ledger->person_count, sizeof *ledger->people, people_in_order);
}

/* --- sums ---------------------------------------------------------------------------------- */

static void count_entry(struct ledger_person *person, const struct ledger_entry *entry)
{
    person->in_state[entry->state] += entry->points;
    if (entry->state == LEDGER_REVERSED) return;
    person->points += entry->points;
    person->entries++;
}

/* Each person's entries and services stand together, in the order of the people. */
static void count_all(struct ledger *l)
{
    size_t entry = 0, service = 0;
    for (size_t i = 0; i < l->person_count; i++) {
        struct ledger_person *p = &l->people[i];
        p->entry_at = entry;
        for (; entry < l->entry_count && thing_id_equal(&l->entries[entry].person, &p->key.thing);
             entry++)
            count_entry(p, &l->entries[entry]);
        p->entry_count = entry - p->entry_at;
        p->service_at = service;
        while (service < l->service_count &&
               thing_id_equal(&l->services[service].person, &p->key.thing))
            service++;
        p->service_count = service - p->service_at;
        if (p->service_count) ledger_count_services(l, p);
    }
}

/* --- loading ------------------------------------------------------------------------------- */

static void load(struct ledger_loading *l)
{
    struct ledger *ledger = l->ledger;
    l->err = redemptions_load(&ledger->runs, l->txn, ledger->year);
    if (!l->err) ledger_load_publicities(l);
    sort(ledger->publicities, ledger->publicity_count, sizeof *ledger->publicities,
         publicities_in_order);
    if (!l->err) ledger_load_entries(l);
    if (!l->err) ledger_load_services(l);
    if (!l->err) {
        enum err err = things_each(l->txn, THING_VOLUNTEER, 0, take_volunteer, l);
        if (err) l->err = err;
    }
    if (l->err) return;
    sort(ledger->entries, ledger->entry_count, sizeof *ledger->entries, entries_in_order);
    sort(ledger->services, ledger->service_count, sizeof *ledger->services, services_in_order);
    sort(ledger->people, ledger->person_count, sizeof *ledger->people, people_in_order);
    add_all_unknown(l);
    if (!l->err) count_all(ledger);
}

enum err ledger_load(struct ledger **out, struct txn *t, uint32_t year, uint32_t day)
{
    struct ledger_loading l = {.ledger = calloc(1, sizeof *l.ledger), .txn = t};
    if (!l.ledger) return ERR_NOMEM;
    l.ledger->year = year;
    l.ledger->day = day;
    load(&l);
    free(l.outcomes);
    if (l.err) {
        ledger_free(l.ledger);
        return l.err;
    }
    *out = l.ledger;
    return OK;
}

void ledger_free(struct ledger *l)
{
    if (!l) return;
    free(l->people);
    free(l->entries);
    free(l->services);
    free(l->publicities);
    redemptions_clear(&l->runs);
    free(l);
}
