#include "tools/defaults.h"

#include <string.h>

#include "common/time.h"

#define DECIDED_BY "系统默认"
#define DECISION "默认值, 由镇里会议修订"
#define PUBLIC_DAYS 7

/* --- categories: two levels, a clerk edits names, never codes --- */

static const struct {
    const char *code, *zh, *en;
} categories[] = {
    {"0100", "水", "water"},
    {"0101", "饮水供水", "drinking water supply"},
    {"0102", "排水排污", "drainage and sewage"},
    {"0103", "水利灌溉", "irrigation and waterworks"},
    {"0200", "电与通信", "power and telecom"},
    {"0201", "供电", "power supply"},
    {"0202", "通信网络", "telephone and network"},
    {"0300", "道路", "roads"},
    {"0301", "道路破损", "road damage"},
    {"0302", "路灯", "street lighting"},
    {"0303", "交通出行", "traffic and transport"},
    {"0400", "住房与建设", "housing and building"},
    {"0401", "危房", "unsafe housing"},
    {"0402", "宅基地与建房", "homestead and building permits"},
    {"0500", "环境卫生", "environment and sanitation"},
    {"0501", "垃圾清运", "refuse collection"},
    {"0502", "污染", "pollution"},
    {"0600", "农业农村", "farming and countryside"},
    {"0601", "土地", "land"},
    {"0602", "补贴", "subsidies"},
    {"0603", "病虫害与防疫", "pests and epidemics"},
    {"0700", "民政救助", "social assistance"},
    {"0701", "低保", "minimum living allowance"},
    {"0702", "残疾", "disability"},
    {"0703", "五保与特困", "destitute support"},
    {"0800", "医疗医保", "health and medical insurance"},
    {"0900", "教育", "education"},
    {"1000", "老人与留守儿童", "the old and children left behind"},
    {"1001", "助老", "help for the old"},
    {"1002", "留守儿童", "children left behind"},
    {"1100", "矛盾纠纷", "disputes"},
    {"1200", "治安与安全隐患", "public order and safety hazards"},
    {"1201", "安全隐患", "safety hazard"},
    {"1300", "劳动就业", "work and employment"},
    {"1400", "政策咨询", "policy enquiries"},
    {"1500", "干部作风", "conduct of officials (accusation: office only)"},
    {"9900", "其他", "other"},
};
enum { CATEGORY_COUNT = sizeof categories / sizeof categories[0] };

static void write_categories(struct mp_map *m)
{
    struct mp_writer w = mp_map_put(m, "categories");
    mp_write_array(&w, CATEGORY_COUNT);
    for (size_t i = 0; i < CATEGORY_COUNT; i++) {
        mp_write_array(&w, 4);
        mp_write_text(&w, categories[i].code);
        mp_write_text(&w, categories[i].zh);
        mp_write_text(&w, categories[i].en);
        mp_write_nil(&w);
    }
}

/* --- limits: those of the program, published --- */

static void write_limits(struct mp_map *m)
{
    static const char *const names[] = {
#define LIMITS_NAME(step, name, amount, unit) name,
        LIMITS_LIST(LIMITS_NAME)
#undef LIMITS_NAME
    };
    static const char *const units[] = {
        [LIMIT_WORKING_DAYS] = "wd", [LIMIT_DAYS] = "d", [LIMIT_HOURS] = "h"};
    struct limits limits = limits_default();
    struct mp_writer w = mp_map_put(m, "limits");
    mp_write_array(&w, LIMIT_STEP_COUNT);
    for (size_t i = 0; i < LIMIT_STEP_COUNT; i++) {
        mp_write_array(&w, 3);
        mp_write_text(&w, names[i]);
        mp_write_uint(&w, limits.of[i].amount);
        mp_write_text(&w, units[limits.of[i].unit]);
    }
}

/* --- points: a point an hour in half hours, verified, two hours an activity at most --- */

#define POINTS_BLOCK_MIN 30
#define TENTHS 10 /* of a point */

static void write_points(struct mp_map *m)
{
    struct mp_writer w = mp_map_put(m, "points");
    mp_write_array(&w, 1);
    mp_write_array(&w, 11);
    mp_write_text(&w, "hour");
    mp_write_text(&w, "hour");
    mp_write_int(&w, 1 * TENTHS);
    mp_write_uint(&w, POINTS_BLOCK_MIN);
    mp_write_uint(&w, 100);
    mp_write_nil(&w);                /* whatever the service */
    mp_write_uint(&w, 2 * TENTHS);   /* an activity */
    mp_write_uint(&w, 4 * TENTHS);   /* a day */
    mp_write_uint(&w, 30 * TENTHS);  /* a month */
    mp_write_uint(&w, 200 * TENTHS); /* a year */
    mp_write_bool(&w, true);
    w = mp_map_put(m, "public_days");
    mp_write_uint(&w, PUBLIC_DAYS);
}

/* --- redemption: each the share of the pool that their points are of all, in whole yuan --- */

static void put_text(struct mp_map *m, const char *key, const char *text)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_text(&w, text);
}

static void write_redeem(struct mp_map *m)
{
    put_text(m, "scheme", "share");
    put_text(m, "round", "yuan");
    put_text(m, "rounding", "floor");
}

bool defaults_rule(struct buf *body, enum rule_type type, uint32_t day)
{
    static void (*const parts[RULE_TYPE_COUNT])(struct mp_map * m) = {
        [RULE_SLA] = write_limits,
        [RULE_POINTS] = write_points,
        [RULE_REDEEM] = write_redeem,
        [RULE_CATEGORY] = write_categories,
    };
    char effective[TIME_TEXT_SIZE];
    struct mp_map m = {0};
    if (parts[type] == NULL) {
        return false;
    }
    time_format_date(effective, time_day_ms(day, 0));
    put_text(&m, "type", rule_type_name(type));
    struct mp_writer w = mp_map_put(&m, "ver");
    mp_write_uint(&w, 1);
    put_text(&m, "effective", effective);
    put_text(&m, "approved_by", DECIDED_BY);
    put_text(&m, "doc_ref", DECISION);
    parts[type](&m);
    enum err e = mp_map_end(&m, body);
    if (e != OK && body->err == OK) {
        body->err = e;
    }
    mp_map_clear(&m);
    return true;
}
