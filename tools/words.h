#pragma once
/* How the same thing is said everywhere: spans of time, sizes, states, kinds, fields. */
#include "tools/cli.h"

/* "3 minutes ago"; "never" for 0; "just now" also when the clock went back. */
const char *words_ago(struct cli *cli, uint64_t then_ms, uint64_t now_ms);
/* "3 min 12 s", "2 h 5 min". */
const char *words_span(struct cli *cli, uint64_t ms);
/* "11-23 15:20" this year, else with the year; "-" for 0. */
const char *words_moment(struct cli *cli, uint64_t ms, uint64_t now_ms);
const char *words_bytes(struct cli *cli, uint64_t bytes); /* "3.1 KB" */
/* How fast a link is, "7.9 KB/s", and how long an answer takes, "0.6 s"; "-" for 0. */
const char *words_rate(struct cli *cli, uint64_t bits_per_second);
const char *words_round_trip(struct cli *cli, uint64_t ms);
/* A kind by its name in the language; an unknown one as it is. */
const char *words_kind(struct cli *cli, struct slice name);
const char *words_field(const struct field *field);
/* The word for a code of a choice field (tools/choices.h); an unknown one as it is. */
const char *words_choice(struct cli *cli, const char *field, struct slice code);
const char *words_roles(struct cli *cli, uint32_t roles);
/* Why the last contact with a peer failed, in a few words. */
const char *words_contact(enum err e);
const char *words_effect(enum effect effect);
/* One value of a body or box, for people. `field` may be NULL. */
const char *words_value(struct cli *cli, struct txn *txn, const struct field *field,
                        struct mp_reader *value);
