#pragma once
/*
 * Receipts as proof for others: a file of JSON that anybody can check with SPEC 3, 6.2 and 8.5
 * alone (tests/second/proof.py does), and which receipt proves that a record had arrived.
 *
 * {"schema":"sidan.proof/1","township","receipts":[{"id","signer","receiver","name","statement",
 * "signature"}],"records":[{"id","kind","time","receipt","headers":["…"]}]}
 *
 * Keys, ids, statements and headers in hex. The headers of a record lead from it, each the next
 * one's `prev`, to the head that the receipt names; what is personal is in none of them.
 */
#include "tools/receipts.h"
#include "tools/cli.h"

/* Both report what is wrong, and return an exit code. Makes `file`, mode 0600. */
int proof_of_receipt(struct cli *cli, const struct roster *roster, const struct receipt *r,
                     const char *file);
/* For each record of the thing the first receipt that is kept and covers it; with -o as a file. */
int proof_of_thing(struct cli *cli, struct txn *txn, const struct roster *roster,
                   const char *thing);
