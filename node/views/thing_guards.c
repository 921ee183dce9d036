#include "node/views/thing_rules.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"

/* --- volunteers: consent and cards ----------------------------------------------------------- */

static bool is_for_card(struct slice body)
{
    return slice_is_text(body_text(body, "purpose"), "card");
}

void take_consent_give(struct thing_past *past, struct slice body)
{
    if (is_for_card(body)) past->card_consent = true;
}

void take_consent_withdraw(struct thing_past *past, struct slice body)
{
    if (is_for_card(body)) past->card_consent = false;
}

static struct past_key card_of(struct slice body)
{
    return past_key_of(body_text(body, "card_no"));
}

static void add_one(struct thing_past *past, struct past_key key)
{
    if (past_find(past, &key)) return;
    past_add(past, &(struct past_entry){.key = key}, 1);
}

const char *guard_card_issue(const struct thing_case *c)
{
    return c->past->card_consent ? NULL : N_("needs the volunteer's consent to a card");
}

void take_card_issue(struct thing_past *past, struct slice body)
{
    add_one(past, card_of(body));
}

const char *guard_card_withdraw(const struct thing_case *c)
{
    struct past_key key = card_of(c->deed->body);
    return past_find(c->past, &key) ? NULL : N_("no card of this number is out");
}

void take_card_withdraw(struct thing_past *past, struct slice body)
{
    struct past_key key = card_of(body);
    past_remove(past, &key);
}

/* --- calls ----------------------------------------------------------------------------------- */

static struct past_key person_of(struct slice body)
{
    return past_key_of(body_bin(body, "person"));
}

const char *guard_signup(const struct thing_case *c)
{
    struct past_key key = person_of(c->deed->body);
    return past_find(c->past, &key) ? N_("this volunteer is signed up already") : NULL;
}

void take_signup(struct thing_past *past, struct slice body)
{
    add_one(past, person_of(body));
}

const char *guard_cancel(const struct thing_case *c)
{
    struct past_key key = person_of(c->deed->body);
    return past_find(c->past, &key) ? NULL : N_("this volunteer is not signed up");
}

void take_cancel(struct thing_past *past, struct slice body)
{
    struct past_key key = person_of(body);
    past_remove(past, &key);
}

/* --- services -------------------------------------------------------------------------------- */

/* What was logged: person and minutes, each person once. Of attendance, the minutes are the third
 * number of a row. */
static size_t logged_read(struct slice fields, struct sheet_row out[SHEET_ROWS_MAX])
{
    if (!body_has(fields, "rows")) {
        out[0] = (struct sheet_row){person_of(fields), {body_uint(fields, "minutes")}};
        return 1;
    }
    size_t rows = sheet_read(fields, out), persons = 0;
    for (size_t i = 0; i < rows; i++) {
        uint64_t minutes = out[i].number[2];
        if (persons && memcmp(&out[persons - 1].person, &out[i].person, sizeof out[i].person) == 0)
            out[persons - 1].number[0] += minutes;
        else
            out[persons++] = (struct sheet_row){out[i].person, {minutes}};
    }
    return persons;
}

static const char *verified_check(struct slice fields, struct slice body)
{
    struct sheet_row logged[SHEET_ROWS_MAX], verified[SHEET_ROWS_MAX];
    size_t count = sheet_read(body, verified), persons = count ? logged_read(fields, logged) : 0;
    for (size_t i = 0, at = 0; i < count; i++) {
        const struct past_key *person = &verified[i].person;
        if (i && memcmp(person, &verified[i - 1].person, sizeof *person) == 0)
            return N_("names a volunteer twice");
        while (at < persons && memcmp(&logged[at].person, person, sizeof *person) < 0) at++;
        if (at == persons || memcmp(&logged[at].person, person, sizeof *person) != 0)
            return N_("names a volunteer who is not on the sheet");
        if (verified[i].number[0] > logged[at].number[0])
            return N_("says more minutes than were logged");
    }
    return NULL;
}

/* Where neither names a person, the device stands for him. */
const char *guard_verify(const struct thing_case *c)
{
    bool same = c->deed->has_by && c->thing->has_by
                    ? thing_id_equal(&c->deed->by, &c->thing->by)
                    : sign_key_equal(&c->deed->author, &c->thing->author);
    if (same) return N_("must be done by another person than the record");
    return verified_check(c->thing->fields, c->deed->body);
}

/* --- assets ---------------------------------------------------------------------------------- */

const char *guard_asset_change(const struct thing_case *c)
{
    bool same = slice_equal(body_text(c->thing->fields, "condition"),
                            body_text(c->deed->body, "condition"));
    return same ? N_("is in this condition already") : NULL;
}
