#pragma once
/*
 * What people type to name something (CLI.md, "Words"). Each reports what is wrong with the text
 * itself: exit 4 not found, 2 ambiguous with the candidates named.
 */
#include "tools/cli.h"

/* Code, name, short name or pinyin where it is unique. */
int lookup_village(struct cli *cli, const struct roster *roster, const char *text,
                   const struct village **out);
/* What --village names, as the number of its scope: 0 where the flag is not given. `*none`: nothing
 * of that village is held here. */
int lookup_village_flag(struct cli *cli, struct txn *txn, const struct roster *roster,
                        uint32_t *scope_number, bool *none);
/* Id (prefix of 6 or more hex digits) or a name that is unique. Invites are found too. */
int lookup_device(struct cli *cli, const struct roster *roster, const char *text,
                  const struct device **out);
/* A thing by its number (03A-0127, or the official one) or an id prefix. */
int lookup_thing(struct cli *cli, struct txn *txn, const char *text, struct thing_key *out);
/* A person (actor) who acts, by an id prefix or a name that is unique; exit 8 for a revoked one. */
int lookup_actor(struct cli *cli, struct txn *txn, const char *text, struct thing_id *out);
/* The same, of whom a paper speaks: also one who was revoked since. */
int lookup_person(struct cli *cli, struct txn *txn, const char *text, struct thing_id *out);
/* "town", "office", "village:CODE", or a VILLAGE. */
int lookup_scope(struct cli *cli, const struct roster *roster, const char *text, struct scope *out);
/* DEVICE/scope[/lane[/epoch]] into the feed as it is held. */
int lookup_feed(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text,
                struct feed_row *out);
/* A record that is held, as FEED:SEQ:ID8 names it, and its feed. */
int lookup_head(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text,
                struct feed_row *feed, struct head_named *out);
/* The other way of lookup_feed: "name/village:431322111201/normal", or in short "name/谭家坊". */
void lookup_feed_print(struct buf *out, const struct roster *roster, const struct feed *feed);
void lookup_feed_print_short(struct buf *out, const struct roster *roster, const struct feed *feed);
const char *lookup_village_name(const struct roster *roster, const char *code);
/* The name of a device or "?" with its first 8 hex digits. */
const char *lookup_device_name(struct cli *cli, const struct roster *roster,
                               const struct sign_key *key);
