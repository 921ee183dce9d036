#include "tools/founding.h"

#include "common/csv.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

enum { VILLAGES_MAX = 999, COLUMN_COUNT = 5 };
#define VILLAGES_FILE_SIZE_MAX MIB(1)

/* The columns in English and Chinese, and where each goes. */
static const struct column {
    const char *name, *zh;
    size_t offset, size;
} columns[COLUMN_COUNT] = {
    {"code", "区划代码", offsetof(struct township_village, village.code), 13},
    {"name", "名称", offsetof(struct township_village, village.name), 65},
    {"short_name", "简称", offsetof(struct township_village, village.short_name), 33},
    {"pinyin", "拼音", offsetof(struct township_village, village.pinyin), 33},
    {"kind", "类别", offsetof(struct township_village, type), 17},
};

struct reading {
    struct cli *cli;
    const char *path;
    size_t at[COLUMN_COUNT]; /* cell of each column, from the header */
    bool has_header;
    struct township_village *villages;
    uint64_t *lines;
    size_t count;
    int code;
};

static bool fail_line(struct reading *r, uint64_t line, const char *why)
{
    r->code = cli_error(
        r->cli, EXIT_USAGE,
        cli_format(r->cli, _("%s, line %llu, cannot be used"), r->path, (unsigned long long)line),
        why, _("columns: code,name,short_name,pinyin,kind (village or community)"));
    return false;
}

static bool read_header(struct reading *r, const struct csv_row *row)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t at = 0;
        while (at < row->count && !slice_is_text(row->cells[at], columns[c].name) &&
               !slice_is_text(row->cells[at], columns[c].zh)) {
            at++;
        }
        if (at == row->count) {
            return fail_line(r, row->line,
                             cli_format(r->cli, _("there is no column \"%s\""), columns[c].name));
        }
        r->at[c] = at;
    }
    r->has_header = true;
    return true;
}

static bool read_village(struct reading *r, const struct csv_row *row)
{
    if (r->count == VILLAGES_MAX) {
        return fail_line(r, row->line, _("a township has at most 999 villages"));
    }
    struct township_village *v = &r->villages[r->count];
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        struct slice cell = r->at[c] < row->count ? row->cells[r->at[c]] : SLICE_EMPTY;
        if (cell.size == 0 || cell.size >= columns[c].size) {
            return fail_line(r, row->line,
                             cli_format(r->cli, _("%s is missing or too long"), columns[c].name));
        }
        memcpy((char *)v + columns[c].offset, cell.data, cell.size);
    }
    if (strcmp(v->type, "village") != 0 && strcmp(v->type, "community") != 0) {
        return fail_line(r, row->line, _("kind is neither village nor community"));
    }
    v->village.number = (uint32_t)(r->count + 1);
    r->lines[r->count++] = row->line;
    return true;
}

static bool read_row(void *state, const struct csv_row *row, enum err err)
{
    struct reading *r = state;
    if (err != OK) {
        return fail_line(r, row->line, cli_err_text(err));
    }
    return r->has_header ? read_village(r, row) : read_header(r, row);
}

static void read_list(struct reading *r, struct slice file)
{
    size_t bad;
    const char *what;
    enum err e = csv_read(file, read_row, r);
    if (r->code != EXIT_OK) {
        return;
    }
    if (e != OK) {
        r->code = cli_fail(r->cli, e, cli_format(r->cli, _("%s cannot be read"), r->path));
    } else if (r->count == 0) {
        r->code =
            cli_error(r->cli, EXIT_USAGE, cli_format(r->cli, _("%s names no village"), r->path),
                      NULL, _("columns: code,name,short_name,pinyin,kind (village or community)"));
    } else if (township_villages_check(r->villages, r->count, &bad, &what) != OK) {
        fail_line(r, r->lines[bad], _(what));
    }
}

int founding_read_villages(struct cli *cli, const char *path, struct township_village **out,
                           size_t *count)
{
    struct reading r = {.cli = cli, .path = path};
    struct buf file = {0};
    enum err e = file_read(&file, path, VILLAGES_FILE_SIZE_MAX);
    r.villages = calloc(VILLAGES_MAX, sizeof *r.villages);
    r.lines = calloc(VILLAGES_MAX, sizeof *r.lines);
    if (e == OK && (r.villages == NULL || r.lines == NULL)) {
        e = ERR_NOMEM;
    }
    if (e != OK) {
        r.code = cli_fail(cli, e, cli_format(cli, _("%s cannot be read"), path));
    } else {
        read_list(&r, buf_slice(&file));
    }
    buf_clear(&file);
    free(r.lines);
    if (r.code != EXIT_OK) {
        free(r.villages);
        return r.code;
    }
    *out = r.villages;
    *count = r.count;
    return EXIT_OK;
}
