#pragma once
/*
 * One line of `sidan record`: a JSON object {"kind","subject"?,"scope"?,"lane"?,"body"?,"box"?,
 * "by"?,"at"?} as it becomes a draft. What the caller leaves out is filled in: the scope by kind,
 * subject and this device, the person by --by or the configuration, a request's number.
 */
#include "tools/recording.h"

struct record_entry {
    const struct kind *kind;
    const char *subject, *scope, *lane, *by, *at;
    json_t *body, *box; /* NULL: none */
};
/* Takes the object's keys apart; the entry borrows from it. Returns NULL, or why not (English
 * msgid). */
const char *record_entry_read(struct record_entry *e, json_t *object);
/* Fills the draft but for its body and box, and completes e->body, which must be there, between
 * recorder_begin and recorder_commit. Returns NULL, or why not (English msgid). */
const char *record_entry_place(struct cli *cli, const struct recording *r, struct record_entry *e,
                               struct draft *draft);
