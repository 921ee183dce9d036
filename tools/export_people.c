#include "tools/exporting.h"

#include "node/views/body.h"
#include "node/views/person.h"
#include "node/views/service.h"
#include "tools/lookup.h"
#include "tools/words.h"

static const char *village_of(const struct exporting *x, const struct thing *thing)
{
    struct scope_row scope;
    if (!scope_get(x->txn, thing->key.scope_number, &scope)) return "";
    if (scope_class(&scope.scope) == SCOPE_VILLAGE) {
        const struct village *v = roster_village(x->roster, scope_village(&scope.scope));
        return v ? v->code : "";
    }
    const struct device *author = roster_device(x->roster, &thing->author);
    return author ? author->village : "";
}

static void village_cell(struct exporting *x, const struct thing *thing)
{
    export_cell(x, slice_of_text(lookup_village_name(x->roster, village_of(x, thing))));
}

static void state_cell(struct exporting *x, const struct thing *thing)
{
    export_cell(x, slice_of_text(i18n_is_chinese() ? thing_state_zh(thing->type, thing->state)
                                                   : thing_state_name(thing->type, thing->state)));
}

/* --- volunteers ---------------------------------------------------------------------------- */

static const struct export_column volunteer_columns[] = {
    {"no.", "序号", false},        {"number", "编号", false},
    {"village", "村", false},      {"team", "服务队", false},
    {"name", "姓名", true},        {"phone", "电话", true},
    {"skills", "特长", true},      {"categories", "服务类别", false},
    {"joined", "加入日期", false}, {"consent_ref", "同意书", false},
    {"state", "状态", false},      {"left on", "退出日期", false},
};

static void team_cell(struct exporting *x, const struct thing *volunteer)
{
    struct thing team;
    struct thing_key key = {.scope_number = volunteer->key.scope_number};
    bool found = body_thing(volunteer->fields, "team", &key.thing) &&
                 thing_get(x->txn, THING_TEAM, &key, &team) == OK;
    export_cell(x, found ? body_text(team.fields, "name") : SLICE_EMPTY);
}

/* As import takes them: one after the other with blanks between. */
static void categories_cell(struct exporting *x, const struct thing *volunteer)
{
    struct buf all = {0};
    size_t count;
    struct mp_reader list = body_rows(volunteer->fields, "categories", &count);
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_byte(&all, ' ');
        buf_append_slice(&all, mp_read_str(&list, SIZE_MAX));
    }
    export_cell(x, buf_slice(&all));
    if (all.err && !x->err) x->err = all.err;
    buf_clear(&all);
}

static bool each_volunteer(void *state, const struct thing *volunteer)
{
    struct exporting *x = state;
    struct person person = {0};
    struct slice fields = volunteer->fields;
    if (!export_wants_village(x, village_of(x, volunteer)) ||
        !export_wants_date(x, body_text(fields, "joined")))
        return true;
    if (x->personal) x->err = person_read(x->cli->views, x->txn, &volunteer->key, &person);
    if (x->err) return false;
    export_number(x, x->rows + 1);
    export_cell(x, body_text(fields, "number"));
    village_cell(x, volunteer);
    team_cell(x, volunteer);
    export_cell(x, slice_of_text(person.name));
    export_cell(x, slice_of_text(person.phone));
    export_cell(x, slice_of_text(person.skills));
    categories_cell(x, volunteer);
    export_cell(x, body_text(fields, "joined"));
    export_cell(x, body_text(fields, "consent_ref"));
    state_cell(x, volunteer);
    export_cell(x, body_text(fields, "on"));
    return !x->err;
}

static enum err add_volunteers(struct exporting *x)
{
    return things_each(x->txn, THING_VOLUNTEER, 0, each_volunteer, x);
}

const struct export_sheet export_volunteers = {
    .name = "volunteers",
    .zh = "志愿者",
    .columns = volunteer_columns,
    .column_count = sizeof volunteer_columns / sizeof volunteer_columns[0],
    .add = add_volunteers,
};

/* --- services ------------------------------------------------------------------------------ */

static const struct export_column service_columns[] = {
    {"no.", "序号", false},
    {"village", "村", false},
    {"date", "日期", false},
    {"service", "服务类别", false},
    {"activity", "活动", false},
    {"volunteer's number", "志愿者编号", false},
    {"name", "姓名", true},
    {"minutes", "分钟", false},
    {"minutes verified", "核定分钟", false},
    {"state", "状态", false},
    {"how it was confirmed", "确认方式", false},
};

static struct slice title_of(struct exporting *x, const struct thing *service)
{
    struct thing_id id;
    struct thing activity;
    bool known = body_thing(service->fields, "activity", &id) &&
                 thing_of_id(x->txn, THING_ACTIVITY, &id, &activity);
    return known ? body_text(activity.fields, "title") : SLICE_EMPTY;
}

static void service_row(struct exporting *x, const struct thing *service, struct slice title,
                        const struct service_person *s)
{
    struct thing volunteer;
    struct person person = {0};
    bool sheet = body_has(service->fields, "method");
    bool known = person_of_id(x->txn, &s->person, &volunteer);
    if (known && x->personal) x->err = person_read(x->cli->views, x->txn, &volunteer.key, &person);
    if (x->err) return;
    export_number(x, x->rows + 1);
    village_cell(x, service);
    export_cell(x, body_text(service->fields, "date"));
    export_choice(x, "category", body_text(service->fields, "category"));
    export_cell(x, title);
    export_cell(x, known ? body_text(volunteer.fields, "number") : SLICE_EMPTY);
    export_cell(x, slice_of_text(person.name));
    export_number(x, s->stated);
    export_number(x, s->verified);
    state_cell(x, service);
    export_choice(x, sheet ? "method" : "confirm",
                  body_text(service->fields, sheet ? "method" : "confirm"));
}

static bool each_service(void *state, const struct thing *service)
{
    struct exporting *x = state;
    struct service_person people[SHEET_ROWS_MAX];
    if (!export_wants_village(x, village_of(x, service)) ||
        !export_wants_date(x, body_text(service->fields, "date")))
        return true;
    size_t count = service_people(service, people);
    struct slice title = title_of(x, service);
    for (size_t i = 0; i < count && !x->err; i++) service_row(x, service, title, &people[i]);
    return !x->err;
}

static enum err add_services(struct exporting *x)
{
    return things_each(x->txn, THING_SERVICE, 0, each_service, x);
}

const struct export_sheet export_services = {
    .name = "services",
    .zh = "服务",
    .columns = service_columns,
    .column_count = sizeof service_columns / sizeof service_columns[0],
    .add = add_services,
};

/* --- activities ---------------------------------------------------------------------------- */

static const struct export_column activity_columns[] = {
    {"no.", "序号", false},
    {"village", "村", false},
    {"date", "日期", false},
    {"title", "名称", false},
    {"service", "服务类别", false},
    {"place", "地点", false},
    {"village that was helped", "受益村", false},
    {"people helped", "受益人数", false},
    {"outcomes", "成果", false},
};

static void outcomes_cell(struct exporting *x, struct slice fields)
{
    const char *all = "";
    size_t count;
    struct mp_reader rows = body_rows(fields, "outcome", &count);
    for (size_t i = 0; i < count && !rows.err; i++) {
        if (mp_read_array(&rows, 2) != 2) break;
        struct slice key = mp_read_str(&rows, SIZE_MAX);
        unsigned n = (unsigned)mp_read_uint(&rows, UINT32_MAX);
        all = cli_format(x->cli, "%s%s%s %u", all, *all ? "; " : "",
                         words_choice(x->cli, "key", key), n);
    }
    export_cell(x, slice_of_text(all));
}

static bool each_activity(void *state, const struct thing *activity)
{
    struct exporting *x = state;
    struct slice fields = activity->fields, host = body_text(fields, "host");
    if (!export_wants_village(x, village_of(x, activity)) ||
        !export_wants_date(x, body_text(fields, "date")))
        return true;
    export_number(x, x->rows + 1);
    village_cell(x, activity);
    export_cell(x, body_text(fields, "date"));
    export_cell(x, body_text(fields, "title"));
    export_choice(x, "category", body_text(fields, "category"));
    export_cell(x, body_text(fields, "place"));
    if (host.size)
        export_cell(x, slice_of_text(lookup_village_name(x->roster, output_text(x->cli, host))));
    else
        village_cell(x, activity);
    export_number(x, body_uint(fields, "people_helped"));
    outcomes_cell(x, fields);
    return !x->err;
}

static enum err add_activities(struct exporting *x)
{
    return things_each(x->txn, THING_ACTIVITY, 0, each_activity, x);
}

const struct export_sheet export_activities = {
    .name = "activities",
    .zh = "活动",
    .columns = activity_columns,
    .column_count = sizeof activity_columns / sizeof activity_columns[0],
    .add = add_activities,
};
