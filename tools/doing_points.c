#include "tools/doing_points.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "node/views/body.h"
#include "node/views/person.h"
#include "tools/points.h"

/* The account of the year that the act is about, and the person's place in it. */
struct account {
    struct points points;
    const struct ledger_person *person;
};

static int begin(struct account *a, struct doing *d, struct txn *t, const char *year)
{
    struct thing_id id;
    struct slice person = act_bytes(&d->act, "person");
    a->person = NULL;
    int code = points_begin(&a->points, d->cli, t, year);
    if (code || person.size != sizeof id.bytes) return code;
    memcpy(id.bytes, person.data, sizeof id.bytes);
    a->person = ledger_person_of(a->points.ledger, &id);
    return EXIT_OK;
}

/* --- honours ------------------------------------------------------------------------------ */

static int refuse_unsettled(struct account *a)
{
    size_t unsettled = 0;
    struct cli *cli = a->points.cli;
    const struct ledger *l = a->points.ledger;
    for (size_t i = 0; i < l->entry_count; i++)
        unsettled += l->entries[i].state == LEDGER_POSTED || l->entries[i].state == LEDGER_PUBLIC;
    if (!unsettled) return EXIT_OK;
    return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                     cli_format(cli, _("%zu entries of %u are not final, so no rank is"), unsettled,
                                (unsigned)l->year),
                     cli_format(cli, _("sidan points publish %u town, and wait for its end"),
                                (unsigned)l->year));
}

/* Each certificate has a rank of its own. */
static int rank_of(struct account *a, uint32_t *rank)
{
    struct rank_row *rows;
    size_t count;
    enum err e = ledger_rank(&rows, &count, a->points.ledger, NULL, true);
    if (e) return cli_fail(a->points.cli, e, _("the ranks cannot be made"));
    *rank = 0;
    for (size_t i = 0; i < count; i++)
        if (memcmp(rows[i].id.data, a->person->key.thing.bytes, rows[i].id.size) == 0)
            *rank = rows[i].rank;
    free(rows);
    if (*rank) return EXIT_OK;
    return cli_error(
        a->points.cli, EXIT_REFUSED, _("nothing was recorded"),
        cli_format(a->points.cli, _("this person has no points of %u"), (unsigned)a->points.year),
        _("sidan points rank YEAR shows who has"));
}

/* Nobody is published by name without consent. */
static const char *published_name(const struct account *a)
{
    struct buf masked = {0};
    const char *name = points_name(&a->points, a->person, true);
    if (a->person->may_name) return name;
    text_mask_name(&masked, slice_of_text(name));
    name = cli_format(a->points.cli, "%s", buf_text(&masked));
    buf_clear(&masked);
    return name;
}

static int honour(struct doing *d, const struct field *f, const char **out)
{
    struct account a;
    uint32_t rank = 0;
    struct cli *cli = d->cli;
    uint64_t year = act_uint(&d->act, "year");
    int code = begin(&a, d, NULL, year ? cli_format(cli, "%" PRIu64, year) : NULL);
    if (!code && a.person) {
        bool published = strcmp(f->name, "shown_name") == 0;
        if (!published) code = refuse_unsettled(&a);
        if (!code && !published) code = rank_of(&a, &rank);
        if (!code && strcmp(f->name, "rank") == 0)
            *out = cli_format(cli, "%" PRIu32, rank);
        else if (!code && strcmp(f->name, "points") == 0)
            *out = points_text(cli, a.person->points);
        else if (!code)
            *out = published_name(&a);
    }
    points_end(&a.points);
    return code;
}

/* --- recommendations ------------------------------------------------------------------------- */

int doing_points_fill_in(struct doing *d, struct txn *t)
{
    struct account a;
    struct cli *cli = d->cli;
    int code = begin(&a, d, t, cli_flag(cli, "--year"));
    unsigned count = !code && a.person ? (unsigned)a.person->activities : 0;
    unsigned year = (unsigned)a.points.year;
    points_end(&a.points);
    if (code) return code;
    output_note(cli, _("verified activities of %u: %u"), year, count);
    if (count < LEDGER_ACTIVITIES_MIN)
        return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                         cli_format(cli, _("%u verified activities in %u; %u are needed"), count,
                                    year, (unsigned)LEDGER_ACTIVITIES_MIN),
                         _("another year: --year; what is not verified yet: sidan service "
                           "verify"));
    return fields_put(&d->fields, kind_field(d->kind, "count"), cli_format(cli, "%u", count));
}

/* --- public lists ---------------------------------------------------------------------------- */

static int objections(struct doing *d, const char **out)
{
    struct account a;
    struct thing shown;
    struct txn *t;
    uint32_t count = 0;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    enum err e = thing_get(t, THING_PUBLICITY, &d->fields.subject, &shown);
    bool points = !e && slice_is_text(body_text(shown.fields, "type"), "points");
    uint64_t year = e ? 0 : body_uint(shown.fields, "year");
    txn_abort(t);
    if (!points) return EXIT_OK;
    code = begin(&a, d, NULL, cli_format(d->cli, "%" PRIu64, year));
    const struct ledger *l = a.points.ledger;
    for (size_t i = 0; !code && i < l->publicity_count; i++) {
        if (!thing_id_equal(&l->publicities[i].key.thing, &d->fields.subject.thing)) continue;
        for (size_t k = 0; k < l->entry_count; k++)
            if (ledger_covers(&l->publicities[i], &l->entries[k]))
                count += l->entries[k].objections;
        *out = cli_format(d->cli, "%" PRIu32, count);
    }
    points_end(&a.points);
    return code;
}

int doing_points_default(struct doing *d, const struct field *f, const char **out)
{
    return d->kind->thing == THING_HONOUR ? honour(d, f, out) : objections(d, out);
}
