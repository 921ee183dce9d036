#pragma once
/* The six words of the request by which a device joined: how a village's clerk and the township
 * find out by telephone whether the laptop in his hands is the one in the roster. */
#include "tools/cli.h"

/* Prints them; `text` as lookup_device takes it. Returns an exit code. */
int device_words(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text);
