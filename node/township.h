#pragma once
/*
 * The roster events that a township is founded with and grows by, as pure builders: each appends
 * the canonical body of one event that the authority then signs into its own feed. No disk, no
 * clock, no randomness; keys come in as parameters.
 */
#include "node/views/roster.h"
#include "proto/join.h"

/* One row of the list of villages that `init` takes. Texts are terminated. */
struct township_village {
    struct village village; /* code, name, short name, pinyin, number from 1 */
    char type[17];          /* "village" or "community" */
};

/* township.founded */
struct township_founding {
    const char *name;
    struct sign_key recovery;
    struct box_key office;
};
MUST_CHECK enum err township_founded_write(struct buf *body, const struct township_founding *f);

/* authority.replaced: the next authority, its recovery key, the heads of the earlier one's feeds
 * that count. */
struct township_replacement {
    struct sign_key key, recovery;
    const struct head_named *heads;
    size_t head_count;
};
MUST_CHECK enum err township_replaced_write(struct buf *body, const struct township_replacement *r);

/* office.rotated */
MUST_CHECK enum err township_office_write(struct buf *body, const struct box_key *office);

/* device.listens: where a device can be dialled. */
MUST_CHECK enum err township_listens_write(struct buf *body, const char *const *addresses,
                                           size_t count);
/* series.moved: the signing key of the hub that gives official numbers from now on. */
MUST_CHECK enum err township_series_write(struct buf *body, const struct sign_key *hub);

/* village.put */
MUST_CHECK enum err township_village_write(struct buf *body, const struct township_village *v);

/* device.enrol: the founding hub, the one device that comes without an invite, with all of the
 * township's roles. `office_secret` is the office key's secret half as sealed to `transport`, so
 * that the hub can open what is sealed to the township. */
struct township_hub {
    struct sign_key key;
    struct box_key transport;
    const char *name;
    struct slice office_secret;
};
MUST_CHECK enum err township_hub_write(struct buf *body, const struct township_hub *hub);

/* device.invited: the public halves of the invite, its place, rights and end. */
/* Heads as `authority.replaced` and `device.revoked` name them. */
MUST_CHECK enum err township_revoked_write(struct buf *body, const char *reason,
                                           const struct head_named *heads, size_t count);
MUST_CHECK enum err township_invited_write(struct buf *body, const struct invite *invite,
                                           char letter);

/* Checks a list before anything is signed: codes of 12 digits and unique, names there and not over
 * their size, numbers 1..999 and unique. Errors: ERR_RANGE with *bad the first wrong row and *what
 * a static English text; ERR_EXISTS the same for a code or number met before. */
MUST_CHECK enum err township_villages_check(const struct township_village *villages, size_t count,
                                            size_t *bad, const char **what);

/* A village by code, name or short name; else by what township_village_sounds takes, where that is
 * unique. Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err township_find_village(const struct roster *roster, struct slice text,
                                          const struct village **out);
/* Its pinyin in any case, or its short name with 村 or 社区 behind, as people say it. */
bool township_village_sounds(const struct village *v, struct slice text);

/* The recovery key for paper: 17 groups of 4 hex digits, four groups a line, the last group the
 * first 2 bytes of hash("sidan/recovery", seed), so a slip of the pen shows. Appends text. */
void township_recovery_print(struct buf *out, const struct sign_seed *seed);

/* What is typed from that paper, whatever blanks, dashes and capitals; O for 0, l and I for 1.
 * Errors: ERR_MALFORMED with *group the first group (from 1) that cannot be, or 0 and *what where
 * there are too few or too many; ERR_SIGNATURE: the last group does not fit the others. *what is
 * static English text. The seed as typed is in *out after ERR_SIGNATURE too. */
MUST_CHECK enum err township_recovery_read(struct sign_seed *out, struct slice text,
                                           unsigned *group, const char **what);
/* The group in which one wrong or two swapped digits make the difference to the key `recovery`; 0:
 * there is none such. Takes a tenth of a second or so. */
unsigned township_recovery_slip(const struct sign_seed *typed, const struct sign_key *recovery);
/* Eight hex digits by which two sheets are told apart: the beginning of the recovery key. */
void township_recovery_mark(char out[9], const struct sign_key *recovery);

/* The next free letter among the devices of a village ("" : the township's own); letters are never
 * given twice, whatever became of the device. Errors: ERR_LIMIT after 'Z'. */
MUST_CHECK enum err township_next_letter(const struct roster *roster, const char *village,
                                         char *letter);
