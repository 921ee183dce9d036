#pragma once
/*
 * Records of the township's authority: its key is opened with the passphrase, signs on top of all
 * that this node and its last peers showed of the roster, and is wiped.
 */
#include "tools/cli.h"

/* Exit 8 unless this node may sign for it now: it is the hub, and no peer showed newer records.
 * `what`: what was not done, translated. */
int authority_ready(struct cli *cli, struct txn *t, const char *what);
/* Asks for the passphrase and records the drafts in scope `town`, in one commit: all or none. Keys,
 * store (writable) and views must be open. */
int authority_record(struct cli *cli, const char *what, struct draft *drafts, size_t count);
