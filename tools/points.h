#pragma once
/*
 * What the verbs about points share: the account of a year as it stands now, and how people, points
 * and sheets are shown. A volunteer's name is shown in full where they consented to being ranked by
 * name, and on their own village's screen; else, and in every file, as 姓某 beside their number.
 */
#include "node/views/ledger.h"
#include "tools/cli.h"
#include "tools/output.h"

struct points {
    struct cli *cli;
    struct txn *txn;
    bool own_txn;
    const struct roster *roster;
    const struct device *self;
    uint64_t now_ms;
    uint32_t year;
    struct ledger *ledger;
};
/* `year` as typed, NULL: this year. `txn` NULL: a read transaction of its own. Reports failures;
 * points_end whatever it returns. */
int points_begin(struct points *p, struct cli *cli, struct txn *txn, const char *year);
void points_end(struct points *p);
int points_year(struct cli *cli, const char *text, uint64_t now_ms, uint32_t *out);
/* The village of --village, "" without one; a village's own device always means its own. */
int points_village(const struct points *p, const char *text, const char **code);

/* "93.0", "-0.5" */
#define POINTS_TEXT_SIZE 24
void points_format(char out[POINTS_TEXT_SIZE], int64_t tenths);
const char *points_text(struct cli *cli, int64_t tenths);
/* "12.5" hours of minutes, one decimal, down. */
const char *points_hours(struct cli *cli, uint32_t minutes);

/* "甲某一", "甲某", or "?" where no name is at hand. `whole`: whatever they consented to. */
const char *points_name(const struct points *p, const struct ledger_person *person, bool whole);
/* Their number, else the beginning of their id. */
const char *points_number(struct cli *cli, const struct ledger_person *person);
/* The beginning of a sheet's, a service's or a run's id, long enough to be told from others of one
 * moment. */
const char *points_id(struct cli *cli, const struct thing_id *id);
const char *points_state(enum ledger_state state);
/* person, number, name, village: of JSON objects. */
void points_describe(json_t *o, const struct points *p, const struct ledger_person *person);
