#pragma once
/*
 * Who a thing is about. Of a request or a volunteer name, phone and place are personal: they stand
 * in boxes, are joined when they are shown, and the newest one that took effect holds (the record
 * itself, a change, a correction). Who must know them asks here; a list shows them half hidden.
 *
 * A volunteer's number is that of a request's series with a V: 03AV-0012 was given by device A of
 * village 3, 00AV-0012 by one of the township's. So no two devices ever give the same one, however
 * long they work apart; ROW_NUMBER finds it.
 */
#include "node/views/thing.h"

#define PERSON_NAME_SIZE 65
#define PERSON_NUMBER_SIZE 17
#define PERSON_PHONE_SIZE 33
#define PERSON_TEXT_SIZE 513

struct person { /* "": not said, erased, or its box is not at hand */
    char name[PERSON_NAME_SIZE];
    char phone[PERSON_PHONE_SIZE];
    char place[PERSON_TEXT_SIZE];  /* of a request */
    char skills[PERSON_TEXT_SIZE]; /* of a volunteer */
};
/* Errors: ERR_NOT_FOUND (no event of it is held), ERR_CORRUPT, ERR_NOMEM, the transaction's. */
MUST_CHECK enum err person_read(struct views *v, struct txn *t, const struct thing_key *key,
                                struct person *out);
/* One of them. False, and "", where there is none. */
bool person_name(struct views *v, struct txn *t, const struct thing_key *key,
                 char out[PERSON_NAME_SIZE]);
bool person_phone(struct views *v, struct txn *t, const struct thing_key *key,
                  char out[PERSON_PHONE_SIZE]);

/* The digits of a phone, by which it is compared: without 86 before 11 of them. False: no digits.
 */
bool person_digits(const char *phone, char out[PERSON_PHONE_SIZE]);

/* Can it be called? Digits, 5 at least, with blanks and + - ( ) / , ; between: the table of kinds
 * takes any text, and what a spreadsheet made of a number (1.38E+10) is none. */
bool person_phone_usable(struct slice phone);

/* The volunteer whom `text` names: a number (03AV-0012), 6 and more digits of an id, a name, a
 * phone, or its last 4 digits and more. Who has left is meant only where nobody else is. Errors:
 * ERR_NOT_FOUND, ERR_AMBIGUOUS, and person_read's. */
MUST_CHECK enum err person_find(struct views *v, struct txn *t, struct slice text,
                                struct thing_key *out);
/* A volunteer by the id alone, as events name one; false: not held. */
bool person_of_id(struct txn *t, const struct thing_id *id, struct thing *out);

/* Does the volunteer's consent to this use (card, rank, letter, photo) stand? */
bool person_consents(const struct thing *volunteer, const char *purpose);

/* The next number that this device gives. It counts as given when the transaction commits. Errors:
 * as request_next_number. */
MUST_CHECK enum err person_next_number(struct txn *t, const struct roster *roster,
                                       const struct device *device, char out[16]);
