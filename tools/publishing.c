#include "tools/publishing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/file.h"
#include "common/time.h"
#include "node/office/points.h"
#include "node/office/redeem.h"
#include "node/views/body.h"
#include "proto/json.h"
#include "tools/words.h"

int publishing_begin(struct publishing *p, struct cli *cli)
{
    struct txn *t;
    p->cli = cli;
    int code = recording_begin(cli, &p->recording);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = views_rules(cli->views, t, &p->rules);
    txn_abort(t);
    p->today = time_day(p->recording.clock.wall_ms);
    return e == OK ? EXIT_OK : cli_fail(cli, e, _("the rules cannot be read"));
}

void publishing_end(struct publishing *p)
{
    mp_map_clear(&p->map);
    buf_clear(&p->body);
}

void publishing_put_text(struct publishing *p, const char *key, const char *text)
{
    struct mp_writer w = mp_map_put(&p->map, key);
    mp_write_text(&w, text);
}

void publishing_put_uint(struct publishing *p, const char *key, uint64_t value)
{
    struct mp_writer w = mp_map_put(&p->map, key);
    mp_write_uint(&w, value);
}

int publishing_put_decision(struct publishing *p)
{
    const char *effective = cli_flag(p->cli, "--effective");
    const char *approved_by = cli_flag(p->cli, "--approved-by");
    const char *doc_ref = cli_flag(p->cli, "--doc-ref");
    char today[TIME_TEXT_SIZE];
    time_format_date(today, time_day_ms(p->today, 0));
    if (effective != NULL && !time_date_valid(effective)) {
        return cli_error(p->cli, EXIT_USAGE, cli_format(p->cli, _("\"%s\" is no day"), effective),
                         _("allowed: YYYY-MM-DD"), NULL);
    }
    publishing_put_text(p, "effective", effective != NULL ? effective : today);
    if (approved_by != NULL) {
        publishing_put_text(p, "approved_by", approved_by);
    }
    if (doc_ref != NULL) {
        publishing_put_text(p, "doc_ref", doc_ref);
    }
    return EXIT_OK;
}

/* --- JSON --- */

int publishing_unreadable(struct cli *cli, enum err e, const char *path)
{
    return cli_error(cli, cli_exit_code(e), cli_format(cli, _("%s cannot be read"), path),
                     cli_err_text(e), _("look at the file's name and folder, and try again"));
}

int publishing_read_json(struct cli *cli, const char *path, json_t **out)
{
    struct buf file = {0};
    json_error_t error = {.text = ""};
    enum err e = file_read(&file, path, PUBLISHING_FILE_SIZE_MAX);
    if (e != OK) {
        buf_clear(&file);
        return publishing_unreadable(cli, e, path);
    }
    json_t *value = json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &error);
    buf_clear(&file);
    if (json_is_object(value)) {
        *out = value;
        return EXIT_OK;
    }
    const char *why = value != NULL ? _("not a JSON object")
                                    : cli_format(cli, _("line %d: %s"), error.line, error.text);
    json_decref(value);
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s cannot be used"), path), why,
                     _("sidan rule show TYPE --json shows one as it has to be"));
}

/* A row that is an object becomes an array in the order of the columns. */
static json_t *row_of(const struct field *field, json_t *row)
{
    if (!json_is_object(row)) {
        return json_incref(row);
    }
    json_t *array = json_array();
    size_t known = 0;
    for (size_t c = 0; c < field->column_count; c++) {
        json_t *cell = json_object_get(row, field->columns[c].name);
        known += cell != NULL;
        json_array_append_new(array, cell != NULL ? json_incref(cell) : json_null());
    }
    if (known != json_object_size(row)) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *value_of(const struct field *field, json_t *value)
{
    size_t i;
    json_t *row;
    if (field->type != FIELD_ROWS || !json_is_array(value)) {
        return json_incref(value);
    }
    json_t *rows = json_array();
    json_array_foreach(value, i, row)
    {
        json_t *cells = row_of(field, row);
        if (cells == NULL) {
            json_decref(rows);
            return NULL;
        }
        json_array_append_new(rows, cells);
    }
    return rows;
}

static int bad_key(struct publishing *p, const char *path, const struct kind *kind, const char *key)
{
    struct buf known = {0};
    for (size_t i = 0; i < kind->field_count; i++) {
        buf_printf(&known, "%s%s", i > 0 ? " " : "", kind->fields[i].name);
    }
    int code =
        cli_error(p->cli, EXIT_USAGE, cli_format(p->cli, _("%s cannot be used"), path),
                  cli_format(p->cli, _("\"%s\" is not known here, or has a row that is not"), key),
                  cli_format(p->cli, _("known are: %s"), buf_text(&known)));
    buf_clear(&known);
    return code;
}

int publishing_put_json(struct publishing *p, const char *path, const struct kind *kind,
                        json_t *object)
{
    const char *key;
    json_t *value, *whole = json_object();
    json_object_foreach(object, key, value)
    {
        const struct field *field = kind_field(kind, key);
        json_t *fit = field != NULL ? value_of(field, value) : NULL;
        if (fit == NULL) {
            json_decref(whole);
            return bad_key(p, path, kind, key);
        }
        if (!json_is_null(fit)) {
            json_object_set(whole, key, fit);
        }
        json_decref(fit);
    }
    struct json_packer packer = {0};
    struct kind_problem problem = {0};
    struct buf packed = {0};
    enum err e = json_pack_map(&packer, &packed, whole, kind, &problem);
    struct mp_reader r = mp_reader_of(buf_slice(&packed));
    for (size_t count = e == OK ? mp_read_map(&r, SIZE_MAX) : 0; count > 0; count--) {
        const char *name = output_text(p->cli, mp_read_str(&r, SIZE_MAX));
        struct mp_writer w = mp_map_put(&p->map, name);
        mp_write_raw(&w, mp_skip(&r));
    }
    json_packer_clear(&packer);
    buf_clear(&packed);
    json_decref(whole);
    return e == OK ? EXIT_OK
                   : cli_fail_kind(p->cli, e, cli_format(p->cli, _("%s cannot be used"), path),
                                   &problem);
}

/* --- what a rule has to be --- */

static int refuse(struct publishing *p, const char *why, const char *todo)
{
    return cli_error(p->cli, EXIT_REFUSED, _("nothing was recorded"), why, todo);
}

static int check_date(struct publishing *p, struct slice body)
{
    uint32_t day;
    if (time_parse_day(&day, body_text(body, "effective")) != OK || day >= p->today) {
        return EXIT_OK; /* what is no day the table of kinds refuses */
    }
    return refuse(p, _("a rule cannot hold for days that are past"),
                  _("let it be effective from today, or later"));
}

static int check_version(struct publishing *p, enum rule_type type, uint64_t ver)
{
    const struct rule *newest = rules_newest(p->rules, type);
    uint32_t next = newest != NULL ? newest->ver + 1 : 1;
    return ver == next
               ? EXIT_OK
               : refuse(p, cli_format(p->cli, _("the next version is %u, not %" PRIu64), next, ver),
                        _("leave ver out, and it is given"));
}

/* A code that was given to requests goes on meaning the same. */
static int check_codes(struct publishing *p, const struct rule *next)
{
    const struct rule *newest = rules_newest(p->rules, RULE_CATEGORY);
    struct category_cursor at = {0}, from;
    struct category c, other;
    while (newest != NULL && rule_category_next(newest, &at, &c)) {
        if (!rule_category_find(next, c.code, &other)) {
            return refuse(p,
                          cli_format(p->cli, _("the code %s (%s) is missing: requests have it"),
                                     output_text(p->cli, c.code), output_text(p->cli, c.zh)),
                          _("codes may be added and names changed; put the code back"));
        }
    }
    at = (struct category_cursor){0};
    while (rule_category_next(next, &at, &c)) {
        from = at;
        while (rule_category_next(next, &from, &other)) {
            if (slice_equal(c.code, other.code)) {
                return refuse(p,
                              cli_format(p->cli, _("the code %s stands there twice"),
                                         output_text(p->cli, c.code)),
                              _("each code has one name"));
            }
        }
    }
    return EXIT_OK;
}

static int check_parts(struct publishing *p, enum rule_type type, struct slice body)
{
    const struct rule next = {.type = type, .fields = body};
    struct limits limits;
    struct points_rules points;
    struct redeem_options redeem;
    if (type == RULE_CATEGORY) {
        return check_codes(p, &next);
    }
    enum err e = type == RULE_SLA      ? limits_read(&limits, body)
                 : type == RULE_POINTS ? points_read(&points, body)
                 : type == RULE_REDEEM ? redeem_read(&redeem, body)
                                       : OK;
    if (e == OK) {
        return EXIT_OK;
    }
    return cli_error(p->cli, EXIT_USAGE, _("nothing was recorded"),
                     e == ERR_EXISTS ? _("one row says again what another says")
                                     : _("a part is missing, or out of its range"),
                     _("sidan rule show TYPE --json shows one as it has to be"));
}

/* --- recording --- */

static int end_body(struct publishing *p, const struct kind *kind)
{
    struct kind_problem problem = {0};
    struct act_problem words;
    enum err e = mp_map_end(&p->map, &p->body);
    if (e == OK) {
        e = kind_check(kind, buf_slice(&p->body), SLICE_EMPTY, false, &problem);
    }
    if (e == ERR_RANGE) {
        act_explain(kind, &problem, &words);
        return recording_refused(p->cli, &words);
    }
    return e == OK ? EXIT_OK : cli_fail(p->cli, e, _("nothing was recorded"));
}

static int record(struct publishing *p, const char *kind)
{
    struct draft draft = {.kind = kind,
                          .scope = scope_town(),
                          .lane = LANE_NORMAL,
                          .founding = true,
                          .body = buf_slice(&p->body)};
    return recording_one(p->cli, &p->recording, &draft, &p->recorded);
}

int publishing_rule(struct publishing *p)
{
    const struct kind *kind = kind_find(slice_of_text("rule.put"));
    enum rule_type type = RULE_TYPE_COUNT;
    struct mp_map *m = &p->map;
    bool has_version = false;
    for (size_t i = 0; i < m->count; i++) {
        struct slice entry = {m->bytes.data + m->entries[i].key_at,
                              m->entries[i].end - m->entries[i].key_at};
        struct mp_reader r = mp_reader_of(entry);
        struct slice key = mp_read_str(&r, SIZE_MAX);
        has_version = has_version || slice_is_text(key, "ver");
        if (slice_is_text(key, "type") && mp_peek(&r) == MP_STR &&
            rule_type_parse(&type, mp_read_str(&r, SIZE_MAX)) != OK) {
            type = RULE_TYPE_COUNT;
        }
    }
    if (!has_version && type != RULE_TYPE_COUNT) {
        const struct rule *newest = rules_newest(p->rules, type);
        publishing_put_uint(p, "ver", newest != NULL ? newest->ver + 1 : 1);
    }
    int code = end_body(p, kind);
    struct slice body = buf_slice(&p->body);
    if (code == EXIT_OK) {
        code = check_version(p, type, body_uint(body, "ver"));
    }
    if (code == EXIT_OK) {
        code = check_date(p, body);
    }
    if (code == EXIT_OK) {
        code = check_parts(p, type, body);
    }
    return code == EXIT_OK ? record(p, "rule.put") : code;
}

int publishing_calendar(struct publishing *p)
{
    const struct kind *kind = kind_find(slice_of_text("calendar.put"));
    struct calendar cal;
    int code = end_body(p, kind);
    if (code != EXIT_OK) {
        return code;
    }
    calendar_begin(&cal);
    enum err e = calendar_put(&cal, buf_slice(&p->body));
    if (e != OK) {
        return refuse(p,
                      e == ERR_EXISTS ? _("a day stands there twice")
                                      : _("a day is not of that year, nor of the December before"),
                      _("one file holds the days of one year"));
    }
    return record(p, "calendar.put");
}
