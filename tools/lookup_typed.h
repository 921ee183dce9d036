#pragma once
/*
 * A thing of a type by what people type for it: a number, an id prefix of 6 and more hex digits,
 * and, for those that people know by name, the name where it is unique: persons, volunteers (a
 * phone too), teams, units, assets, calls and activities by title. Reports what is wrong itself:
 * exit 4 not found, 2 ambiguous with the candidates named.
 */
#include "tools/cli.h"

/* THING_ANY: of whatever type. */
int lookup_typed(struct cli *cli, struct txn *txn, enum thing_type type, const char *text,
                 struct thing_key *out);
/* Whatever it is, by what a list shows of it: number, id, name or title. */
int lookup_shown(struct cli *cli, struct txn *txn, const char *text, struct thing_key *out);
/* What people call the thing, "" where nothing is known: a number, a name, a title. Lives as long
 * as cli. */
const char *lookup_typed_name(struct cli *cli, struct txn *txn, enum thing_type type,
                              const struct thing_key *key);
/* The type that a field of a kind names ("signed_by": a person); THING_NONE: none in particular. */
enum thing_type lookup_field_type(const struct field *field);
/* A thing by its id alone, in whatever scope; false: not held. */
bool lookup_typed_id(struct txn *txn, enum thing_type type, const struct thing_id *id,
                     struct thing_key *out);
/* The type of a thing that is held; THING_NONE. */
enum thing_type lookup_thing_type(struct txn *txn, const struct thing_key *key);
