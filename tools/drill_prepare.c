/* The drill's first part: what the hub knows of the village, a copy of its store, an invite. */
#include "tools/drill.h"

#include "node/home_key.h"
#include "node/rehearsal.h"
#include "tools/commands.h"
#include "tools/lookup.h"
#include "tools/standing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the hub as it is --- */

static int is_no_hub(struct cli *cli)
{
    return cli_error(cli, EXIT_REFUSED, _("no drill here"), _("this device is not the hub"),
                     _("run it on the hub"));
}

/* The link of the village's device that was heard last. */
static void take_link(struct drill_seen *seen, const struct standing *s,
                      const struct standing_village *v)
{
    uint64_t last_ok_ms = 0;
    seen->rate_bps = REHEARSAL_RATE_BPS;
    seen->rtt_ms = REHEARSAL_RTT_MS;
    for (size_t i = 0; i < v->peer_count; i++) {
        const struct standing_peer *p = &s->peers[v->peer_at + i];
        if (!p->rate_bps || p->last_ok_ms < last_ok_ms) continue;
        last_ok_ms = p->last_ok_ms;
        seen->rate_bps = p->rate_bps;
        seen->rtt_measured = p->rtt_ms != 0; /* by the end that dials */
        seen->rtt_ms = seen->rtt_measured ? p->rtt_ms : REHEARSAL_RTT_MS;
        seen->measured = true;
    }
}

static void take_village(struct drill_seen *seen, const struct standing *s,
                         const struct village *village)
{
    snprintf(seen->code, sizeof seen->code, "%s", village->code);
    snprintf(seen->village, sizeof seen->village, "%s", village->name);
    snprintf(seen->short_name, sizeof seen->short_name, "%s", village->short_name);
    for (size_t i = 0; i < s->village_count; i++) {
        const struct standing_village *v = &s->villages[i];
        if (v->village != village) continue;
        seen->missing = v->known - v->got;
        seen->missing_sure = v->known_sure;
        seen->last_ok_ms = v->last_ok_ms;
        take_link(seen, s, v);
    }
}

static int look(struct cli *cli, struct drill_seen *seen)
{
    struct txn *t;
    struct standing s;
    const struct village *village;
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = standing_read(cli, t, &s);
    if (!code) {
        code =
            s.hub ? lookup_village(cli, s.roster, cli_argument(cli, 0), &village) : is_no_hub(cli);
        if (!code) take_village(seen, &s, village);
        standing_clear(&s);
    }
    txn_abort(t);
    return code;
}

/* --- the copy --- */

static enum err path_in(const struct drill *d, const char *name, char out[PATH_MAX])
{
    int size = snprintf(out, PATH_MAX, "%s/%s", d->scratch.path, name);
    return size < 0 || size >= PATH_MAX ? ERR_LIMIT : OK;
}

static enum err make_folder(const struct drill *d, const char *name)
{
    char path[PATH_MAX];
    enum err err = path_in(d, name, path);
    if (err) return err;
    return mkdir(path, 0700) ? err_from_errno(errno) : OK;
}

/* The copy, what the new laptop fetches, and room for the hub to go on meanwhile. */
static int check_room(struct drill *d)
{
    struct store_space space;
    enum err err = store_space(d->cli->store, &space);
    if (err) return cli_fail(d->cli, err, _("the disk cannot be asked"));
    uint64_t needed = 2 * space.used + 2 * (uint64_t)STORE_DISK_FREE_MIN;
    if (space.disk_free >= needed) return EXIT_OK;
    return cli_error(d->cli, EXIT_FAILED, _("no drill now"),
                     cli_format(d->cli, _("it needs %.0f MB of the disk, and %.0f MB are free"),
                                (double)needed / 1e6, (double)space.disk_free / 1e6),
                     _("make room, or name a home on another disk"));
}

static int copy(struct drill *d)
{
    char path[PATH_MAX];
    enum err err = make_folder(d, "hub");
    if (!err) err = make_folder(d, "hub/store");
    if (!err) err = path_in(d, "hub/store/data.mdb", path);
    if (!err) err = store_copy(d->cli->store, path, true);
    return err ? cli_fail(d->cli, err, _("the store cannot be copied for the drill")) : EXIT_OK;
}

int drill_open_copy(struct drill *d, struct cli *cli, bool writable)
{
    struct secret_key key;
    bool has_key;
    char path[PATH_MAX];
    enum err err = home_box_key(d->cli->home, &has_key, &key);
    const struct store_options options = {.read_only = !writable, .key = has_key ? &key : NULL};
    if (!err) err = path_in(d, "hub", path);
    if (!err) err = store_open(&cli->store, path, &options);
    crypto_wipe(&key, sizeof key);
    cli->store_writable = !err && writable;
    return err ? cli_fail(cli, err, _("the copy of the store cannot be opened"))
               : cli_open_views(cli);
}

/* --- the invite --- */

/* Of a verb that is a part of the drill only refusals are seen. */
int drill_quietly(struct cli *cli, int (*verb)(struct cli *cli))
{
    int code = EXIT_FAILED, kept = dup(STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept >= 0 && nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0) {
        code = verb(cli);
        fflush(stdout);
        dup2(kept, STDOUT_FILENO);
    } else {
        code = cli_fail(cli, err_from_errno(errno), _("no drill now"));
    }
    if (kept >= 0) close(kept);
    if (nowhere >= 0) close(nowhere);
    return code;
}

/* The authority's key is read where it lies. */
int drill_on_copy(struct drill *d, int (*verb)(struct cli *cli), const char *argument,
                  const struct cli_flag *flags, size_t flag_count)
{
    struct cli cli = {.home = d->cli->home,
                      .quiet = true,
                      .json = d->cli->json,
                      .no_input = d->cli->no_input,
                      .command = d->cli->command,
                      .arguments = {argument},
                      .argument_count = argument ? 1 : 0,
                      .flag_count = flag_count,
                      .keys = d->cli->keys,
                      .has_keys = true};
    for (size_t i = 0; i < flag_count; i++) cli.flags[i] = flags[i];
    int code = drill_open_copy(d, &cli, true);
    if (!code) code = drill_quietly(&cli, verb);
    cli_close(&cli);
    return code;
}

static int invite(struct drill *d)
{
    static const struct flag o = {.name = "-o", .value = "FILE"};
    char file[PATH_MAX];
    enum err err = path_in(d, "invite", file);
    if (err) return cli_fail(d->cli, err, _("no invite was made"));
    return drill_on_copy(d, cmd_invite, d->seen->code, &(struct cli_flag){&o, file}, 1);
}

int drill_prepare(void *state)
{
    struct drill *d = state;
    int code = look(d->cli, d->seen);
    if (!code) code = check_room(d);
    if (!code) code = copy(d);
    if (!code) code = invite(d);
    cli_close(d->cli);
    return code;
}
