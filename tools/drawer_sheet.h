#pragma once
/*
 * The sheet for the drawer: plain text that fits one page of A4 (58 lines of 80 columns at most),
 * printed when a township is founded and never again. It holds the recovery key.
 */
#include "tools/founding.h"

#include <stdio.h>

#define DRAWER_SHEET_LINES_MAX 58
void drawer_sheet_print(struct cli *cli, FILE *out, const struct founding_plan *plan,
                        const struct founding *made);
