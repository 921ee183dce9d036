#include "tools/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/csv.h"
#include "common/file.h"
#include "common/time.h"
#include "tools/hint.h"
#include "tools/lookup_typed.h"
#include "tools/redeem.h"

/* What was paid out by a run: persons and vouchers; the amounts are those that were granted. */
enum { PAY_ROWS_MAX = 150, PAY_FILE_SIZE_MAX = 4 * 1024 * 1024 };

struct payment {
    const struct redemption_grant *grant;
    const char *voucher;
};

struct paying {
    struct cli *cli;
    struct recording recording;
    struct txn *txn;
    struct redemptions runs;
    const struct redemption *run;
    const char *paid; /* the day */
    struct payment *payments;
    size_t count, capacity;
    size_t person_at, voucher_at; /* columns; SIZE_MAX: not there */
    bool header_read;
    int code;
};

/* --- one payment -------------------------------------------------------------------------- */

static bool is_paid_here(const struct paying *p, const struct redemption_grant *grant)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->payments[i].grant == grant) return true;
    return false;
}

static int refuse(struct paying *p, const char *person, const char *why)
{
    return cli_error(p->cli, EXIT_REFUSED, cli_format(p->cli, _("%s cannot be paid"), person), why,
                     _("correct it and try again; nothing was recorded"));
}

static int add(struct paying *p, const char *person, const char *voucher)
{
    struct thing_key key;
    struct cli *cli = p->cli;
    int code = lookup_typed(cli, p->txn, THING_VOLUNTEER, person, &key);
    if (code) return code;
    const struct redemption_grant *grant = redemption_grant_of(p->run, &key.thing);
    if (!grant) return refuse(p, person, _("nothing was granted to this person"));
    if (grant->paid || is_paid_here(p, grant))
        return refuse(p, person, _("this person is paid already"));
    if (!*voucher || strlen(voucher) > REDEMPTION_VOUCHER_SIZE_MAX)
        return refuse(p, person, _("a voucher of 1 to 64 characters is needed"));
    if (p->count == p->capacity) {
        size_t more = p->capacity ? p->capacity * 2 : 64;
        void *grown = realloc(p->payments, more * sizeof *p->payments);
        if (!grown) return cli_fail(cli, ERR_NOMEM, _("nothing was recorded"));
        p->payments = grown;
        p->capacity = more;
    }
    p->payments[p->count++] = (struct payment){grant, cli_format(cli, "%s", voucher)};
    return EXIT_OK;
}

/* --- the file ----------------------------------------------------------------------------- */

static bool is_one_of(struct slice cell, const char *const *names)
{
    for (; *names; names++)
        if (slice_is_text(cell, *names) || slice_is_text(cell, _(*names))) return true;
    return false;
}

/* The sheet that redeem show prints is read as it is: its number comes before its name. */
static int read_header(struct paying *p, const struct csv_row *row)
{
    static const char *const persons[] = {"person", "number", "编号", "志愿者编号", "志愿者", NULL};
    static const char *const names[] = {"name", "姓名", NULL};
    static const char *const vouchers[] = {"voucher", "voucher_no", "凭证号", NULL};
    size_t by_name = SIZE_MAX;
    p->person_at = p->voucher_at = SIZE_MAX;
    for (size_t i = 0; i < row->count; i++) {
        if (is_one_of(row->cells[i], persons)) p->person_at = i;
        if (is_one_of(row->cells[i], names)) by_name = i;
        if (is_one_of(row->cells[i], vouchers)) p->voucher_at = i;
    }
    if (p->person_at == SIZE_MAX) p->person_at = by_name;
    p->header_read = true;
    if (p->person_at != SIZE_MAX && p->voucher_at != SIZE_MAX) return EXIT_OK;
    return cli_error(p->cli, EXIT_USAGE, _("the file's first row does not name its columns"),
                     _("needed: person (number or name) and voucher"),
                     _("sidan redeem show --csv prints such a table; fill in the vouchers"));
}

static const char *cell_text(struct paying *p, const struct csv_row *row, size_t at)
{
    return at < row->count ? output_text(p->cli, row->cells[at]) : "";
}

static bool take_row(void *state, const struct csv_row *row, enum err err)
{
    struct paying *p = state;
    if (err) {
        p->code = cli_fail(p->cli, err,
                           cli_format(p->cli, _("line %u cannot be read"), (unsigned)row->line));
        return false;
    }
    if (!p->header_read) {
        p->code = read_header(p, row);
        return !p->code;
    }
    /* who did not come yet has no voucher, or was paid the last time */
    const char *person = cell_text(p, row, p->person_at);
    const char *voucher = cell_text(p, row, p->voucher_at);
    if (!*voucher || !*person) return true;
    p->code = add(p, person, voucher);
    return !p->code;
}

static int read_file(struct paying *p, const char *path)
{
    struct buf file = {0};
    struct cli *cli = p->cli;
    enum err e = file_read(&file, path, PAY_FILE_SIZE_MAX);
    if (!e) e = csv_read(buf_slice(&file), take_row, p);
    buf_clear(&file);
    if (p->code) return p->code;
    return e ? cli_fail(cli, e, cli_format(cli, _("%s cannot be read"), path)) : EXIT_OK;
}

/* --- recording ---------------------------------------------------------------------------- */

static MUST_CHECK enum err write_body(const struct paying *p, size_t first, size_t count,
                                      struct buf *out)
{
    struct mp_map map = {0};
    struct mp_writer w = mp_map_put(&map, "paid");
    mp_write_text(&w, p->paid);
    w = mp_map_put(&map, "signed");
    mp_write_bool(&w, true);
    w = mp_map_put(&map, "rows");
    mp_write_array(&w, count);
    for (size_t i = first; i < first + count; i++) {
        const struct redemption_grant *grant = p->payments[i].grant;
        mp_write_array(&w, 3);
        mp_write_bin(&w, grant->person.bytes, sizeof grant->person.bytes);
        mp_write_uint(&w, (uint64_t)grant->fen);
        mp_write_text(&w, p->payments[i].voucher);
    }
    enum err err = mp_map_end(&map, out);
    mp_map_clear(&map);
    return err;
}

static int record(struct paying *p)
{
    size_t events = (p->count + PAY_ROWS_MAX - 1) / PAY_ROWS_MAX;
    struct draft *drafts = calloc(events, sizeof *drafts);
    struct recorded *recorded = calloc(events, sizeof *recorded);
    struct buf *bodies = calloc(events, sizeof *bodies);
    enum err e = drafts && recorded && bodies ? OK : ERR_NOMEM;
    for (size_t i = 0; i < events && !e; i++) {
        size_t first = i * PAY_ROWS_MAX, left = p->count - first;
        e = write_body(p, first, left < PAY_ROWS_MAX ? left : PAY_ROWS_MAX, &bodies[i]);
        drafts[i] = (struct draft){
            .kind = "redeem.pay",
            .scope = scope_office(),
            .lane = LANE_NORMAL,
            .subject = p->run->key.thing,
            .body = buf_slice(&bodies[i]),
        };
    }
    if (!e) e = recorder_begin(p->cli->recorder, &p->recording.clock);
    int code = e ? cli_fail(p->cli, e, _("nothing was recorded"))
                 : recording_all(p->cli, &p->recording, drafts, events, recorded);
    for (size_t i = 0; bodies && i < events; i++) buf_clear(&bodies[i]);
    free(drafts);
    free(recorded);
    free(bodies);
    return code;
}

static int tell(const struct paying *p)
{
    struct cli *cli = p->cli;
    int64_t sum = 0;
    for (size_t i = 0; i < p->count; i++) sum += p->payments[i].grant->fen;
    if (cli->json) {
        json_t *o = output_json("sidan.redeem/1");
        json_object_set_new(o, "paid_now", json_integer((json_int_t)p->count));
        json_object_set_new(o, "paid_now_fen", json_integer(sum));
        json_object_set_new(o, "paid_fen", json_integer(p->run->paid + sum));
        json_object_set_new(o, "granted_fen", json_integer(p->run->granted));
        return output_json_end(o);
    }
    output_line(cli, _("recorded: %zu people were paid %s yuan; together now %s of %s yuan"),
                p->count, redeem_money(cli, sum), redeem_money(cli, p->run->paid + sum),
                redeem_money(cli, p->run->granted));
    if (p->run->paid + sum == p->run->granted) hint_line(cli, "%s", _("next: sidan redeem close"));
    return EXIT_OK;
}

/* --- the verb ----------------------------------------------------------------------------- */

static int read_day(struct paying *p)
{
    struct cli *cli = p->cli;
    uint32_t day;
    char today[TIME_TEXT_SIZE];
    time_format_date(today, p->recording.clock.wall_ms);
    p->paid = cli_flag(cli, "--paid");
    if (!p->paid) p->paid = cli_format(cli, "%s", today);
    if (time_parse_day(&day, slice_of_text(p->paid)) == OK &&
        day <= time_day(p->recording.clock.wall_ms))
        return EXIT_OK;
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("--paid: \"%s\" cannot be used"), p->paid),
                     _("the day on which it was paid is meant, today or before"),
                     _("write it like 2022-12-05"));
}

static int gather(struct paying *p)
{
    struct cli *cli = p->cli;
    const char *file = cli_flag(cli, "--file"), *person = cli_flag(cli, "--person");
    const char *voucher = cli_flag(cli, "--voucher");
    enum err e = redemptions_load(&p->runs, p->txn, 0);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    int code = redeem_find(cli, &p->runs, cli_argument(cli, 0), false, &p->run);
    if (!code) code = read_day(p);
    if (!code && file) code = read_file(p, file);
    if (!code && person) code = add(p, person, voucher ? voucher : "");
    if (code || p->count) return code;
    return cli_error(cli, EXIT_USAGE, _("it is not said who was paid"),
                     file ? _("no row of the file has a voucher") : NULL,
                     _("--file FILE.csv with person and voucher, or --person and --voucher"));
}

int cmd_redeem_pay(struct cli *cli)
{
    struct paying p = {.cli = cli};
    int code = recording_begin(cli, &p.recording);
    if (!code) code = cli_begin(cli, &p.txn);
    if (!code) {
        code = gather(&p);
        txn_abort(p.txn);
    }
    if (!code) code = record(&p);
    if (!code) code = tell(&p);
    redemptions_clear(&p.runs);
    free(p.payments);
    return code;
}
