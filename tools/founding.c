#include "tools/founding.h"

#include "common/time.h"
#include "tools/defaults.h"

#include <stdlib.h>
#include <string.h>

/* What is open while a township is being made. */
struct site {
    const char *folder;
    const struct founding_plan *plan;
    struct authority_keys authority;
    struct box_key office;
    struct device_keys hub;
    struct sign_key recovery;
    struct store *store;
    struct views *views;
    struct recorder *recorder;
    uint32_t day; /* of the founding */
};

static enum err add(struct site *s, const char *kind, enum err built, struct buf *body,
                    struct kind_problem *problem)
{
    struct draft draft = {
        .kind = kind,
        .scope = scope_town(),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = buf_slice(body),
    };
    struct recorded recorded;
    enum err e = built != OK ? built : recorder_add(s->recorder, &draft, &recorded, problem);
    buf_reset(body);
    return e;
}

static enum err add_hub(struct site *s, struct buf *body, struct kind_problem *problem)
{
    struct buf sealed = {0};
    struct township_hub hub = {
        .key = s->hub.signer.key,
        .transport = s->hub.transport,
        .name = s->plan->hub_name,
    };
    enum err e =
        crypto_seal(&sealed, &hub.transport,
                    slice_of(s->authority.offices[0].bytes, sizeof s->authority.offices[0].bytes));
    if (e == OK) {
        hub.office_secret = buf_slice(&sealed);
        e = add(s, "device.enrol", township_hub_write(body, &hub), body, problem);
    }
    buf_clear(&sealed);
    return e;
}

/* The first morning's rules, and the calendars of this and the next year where they are known. */
static enum err add_defaults(struct site *s, struct buf *body, struct kind_problem *problem)
{
    enum err e = OK;
    uint32_t year = time_day_date(s->day).year;
    for (int type = 0; e == OK && type < RULE_TYPE_COUNT; type++) {
        if (defaults_rule(body, (enum rule_type)type, s->day)) {
            e = add(s, "rule.put", body->err, body, problem);
        }
    }
    for (uint32_t y = year; e == OK && y <= year + 1; y++) {
        if (defaults_calendar(body, y)) {
            e = add(s, "calendar.put", body->err, body, problem);
        }
    }
    return e;
}

/* township.founded, every village, the hub, what holds from the first day: in the authority's feed,
 * one commit. */
static enum err add_all(struct site *s, struct kind_problem *problem)
{
    struct buf body = {0};
    struct township_founding founded = {
        .name = s->plan->township,
        .recovery = s->recovery,
        .office = s->office,
    };
    enum err e =
        add(s, "township.founded", township_founded_write(&body, &founded), &body, problem);
    for (size_t i = 0; e == OK && i < s->plan->village_count; i++) {
        e = add(s, "village.put", township_village_write(&body, &s->plan->villages[i]), &body,
                problem);
    }
    if (e == OK) {
        e = add_hub(s, &body, problem);
    }
    if (e == OK) {
        e = add_defaults(s, &body, problem);
    }
    buf_clear(&body);
    return e;
}

static enum err record_founding(struct site *s, struct kind_problem *problem)
{
    struct clock_reading clock;
    struct txn *t;
    enum err e = txn_begin(s->store, false, &t);
    if (e != OK) {
        return e;
    }
    clock_read(t, &clock);
    txn_abort(t);
    s->day = time_day(clock.wall_ms);
    e = recorder_begin(s->recorder, &clock);
    if (e != OK) {
        return e;
    }
    e = add_all(s, problem);
    if (e != OK) {
        recorder_abort(s->recorder);
        return e;
    }
    return recorder_commit(s->recorder);
}

static enum err make_store(struct site *s)
{
    struct store_identity identity = {.township = s->authority.signer.key,
                                      .device = s->hub.signer.key};
    crypto_random(identity.generation, sizeof identity.generation);
    enum err e = store_create(s->folder, &identity);
    if (e == OK) {
        e = store_open(&s->store, s->folder, &(struct store_options){0});
    }
    if (e == OK) {
        e = views_open(&s->views, s->store);
    }
    if (e == OK) {
        struct recorder_options options = {.store = s->store,
                                           .views = s->views,
                                           .signer = &s->authority.signer,
                                           .authority = true};
        e = recorder_open(&s->recorder, &options);
    }
    return e;
}

static enum err make_keys(struct site *s, struct founding *out)
{
    struct signer recovery;
    struct box_secret office;
    sign_seed_make(&s->authority.seed);
    signer_from_seed(&s->authority.signer, &s->authority.seed);
    sign_seed_make(&out->recovery);
    signer_from_seed(&recovery, &out->recovery);
    s->recovery = recovery.key;
    signer_clear(&recovery);
    box_pair_make(&s->office, &office);
    authority_keys_add_office(&s->authority, &office);
    crypto_wipe(&office, sizeof office);
    enum err e = home_make_keys(s->folder, &s->hub);
    if (e == OK) {
        e = home_save_authority(s->folder, AUTHORITY_IN_FORCE, &s->authority, s->plan->passphrase);
    }
    return e;
}

static void site_close(struct site *s)
{
    recorder_close(s->recorder);
    views_close(s->views);
    store_close(s->store);
    authority_keys_wipe(&s->authority);
    device_keys_wipe(&s->hub);
}

int founding_build(struct cli *cli, const char *folder, const struct founding_plan *plan,
                   struct founding *out)
{
    struct site s = {.folder = folder, .plan = plan};
    struct kind_problem problem = {0};
    struct settings_problem setting = {0};
    const char *what = _("the township could not be made");
    int code = EXIT_OK;

    enum err e = make_keys(&s, out);
    if (e == OK) {
        e = make_store(&s);
    }
    if (e == OK) {
        e = record_founding(&s, &problem);
    }
    if (e == OK) {
        e = settings_set(folder, "listen", plan->listen, &setting);
    }
    if (e == OK) {
        e = home_mark_joined(folder);
    }
    out->authority = s.authority.signer.key;
    out->hub = s.hub.signer.key;
    site_close(&s);
    if (setting.text[0] != '\0') {
        code = cli_error(cli, EXIT_USAGE,
                         cli_format(cli, _("\"%s\" cannot be listened on"), plan->listen),
                         _(setting.text), _("use an address like tcp://0.0.0.0:7300"));
    } else if (problem.what != NULL && problem.what[0] != '\0' && e != OK) {
        code = cli_fail_kind(cli, e, what, &problem);
    } else if (e != OK) {
        code = cli_fail(cli, e, what);
    }
    return code;
}
