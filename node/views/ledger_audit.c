#include "node/views/ledger_audit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/ledger_parts.h"

static const struct {
    const char *name, *zh;
} types[LEDGER_FINDING_COUNT] = {
#define LEDGER_FINDING_ROW(code, name, zh) {name, zh},
    LEDGER_FINDINGS(LEDGER_FINDING_ROW)
#undef LEDGER_FINDING_ROW
};

const char *ledger_finding_name(enum ledger_finding_type type)
{
    return types[type].name;
}

const char *ledger_finding_zh(enum ledger_finding_type type)
{
    return types[type].zh;
}

/* What is due or awarded to one person for one service by one rule. */
struct claim {
    struct thing_id basis;
    bool has_basis;
    const char *rule;
    const struct points_entry *due;   /* NULL: it was awarded */
    const struct ledger_entry *entry; /* NULL: it is due */
};

struct auditing {
    const struct ledger *ledger;
    const struct rules *rules;
    struct points_rules *parsed; /* beside rules->rules; those of other types are empty */
    struct points_service *services;
    struct claim *claims;
    size_t service_capacity, claim_capacity, finding_capacity;
    struct points_entries due;
    struct ledger_audit *out;
    struct ledger_loading grow; /* for its errors */
};

/* --- what is due --------------------------------------------------------------------------- */

static const struct points_rules *rules_on(const struct auditing *a, uint32_t day)
{
    const struct rule *rule = rules_at(a->rules, RULE_POINTS, day);
    return rule ? &a->parsed[rule - a->rules->rules] : NULL;
}

static uint32_t version_on(const struct auditing *a, uint32_t day)
{
    const struct rule *rule = rules_at(a->rules, RULE_POINTS, day);
    return rule ? rule->ver : 0;
}

static enum err parse_rules(struct auditing *a)
{
    a->parsed = calloc(a->rules->rule_count + 1, sizeof *a->parsed);
    if (!a->parsed) return ERR_NOMEM;
    for (size_t i = 0; i < a->rules->rule_count; i++)
        if (a->rules->rules[i].type == RULE_POINTS &&
            points_read(&a->parsed[i], a->rules->rules[i].fields))
            a->parsed[i].count = 0; /* what cannot be read gives nothing, on every node alike */
    return OK;
}

/* Services stand by day and basis already, as points_count wants them. */
static enum err count_due(struct auditing *a, const struct ledger_person *p)
{
    a->due.count = 0;
    if (!p->key.scope_number) return OK;
    if (p->service_count > a->service_capacity) {
        void *grown = realloc(a->services, p->service_count * sizeof *a->services);
        if (!grown) return ERR_NOMEM;
        a->services = grown;
        a->service_capacity = p->service_count;
    }
    for (size_t i = 0; i < p->service_count; i++) {
        const struct ledger_service *s = &a->ledger->services[p->service_at + i];
        a->services[i] = (struct points_service){
            .day = s->day,
            .kind = s->kind,
            .verified = s->verified,
            .minutes = s->minutes,
            .outcomes = s->outcomes,
            .category = s->category,
            .activity = s->activity,
            .basis = s->basis,
            .rules = rules_on(a, s->day),
        };
    }
    return points_count(&a->due, a->services, p->service_count);
}

/* --- claims -------------------------------------------------------------------------------- */

/* By basis and rule; what is due before what was awarded, what counts before what was reversed. */
static int claims_in_order(const void *x, const void *y)
{
    const struct claim *a = x, *b = y;
    if (a->has_basis != b->has_basis) return a->has_basis ? 1 : -1;
    int order = thing_id_compare(&a->basis, &b->basis);
    if (!order) order = strcmp(a->rule, b->rule);
    if (order) return order;
    if (!a->due != !b->due) return a->due ? -1 : 1;
    if (a->due) return a->due < b->due ? -1 : a->due > b->due;
    bool a_out = a->entry->state == LEDGER_REVERSED, b_out = b->entry->state == LEDGER_REVERSED;
    if (a_out != b_out) return a_out ? 1 : -1;
    return a->entry < b->entry ? -1 : a->entry > b->entry;
}

static bool is_award(const struct ledger_entry *e)
{
    return e->rule[0] != 0;
}

static enum err gather_claims(struct auditing *a, const struct ledger_person *p, size_t *count)
{
    size_t n = 0, most = a->due.count + p->entry_count;
    if (most > a->claim_capacity) {
        void *grown = realloc(a->claims, most * sizeof *a->claims);
        if (!grown) return ERR_NOMEM;
        a->claims = grown;
        a->claim_capacity = most;
    }
    for (size_t i = 0; i < a->due.count; i++) {
        const struct points_entry *due = &a->due.items[i];
        struct claim *claim = &a->claims[n++];
        *claim = (struct claim){.basis = a->services[due->service].basis,
                                .has_basis = true,
                                .rule = due->rule->id,
                                .due = due};
    }
    for (size_t i = 0; i < p->entry_count; i++) {
        const struct ledger_entry *e = &a->ledger->entries[p->entry_at + i];
        if (is_award(e))
            a->claims[n++] = (struct claim){
                .basis = e->basis, .has_basis = e->has_basis, .rule = e->rule, .entry = e};
    }
    if (n > 1) qsort(a->claims, n, sizeof *a->claims, claims_in_order);
    *count = n;
    return OK;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
    return a->has_basis && b->has_basis && thing_id_equal(&a->basis, &b->basis) &&
           strcmp(a->rule, b->rule) == 0;
}

/* --- findings ------------------------------------------------------------------------------ */

/* One of the two claims may be NULL. */
static void find(struct auditing *a, enum ledger_finding_type type, const struct ledger_person *p,
                 const struct claim *due, const struct claim *award)
{
    const struct claim *claim = due ? due : award;
    assert(claim);
    struct ledger_finding finding = {
        .type = type,
        .person = p,
        .has_basis = claim->has_basis,
        .basis = claim->basis,
        .awarded = award ? award->entry->points : 0,
        .entry = award ? award->entry : NULL,
    };
    memcpy(finding.rule, claim->rule, strlen(claim->rule) + 1);
    if (due) {
        finding.day = a->services[due->due->service].day;
        finding.rules = version_on(a, finding.day);
        finding.due = due->due->points;
    }
    void *grown = ledger_grow(&a->grow, a->out->findings, a->out->count, &a->finding_capacity,
                              sizeof finding);
    if (!grown) return;
    a->out->findings = grown;
    a->out->findings[a->out->count++] = finding;
    a->out->of[type]++;
}

/* The claims of one basis and rule: what is due first, if anything is. */
static void judge(struct auditing *a, const struct ledger_person *p, const struct claim *claims,
                  size_t count)
{
    const struct claim *due = claims[0].due ? &claims[0] : NULL, *match = NULL;
    bool denied = false;
    for (size_t i = due ? 1 : 0; i < count; i++) {
        const struct claim *award = &claims[i];
        bool equal = due && award->entry->points == due->due->points;
        if (award->entry->state == LEDGER_REVERSED)
            denied = denied || equal;
        else if (due && (!match || (equal && match->entry->points != due->due->points)))
            match = award;
    }
    if (due && !match) {
        if (denied)
            a->out->denied++;
        else
            find(a, LEDGER_MISSING, p, due, NULL);
    }
    for (size_t i = due ? 1 : 0; i < count; i++) {
        const struct claim *award = &claims[i];
        if (award->entry->state == LEDGER_REVERSED) continue;
        if (award != match)
            find(a, LEDGER_SURPLUS, p, NULL, award);
        else if (award->entry->points != due->due->points)
            find(a, LEDGER_DIFFERENT, p, due, award);
    }
}

static enum err audit_person(struct auditing *a, const struct ledger_person *p)
{
    size_t count, end;
    enum err err = count_due(a, p);
    if (!err) err = gather_claims(a, p, &count);
    if (err) return err;
    for (size_t i = 0; i < a->due.count; i++) a->out->due += a->due.items[i].points;
    a->out->due_entries += a->due.count;
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && same_claim(&a->claims[i], &a->claims[end]);) end++;
        for (size_t k = i; k < end; k++)
            if (a->claims[k].entry && a->claims[k].entry->state != LEDGER_REVERSED)
                a->out->awarded += a->claims[k].entry->points;
        judge(a, p, &a->claims[i], end - i);
    }
    return a->grow.err;
}

enum err ledger_audit(struct ledger_audit *out, const struct ledger *l, const struct rules *rules,
                      const char *village)
{
    struct ledger_audit audit = {0};
    struct auditing a = {.ledger = l, .rules = rules, .out = &audit};
    enum err err = parse_rules(&a);
    for (size_t i = 0; i < l->person_count && !err; i++)
        if (!village || strcmp(village, l->people[i].village) == 0)
            err = audit_person(&a, &l->people[i]);
    free(a.parsed);
    free(a.services);
    free(a.claims);
    points_entries_clear(&a.due);
    if (err)
        ledger_audit_clear(&audit);
    else
        *out = audit;
    return err;
}

void ledger_audit_clear(struct ledger_audit *a)
{
    free(a->findings);
    *a = (struct ledger_audit){0};
}
