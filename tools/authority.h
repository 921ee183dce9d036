#pragma once
/*
 * Records of the township's authority: its key is opened with the passphrase, signs on top of all
 * that this node and its last peers showed of the roster, and is wiped.
 */
#include "tools/output.h"

/* Exit 8 unless this node may sign for it now: it is the hub, and no peer showed newer records.
 * `what`: what was not done, translated. */
int authority_ready(struct cli *cli, struct txn *t, const char *what);
/* Asks for the passphrase and records the drafts in scope `town`, in one commit: all or none. Keys,
 * store (writable) and views must be open. */
int authority_record(struct cli *cli, const char *what, struct draft *drafts, size_t count);
/* Asks for the passphrase and opens the key in force, in whichever file it is after a replacement
 * that was cut short. The passphrase is for saving it again; the caller wipes both. */
int authority_open(struct cli *cli, const char *what, struct authority_keys *out,
                   char passphrase[PASSPHRASE_SIZE_MAX + 1]);
/* The same as authority_record by a key that is open: the authority's, or a recovery key. */
enum err authority_sign(struct cli *cli, const struct signer *signer, bool recovery,
                        struct draft *drafts, size_t count, struct kind_problem *problem);
