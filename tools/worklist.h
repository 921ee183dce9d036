#pragma once
/*
 * The list for today: open requests by light, what is late first, then what soon will be, then what
 * has time. A screenful, read from the index over due times; of the own village on its devices, of
 * all at the township, where accusations stand apart.
 */
#include "node/views/request.h"
#include "tools/cli.h"

/* Prints the counts, at most `rows_max` rows, and how to see the others; with --json all of it as
 * one object. Reports failures. */
int worklist_print(struct cli *cli, struct txn *txn, size_t rows_max);
