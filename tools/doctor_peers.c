/* The part of `sidan doctor` about whom this node talks to, and whether it does. */
#include "tools/doctor.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_MS (UINT64_C(3) * 24 * 3600 * 1000) /* a village that says nothing for so long */

void doctor_node(struct doctor *d, const struct standing *s)
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
    uint64_t heard_ms = p->through_ms > p->last_ok_ms ? p->through_ms : p->last_ok_ms;
    if (p->last_error && p->failures)
        doctor_found(d, "sync",
                     cli_format(d->cli,
                                _("%s: the last %" PRIu32 " attempts failed (%s), last success %s"),
                                name, p->failures, words_contact(p->last_error),
                                words_ago(d->cli, p->last_ok_ms, s->now_ms)),
                     cure(s, p->last_error));
    else if (p->last_ok_ms && s->now_ms > heard_ms + SILENT_MS && !p->current)
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
    if (!p->neighbour) look_at_failures(d, s, p, name); /* his laptop may be off for weeks */
    if (p->digest == DIGEST_DIFFERS)
        doctor_found(
            d, "digest",
            cli_format(d->cli, _("%s holds the same records, but its lists differ from ours"),
                       name),
            _("sidan verify, here and there; then sidan rebuild where it reports a difference"));
    if (p->disk_free_mib && p->disk_free_mib < DOCTOR_DISK_LOW >> 20)
        doctor_found(d, "peer-disk",
                     cli_format(d->cli, _("%s: only %" PRIu64 " MB are free on its disk"), name,
                                p->disk_free_mib),
                     _("free some space there"));
    if (s->hub && p->clock_known && llabs(p->clock_offset_ms) > DOCTOR_CLOCK_OFF_MS)
        doctor_found(d, "peer-clock",
                     cli_format(d->cli, _("%s: its clock differs by %.0f minutes"), name,
                                (double)p->clock_offset_ms / 60000),
                     _("set the date and time there"));
}

static const char *cure_neighbour(enum err e)
{
    switch (e) {
    case ERR_NOT_FOUND:
        return _("sidan devices shows the names: sidan config set peers NAME=tcp://HOST:PORT");
    case ERR_FORBIDDEN:
        return _("sync that laptop with the hub: it does not know this device, or not as one that "
                 "has joined");
    default:
        return _("see there: is it on, does it listen (sidan config set listen "
                 "tcp://0.0.0.0:7300), does its firewall let that port in; is it in the roster");
    }
}

static void look_at_neighbour(struct doctor *d, const struct standing *s,
                              const struct standing_neighbour *n)
{
    enum err e = (enum err)n->row.last_error;
    if (s->hub)
        doctor_found(
            d, "neighbour",
            cli_format(d->cli, _("a hub calls no neighbours: %s is not called"), n->given->address),
            "sidan config set peers \"\"");
    else if (!n->row.last_ok_ms && e == ERR_NOT_FOUND)
        doctor_found(d, "neighbour",
                     cli_format(d->cli, _("the neighbour at %s: the roster has no \"%s\" to call"),
                                n->given->address, n->given->name),
                     cure_neighbour(e));
    else if (!n->row.last_ok_ms)
        doctor_found(d, "neighbour",
                     cli_format(d->cli, _("the neighbour at %s was never reached (%s)"),
                                n->given->address, e ? words_contact(e) : _("not tried yet")),
                     e ? cure_neighbour(e) : _("start sidan-node: it calls by itself"));
}

int doctor_peers(struct doctor *d, const struct standing *s)
{
    const struct village *only = NULL;
    const char *text = cli_flag(d->cli, "--village");
    int code = text ? lookup_village(d->cli, s->roster, text, &only) : EXIT_OK;
    if (code) return code;
    for (size_t i = 0; i < s->peer_count; i++)
        if (!only || strcmp(only->code, s->peers[i].device->village) == 0)
            look_at_peer(d, s, &s->peers[i]);
    for (size_t i = 0; i < s->neighbour_count; i++) look_at_neighbour(d, s, &s->neighbours[i]);
    if (!s->hub && s->last_ok_ms == 0)
        doctor_found(d, "never", _("this device has never reached the township"),
                     cure(s, ERR_UNREACHABLE));
    return EXIT_OK;
}
