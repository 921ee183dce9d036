#include "node/views/checks.h"
#include "node/views/sealed.h"
#include "tools/commands.h"
#include "tools/doctor.h"
#include "tools/drill.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/rest_alarm.h"
#include "tools/words.h"

#include "common/time.h"
#include "node/views/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOCK_OFF_MS (2 * 60 * 1000)
#define SILENT_MS (UINT64_C(3) * 24 * 3600 * 1000) /* a village that says nothing for so long */
#define DISK_LOW (4 * STORE_DISK_FREE_MIN)

void doctor_found(struct doctor *d, const char *code, const char *what, const char *todo)
{
    d->count++;
    if (d->problems) {
        json_t *o = json_object();
        json_object_set_new(o, "code", json_string(code));
        json_object_set_new(o, "what", output_json_text(slice_of_text(what)));
        json_object_set_new(o, "do", output_json_text(slice_of_text(todo)));
        json_array_append_new(d->problems, o);
        return;
    }
    output_line(d->cli, "%s%zu. %s%s", output_colour(d->cli, COLOUR_YELLOW), d->count, what,
                output_colour(d->cli, COLOUR_NONE));
    hint_line(d->cli, "   %s: %s", _("do"), todo);
}

/* --- the home --- */

/* Of another user: everything else would be a riddle. */
static bool look_at_access(struct doctor *d)
{
    const char *home = d->cli->home;
    const char *data = cli_format(d->cli, "%s/store/data.mdb", home);
    struct stat st;
    bool usable = access(home, R_OK | W_OK | X_OK) == 0 || errno == ENOENT;
    if (usable && (access(data, R_OK | W_OK) == 0 || errno == ENOENT)) return true;
    if (errno == EROFS) {
        doctor_found(d, "read-only", cli_err_text(ERR_READ_ONLY),
                     _("after an error of the disk the system locks it: have it looked at"));
        return false;
    }
    const struct passwd *owner = stat(home, &st) == 0 ? getpwuid(st.st_uid) : NULL;
    doctor_found(
        d, "permission", cli_format(d->cli, _("this user may not read and write %s"), home),
        owner ? cli_format(d->cli, _("it belongs to %s: run sidan as that user"), owner->pw_name)
              : _("run sidan as the user who owns the folder"));
    return false;
}

static bool look_at_home(struct doctor *d)
{
    enum home_state state = home_state(d->cli->home);
    if (state == HOME_EMPTY)
        doctor_found(d, "not-joined", _("this device has not joined a township"),
                     _("sidan join FILE with the township's invite; another folder: --home DIR"));
    if (state == HOME_JOINING)
        doctor_found(d, "joining", _("this device has asked to join, and waits for the answer"),
                     _("sidan join once more, or start sidan-node"));
    if (scratch_left(d->cli->home, DRILL_FOLDER))
        doctor_found(d, "drill", _("a drill left residents' records"), _("delete HOME/drill"));
    return state == HOME_JOINED;
}

static void look_at_mode(struct doctor *d, const char *name)
{
    struct stat st;
    const char *path = cli_format(d->cli, "%s/%s", d->cli->home, name);
    if (lstat(path, &st) || (S_ISREG(st.st_mode) && (st.st_mode & 077) == 0)) return;
    doctor_found(d, "key-mode", cli_format(d->cli, _("others can read the key %s"), path),
                 cli_format(d->cli, "chmod 600 %s", path));
}

static void look_at_keys(struct doctor *d)
{
    struct device_keys keys;
    look_at_mode(d, "device.key");
    look_at_mode(d, "authority.key");
    enum err e = home_load_keys(d->cli->home, &keys);
    if (!e) device_keys_wipe(&keys);
    if (e == ERR_LOCKED || e == ERR_NO_KEYRING)
        doctor_found(d, "locked", cli_err_text(e), cli_err_todo(e));
    else if (e && e != ERR_PERMISSION)
        doctor_found(
            d, "key-missing",
            cli_format(d->cli, _("this device's keys cannot be read: %s"), cli_err_text(e)),
            _("this device has to be invited anew: its records come back by the first sync"));
}

static void look_at_settings(struct doctor *d)
{
    struct settings_problem problem = {0};
    struct cli *cli = d->cli;
    cli->has_settings = settings_load(&cli->settings, cli->home, &problem) == OK;
    if (cli->has_settings) return;
    doctor_found(
        d, "config",
        cli_format(d->cli, _("the configuration, line %u: %s"), problem.line, problem.text),
        cli_format(d->cli, _("correct it in %s/config"), d->cli->home));
}

/* A store copied from another machine shows that one's records as this one's. */
static bool is_own(const struct doctor *d)
{
    struct device_keys keys;
    if (home_load_keys(d->cli->home, &keys)) return true; /* reported with the keys */
    bool own = sign_key_equal(&keys.signer.key, &store_identity(d->cli->store)->device);
    device_keys_wipe(&keys);
    return own;
}

static bool look_at_store(struct doctor *d)
{
    if (d->cli->views) return true;
    enum err e = cli_try_store(d->cli, false);
    if (!e && !is_own(d)) e = ERR_FOREIGN;
    if (!e) e = views_open(&d->cli->views, d->cli->store);
    if (!e) return true;
    if (e == ERR_AGAIN) {
        doctor_found(d, "rebuild", _("the lists were made by another version of sidan"),
                     _("wait for the node, or run sidan rebuild"));
        return false;
    }
    const char *why = e == ERR_FOREIGN ? _("it belongs to another device") : cli_err_text(e);
    doctor_found(
        d, "store", cli_format(d->cli, _("the store cannot be opened: %s"), why),
        _("keep the folder as it is; ask the township for a new invite: the first sync brings the "
          "records back"));
    return false;
}

/* --- what the store tells --- */

static void look_at_rest(struct doctor *d)
{
    struct trust_alarm alarm;
    if (rest_alarm(d->cli, &alarm)) doctor_found(d, alarm.code, alarm.what, alarm.todo);
}

static void look_at_disk(struct doctor *d)
{
    struct store_space space;
    if (store_space(d->cli->store, &space)) return;
    if (space.disk_free < DISK_LOW)
        doctor_found(d, "disk",
                     cli_format(d->cli, _("only %s are free on the disk"),
                                words_bytes(d->cli, space.disk_free)),
                     _("free some space: without it nothing can be recorded"));
    if (space.used > space.map_size / 10 * 9)
        doctor_found(d, "store-size",
                     cli_format(d->cli, _("the store holds %s of at most %s"),
                                words_bytes(d->cli, space.used),
                                words_bytes(d->cli, space.map_size)),
                     _("sidan compact, with the node stopped"));
}

static void look_at_records(struct doctor *d, const struct standing *s)
{
    if (s->damage.count)
        doctor_found(
            d, "damage",
            cli_format(d->cli,
                       _("%zu records are damaged on this disk (the first: no. %" PRIu64 ")"),
                       s->damage.count, s->damage.arrivals[0]),
            _("keep the folder; ask the township for a new invite: the first sync brings the "
              "records back; and have the disk replaced"));
}

static void look_at_clock(struct doctor *d, const struct standing *s)
{
    if (!s->clock.trusted)
        doctor_found(d, "clock",
                     _("nobody has vouched for this machine's clock since it was started"),
                     _("compare with a watch; if it is right: sidan clock --set"));
    if (llabs(s->clock.offset_ms) > CLOCK_OFF_MS)
        doctor_found(d, "clock-off",
                     cli_format(d->cli, _("this machine's clock is wrong by %.0f minutes"),
                                (double)s->clock.offset_ms / -60000),
                     _("set the machine's date and time"));
}

static void look_at_month(struct doctor *d, const struct standing *s)
{
    if (!s->month.holding) return;
    doctor_found(
        d, "month",
        _("nine tenths of this month's traffic are used up: records wait, the urgent ones go"),
        cli_format(d->cli, _("wait until %s, or raise it: sidan config set monthly_limit_mb MB"),
                   month_resumes(d->cli, &s->month)));
}

static int look_at_views(struct doctor *d, struct txn *txn)
{
    struct visible visible;
    uint64_t done, total;
    if (!views_rebuild_pending(txn, &done, &total)) return EXIT_OK;
    int code = cli_visible(d->cli, txn, &visible);
    if (code) return code;
    visible_progress(&visible, &done, &total);
    visible_end(&visible);
    doctor_found(d, "rebuild",
                 cli_format(d->cli, _("the lists are being made anew: %" PRIu64 " of %" PRIu64),
                            done, total),
                 _("wait for the node, or run sidan rebuild"));
    return EXIT_OK;
}

static int look_at_sealed(struct doctor *d, struct txn *txn, const struct standing *s)
{
    struct sealed_counts counts;
    if (!s->hub) return EXIT_OK;
    enum err e = sealed_count(txn, &counts);
    if (e) return cli_fail(d->cli, e, _("the sealed records cannot be read"));
    if (counts.waiting)
        doctor_found(
            d, "sealed",
            cli_format(d->cli, _("%" PRIu64 " sealed records wait to be opened"), counts.waiting),
            "sidan sealed open");
    return EXIT_OK;
}

static void look_at_node(struct doctor *d, const struct standing *s)
{
    if (!s->node_running)
        doctor_found(d, "node",
                     _("sidan-node is not running: nothing is sent or received by itself"),
                     cli_format(d->cli, _("systemctl start sidan-node, or sidan-node --home %s"),
                                d->cli->home));
    if (s->hub && d->cli->has_settings && !d->cli->settings.listen[0])
        doctor_found(d, "listen", _("the hub listens nowhere: no village can reach it"),
                     "sidan config set listen tcp://0.0.0.0:7300");
    if (!s->hub && d->cli->has_settings && d->cli->settings.hub_count == 0)
        doctor_found(d, "hub-address", _("no address of the hub is known"),
                     _("sidan config set hub tcp://ADDRESS:7300"));
}

static const char *call_there(void)
{
    return _("call there: is the laptop on, is sidan-node running, does the network work");
}

/* What to do about the error that the last attempts ended with. */
static const char *cure(const struct standing *s, enum err e)
{
    switch (e) {
    case ERR_TIMEOUT:
    case ERR_UNREACHABLE:
        if (s->hub) return call_there();
        return _("check the network and the hub's address (sidan config get hub); records are safe "
                 "meanwhile");
    case ERR_FORBIDDEN:
        return _("the other side refuses this device: ask the township whether it was revoked");
    case ERR_NOSPACE:
    case ERR_MAP_FULL:
        return _("free some space on the disk");
    case ERR_FOREIGN:
        return _("the address leads to another township's hub: sidan config get hub");
    case ERR_VERSION:
        return _("install the same version of sidan on both");
    default:
        return _("sidan sync shows each step");
    }
}

static void look_at_failures(struct doctor *d, const struct standing *s,
                             const struct standing_peer *p, const char *name)
{
    if (p->last_error && p->failures)
        doctor_found(d, "sync",
                     cli_format(d->cli,
                                _("%s: the last %" PRIu32 " attempts failed (%s), last success %s"),
                                name, p->failures, words_contact(p->last_error),
                                words_ago(d->cli, p->last_ok_ms, s->now_ms)),
                     cure(s, p->last_error));
    else if (p->last_ok_ms && s->now_ms > p->last_ok_ms + SILENT_MS && !p->current)
        doctor_found(d, "silent",
                     cli_format(d->cli, _("%s: no contact, last success %s"), name,
                                words_ago(d->cli, p->last_ok_ms, s->now_ms)),
                     call_there());
}

static void look_at_peer(struct doctor *d, const struct standing *s, const struct standing_peer *p)
{
    const char *village = p->device->village;
    const char *name =
        village[0]
            ? cli_format(d->cli, "%s %s", lookup_village_name(s->roster, village), p->device->name)
            : p->device->name;
    look_at_failures(d, s, p, name);
    if (p->digest == DIGEST_DIFFERS)
        doctor_found(
            d, "digest",
            cli_format(d->cli, _("%s holds the same records, but its lists differ from ours"),
                       name),
            _("sidan verify, here and there; then sidan rebuild where it reports a difference"));
    if (p->disk_free_mib && p->disk_free_mib < DISK_LOW >> 20)
        doctor_found(d, "peer-disk",
                     cli_format(d->cli, _("%s: only %" PRIu64 " MB are free on its disk"), name,
                                p->disk_free_mib),
                     _("free some space there"));
    if (s->hub && p->clock_known && llabs(p->clock_offset_ms) > CLOCK_OFF_MS)
        doctor_found(d, "peer-clock",
                     cli_format(d->cli, _("%s: its clock differs by %.0f minutes"), name,
                                (double)p->clock_offset_ms / 60000),
                     _("set the date and time there"));
}

static int look_at_peers(struct doctor *d, const struct standing *s)
{
    const struct village *only = NULL;
    const char *text = cli_flag(d->cli, "--village");
    int code = text ? lookup_village(d->cli, s->roster, text, &only) : EXIT_OK;
    if (code) return code;
    for (size_t i = 0; i < s->peer_count; i++)
        if (!only || strcmp(only->code, s->peers[i].device->village) == 0)
            look_at_peer(d, s, &s->peers[i]);
    if (!s->hub && s->last_ok_ms == 0)
        doctor_found(d, "never", _("this device has never reached the township"),
                     cure(s, ERR_UNREACHABLE));
    return EXIT_OK;
}

/* The State Council announces a year in the autumn before; a December is known with the next one.
 */
static int look_at_calendar(struct doctor *d, struct txn *txn, const struct standing *s)
{
    const struct device *self = roster_device(s->roster, &store_identity(d->cli->store)->device);
    const struct rules *rules;
    if (!self || !(self->roles & ROLE_OFFICE)) return EXIT_OK;
    enum err e = views_rules(d->cli->views, txn, &rules);
    if (e) return cli_fail(d->cli, e, _("the rules cannot be read"));
    struct time_date today = time_day_date(time_day(cli_now_ms(txn)));
    uint32_t year = today.month == 12 ? today.year + 1 : today.year;
    if (!rules_calendar_of(rules, year))
        doctor_found(d, "calendar",
                     cli_format(d->cli,
                                _("the calendar of %u is not recorded: dates are provisional"),
                                year),
                     _("sidan calendar put FILE, with the days that the State Council announced"));
    return EXIT_OK;
}

static int look_at_checks(struct doctor *d, struct txn *txn)
{
    uint64_t count;
    enum err e = checks_count(d->cli->views, txn, &count);
    if (e) return cli_fail(d->cli, e, _("the checks could not be made"));
    if (count)
        doctor_found(d, "checks",
                     cli_format(d->cli, _("%" PRIu64 " records contradict others"), count),
                     _("sidan checks lists them, and what to do"));
    return EXIT_OK;
}

static int look_into_store(struct doctor *d)
{
    struct txn *txn;
    struct standing s;
    int code = cli_begin(d->cli, &txn);
    if (code) return code;
    code = standing_read(d->cli, txn, &s);
    if (!code) {
        look_at_disk(d);
        look_at_rest(d);
        look_at_records(d, &s);
        look_at_clock(d, &s);
        look_at_month(d, &s);
        code = look_at_views(d, txn);
        look_at_node(d, &s);
        if (!code) code = doctor_trust(d, txn, &s);
        if (!code) code = look_at_calendar(d, txn, &s);
        if (!code) code = look_at_sealed(d, txn, &s);
        if (!code) code = look_at_checks(d, txn);
        if (!code) code = look_at_peers(d, &s);
        standing_clear(&s);
    }
    txn_abort(txn);
    return code;
}

int cmd_doctor(struct cli *cli)
{
    struct doctor d = {.cli = cli, .problems = cli->json ? json_array() : NULL};
    int code = EXIT_OK;
    bool usable = look_at_access(&d);
    if (usable) look_at_settings(&d);
    if (usable && look_at_home(&d)) {
        look_at_keys(&d);
        if (look_at_store(&d)) code = look_into_store(&d);
    }
    if (code) {
        json_decref(d.problems);
        return code;
    }
    if (d.problems) {
        json_t *o = output_json("sidan.doctor/1");
        json_object_set_new(o, "problems", d.problems);
        code = output_json_end(o);
    } else if (d.count == 0) {
        output_line(cli, "%s", _("nothing is wrong"));
    }
    return !code && d.count ? EXIT_ATTENTION : code;
}
