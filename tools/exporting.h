#pragma once
/*
 * `sidan export WHAT`: sheets for a spreadsheet. Each kind of sheet is a table of columns, of which
 * the personal ones are left out unless they are asked for, and a function that adds its rows.
 */
#include "node/office/figures.h"
#include "tools/output.h"

#define EXPORT_COLUMNS_MAX 32

struct export_column {
    const char *en, *zh; /* words that `import` knows, where it takes the column */
    bool personal;
};

struct exporting {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    const struct device *self;
    const struct village *village; /* only this one; NULL: all that are held */
    bool has_period, personal;
    const char *period_text;
    struct figure_period period;
    const struct export_column *columns;
    size_t column_count;
    struct buf csv;
    size_t column;  /* of the next cell */
    size_t written; /* cells in this row */
    size_t rows;
    enum err err; /* of a callback */
};

/* Cells in the order of the columns; the row ends with its last one. */
void export_cell(struct exporting *x, struct slice text);
__attribute__((format(printf, 2, 3))) void export_cellf(struct exporting *x, const char *format,
                                                        ...);
void export_time(struct exporting *x, uint64_t ms); /* "" for 0 */
void export_number(struct exporting *x, uint64_t n);
/* The cell of a choice field: its word in the language. */
void export_choice(struct exporting *x, const char *field, struct slice code);

bool export_wants_ms(const struct exporting *x, uint64_t ms);
/* A date as an event has it. */
bool export_wants_date(const struct exporting *x, struct slice date);
bool export_wants_village(const struct exporting *x, const char *code);

/* One kind of sheet. `add` latches errors of its own in x->err. */
struct export_sheet {
    const char *name, *zh; /* "requests", 诉求 */
    const struct export_column *columns;
    size_t column_count;
    bool accusations; /* for the township alone */
    enum err (*add)(struct exporting *x);
};
extern const struct export_sheet export_requests, export_accusations, export_volunteers,
    export_services, export_activities, export_points;
