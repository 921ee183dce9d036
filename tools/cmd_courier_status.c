/* `sidan courier status`: what is carried here, and what left with whom. */
#include "tools/commands.h"

#include "node/courier.h"
#include "tools/couriers.h"
#include "tools/lookup.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    {N_("bundle"), false, 12}, {N_("from where"), false, 6}, {N_("to whom"), false, 6},
    {N_("size"), true, 8},     {N_("left"), false, 11},      {N_("with whom"), false, 0},
    {N_("remarks"), false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
enum { ID_SHOWN = 12 };

struct showing {
    struct cli *cli;
    const struct roster *roster;
    const struct device *self;
    bool hub;
    uint64_t now_ms, limit;
    struct courier_files files;
    struct couriers couriers;
};

/* What this device said of the file that it took along; NULL: nothing. */
static const struct courier_leg *said_of(const struct showing *s, const struct courier_file *f)
{
    for (size_t i = 0; i < s->couriers.count; i++) {
        const struct courier_leg *leg = &s->couriers.legs[i];
        if (sign_key_equal(&leg->author, &s->self->first) &&
            memcmp(leg->bundle.bytes, f->id.bytes, sizeof f->id.bytes) == 0)
            return leg;
    }
    return NULL;
}

static bool is_damaged(const struct courier_file *f, const struct courier_leg *leg)
{
    return f->damaged || (leg && leg->size != f->bytes);
}

static const struct courier_file *file_of(const struct showing *s, const struct courier_leg *leg)
{
    for (size_t i = 0; i < s->files.count; i++)
        if (memcmp(leg->bundle.bytes, s->files.files[i].id.bytes, sizeof leg->bundle.bytes) == 0)
            return &s->files.files[i];
    return NULL;
}

/* --- JSON --- */

static json_t *file_json(const struct showing *s, const struct courier_file *f)
{
    const struct courier_leg *leg = said_of(s, f);
    json_t *o = json_object();
    json_object_set_new(o, "file", json_string(f->name));
    json_object_set_new(o, "bundle", output_json_hex(f->id.bytes, sizeof f->id.bytes));
    json_object_set_new(o, "bytes", json_integer((json_int_t)f->bytes));
    json_object_set_new(o, "from", leg && leg->from[0] ? json_string(leg->from) : json_null());
    json_object_set_new(o, "to", leg && leg->to[0] ? json_string(leg->to) : json_null());
    json_object_set_new(o, "taken", output_json_time(leg ? leg->taken_ms : 0));
    json_object_set_new(o, "damaged", json_boolean(is_damaged(f, leg)));
    return o;
}

static int show_json(const struct showing *s)
{
    json_t *o = output_json("sidan.courier.status/1"), *carried = json_array();
    for (size_t i = 0; i < s->files.count; i++)
        json_array_append_new(carried, file_json(s, &s->files.files[i]));
    json_object_set_new(o, "carried", carried);
    json_object_set_new(o, "bytes", json_integer((json_int_t)s->files.bytes));
    json_object_set_new(o, "bytes_max", json_integer((json_int_t)s->limit));
    json_object_set_new(o, "couriers", couriers_json(&s->couriers, s->hub));
    return output_json_end(o);
}

/* --- for people --- */

static const char *remark_on(const struct showing *s, const struct courier_leg *leg)
{
    struct cli *cli = s->cli;
    const struct courier_file *f = file_of(s, leg);
    const bool own = sign_key_equal(&leg->author, &s->self->first);
    if (leg->came)
        return cli_format(cli, _("came in %s"), words_moment(cli, leg->noted.wall_ms, s->now_ms));
    if (s->hub && courier_waits(leg)) return _("not yet in");
    if (own && f && leg->refused) return _("refused where it is for: hand it over on a stick");
    if (own && f) return is_damaged(f, leg) ? _("damaged here") : _("carried here");
    if (leg->given_ms)
        return cli_format(cli,
                          strcmp(leg->how, "link") == 0 ? _("handed over by link %s")
                                                        : _("handed over on a stick %s"),
                          words_moment(cli, leg->given_ms, s->now_ms));
    return own ? _("no longer here") : _("on its way");
}

static void leg_row(struct table *t, const struct showing *s, const struct courier_leg *leg)
{
    char hex[2 * sizeof leg->bundle.bytes + 1];
    const bool trouble = s->hub && courier_waits(leg);
    hex_encode(hex, leg->bundle.bytes, sizeof leg->bundle.bytes);
    table_colour(t, trouble ? COLOUR_YELLOW : COLOUR_NONE);
    table_cellf(t, "%.*s", ID_SHOWN, hex);
    table_cell(t, slice_of_text(courier_from_words(s->roster, leg)));
    table_cell(t, slice_of_text(courier_to_words(s->roster, leg)));
    table_cell(t, slice_of_text(words_bytes(s->cli, leg->size)));
    table_cell(t, slice_of_text(words_moment(s->cli, leg->taken_ms, s->now_ms)));
    table_cell(t, slice_of_text(leg->with));
    table_cell(t, slice_of_text(remark_on(s, leg)));
}

/* Files that nobody said anything of, and damaged ones. */
static void files_lines(const struct showing *s)
{
    struct cli *cli = s->cli;
    for (size_t i = 0; i < s->files.count; i++) {
        const struct courier_file *f = &s->files.files[i];
        const struct courier_leg *leg = said_of(s, f);
        if (is_damaged(f, leg))
            output_line(cli,
                        _("! %s/courier/%s is damaged: remove it; its sender's next file "
                          "holds the same again"),
                        cli->home, f->name);
        else if (!leg)
            output_line(cli, _("! %s/courier/%s is not noted: sidan courier take it again"),
                        cli->home, f->name);
    }
}

static int show(const struct showing *s)
{
    struct cli *cli = s->cli;
    struct table t;
    if (!cli->csv && s->limit)
        output_line(cli, _("carried here: %zu files, %s of at most %s"), s->files.count,
                    words_bytes(cli, s->files.bytes), words_bytes(cli, s->limit));
    else if (!cli->csv)
        output_line(cli, _("nothing is carried here: sidan config set courier_mib 64"));
    if (!cli->csv) files_lines(s);
    if (!s->couriers.count && !cli->csv) return EXIT_OK;
    table_begin(&t, cli, columns, COLUMNS);
    for (size_t i = 0; i < s->couriers.count; i++) leg_row(&t, s, &s->couriers.legs[i]);
    return table_end(&t);
}

static int read_all(struct showing *s, struct txn *t)
{
    struct cli *cli = s->cli;
    int code = cli_roster(cli, t, &s->roster);
    if (!code) code = cli_self(cli, s->roster, &s->self);
    if (!code) code = couriers_read(cli, t, s->roster, &s->couriers);
    if (code) return code;
    s->hub = (s->self->roles & ROLE_HUB) != 0;
    s->now_ms = cli_now_ms(t);
    s->limit = MIB(cli->settings.courier_mib);
    enum err err = courier_list(&s->files, cli->home);
    return err ? cli_fail(cli, err, _("what is carried here cannot be read")) : EXIT_OK;
}

int cmd_courier_status(struct cli *cli)
{
    struct showing s = {.cli = cli};
    struct txn *t;
    int code = cli_open_settings(cli);
    if (!code) code = cli_begin(cli, &t);
    if (code) return code;
    code = read_all(&s, t);
    if (!code) code = cli->json ? show_json(&s) : show(&s);
    courier_files_clear(&s.files);
    couriers_clear(&s.couriers);
    txn_abort(t);
    return code;
}
