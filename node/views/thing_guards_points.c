#include "node/views/thing_rules.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"

/* --- sheets of points ------------------------------------------------------------------------ */

static size_t entry_of(struct slice body)
{
    uint64_t entry = body_uint(body, "entry");
    return entry <= SHEET_ROWS_MAX ? (size_t)entry : 0;
}

/* NULL: the entry is on the sheet and counts. */
static const char *entry_check(const struct thing_case *c)
{
    size_t rows, entry = entry_of(c->deed->body);
    (void)body_rows(c->thing->fields, "rows", &rows);
    if (!entry || entry > rows) return N_("the sheet has no such entry");
    return c->past->points[entry] & ENTRY_OUT ? N_("the entry does not count any more") : NULL;
}

const char *guard_reverse(const struct thing_case *c)
{
    return entry_check(c);
}

void take_reverse(struct thing_past *past, struct slice body)
{
    past->points[entry_of(body)] |= ENTRY_OUT;
}

const char *guard_object(const struct thing_case *c)
{
    const char *why = entry_check(c);
    if (why) return why;
    bool open = c->past->points[entry_of(c->deed->body)] & ENTRY_OBJECTED;
    return open ? N_("an objection to this entry is open already") : NULL;
}

void take_object(struct thing_past *past, struct slice body)
{
    past->points[entry_of(body)] |= ENTRY_OBJECTED;
}

const char *guard_decide(const struct thing_case *c)
{
    bool open = c->past->points[entry_of(c->deed->body)] & ENTRY_OBJECTED;
    return open ? NULL : N_("no objection to this entry is open");
}

void take_decide(struct thing_past *past, struct slice body)
{
    uint8_t *entry = &past->points[entry_of(body)];
    *entry &= (uint8_t)~ENTRY_OBJECTED;
    if (body_bool(body, "upheld")) *entry |= ENTRY_OUT;
}

/* --- redemption: columns person, village, points, fen; and person, fen, voucher -------------- */

static bool same_person(const struct sheet_row *a, const struct sheet_row *b)
{
    return memcmp(&a->person, &b->person, sizeof a->person) == 0;
}

const char *guard_grant(const struct thing_case *c)
{
    struct sheet_row rows[SHEET_ROWS_MAX];
    size_t count = sheet_read(c->deed->body, rows);
    uint64_t pool = body_uint(c->thing->fields, "pool"), together = c->past->granted;
    for (size_t i = 0; i < count; i++) {
        if ((i && same_person(&rows[i - 1], &rows[i])) || past_find(c->past, &rows[i].person))
            return N_("grants to a volunteer twice");
        together += rows[i].number[1];
    }
    return together > pool ? N_("is more than the pool holds") : NULL;
}

void take_grant(struct thing_past *past, struct slice body)
{
    struct sheet_row rows[SHEET_ROWS_MAX];
    struct past_entry entries[SHEET_ROWS_MAX];
    size_t count = sheet_read(body, rows);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct past_entry){.key = rows[i].person, .granted = rows[i].number[1]};
        past->granted += rows[i].number[1];
    }
    past_add(past, entries, count);
}

const char *guard_pay(const struct thing_case *c)
{
    struct sheet_row rows[SHEET_ROWS_MAX];
    if (!body_bool(c->deed->body, "signed")) return N_("is not paid before all have signed");
    size_t count = sheet_read(c->deed->body, rows);
    for (size_t i = 0; i < count; i++) {
        const struct past_entry *grant = past_find(c->past, &rows[i].person);
        if (!grant) return N_("pays a volunteer who was granted nothing");
        if (grant->paid || (i && same_person(&rows[i - 1], &rows[i])))
            return N_("pays a volunteer twice");
        if (rows[i].number[0] != grant->granted) return N_("pays another amount than was granted");
    }
    return NULL;
}

void take_pay(struct thing_past *past, struct slice body)
{
    struct sheet_row rows[SHEET_ROWS_MAX];
    size_t count = sheet_read(body, rows);
    for (size_t i = 0; i < count; i++) {
        struct past_entry *grant = past_find(past, &rows[i].person);
        if (grant) grant->paid = true;
        past->paid += rows[i].number[0];
    }
}

const char *guard_redeem_close(const struct thing_case *c)
{
    uint64_t paid = body_uint(c->deed->body, "paid");
    if (paid != c->past->paid) return N_("says another sum than was paid");
    if (paid + body_uint(c->deed->body, "remainder") != body_uint(c->thing->fields, "pool"))
        return N_("what was paid and what is left are not the pool");
    return NULL;
}
