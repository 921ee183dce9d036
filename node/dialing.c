#include "node/dialing.h"

#include <stdio.h>
#include <string.h>

#define NEXT_ADDRESS_MS 500
#define PAUSE_MS 1000 /* between attempts, however the network flaps */
/* The kernel sends a SYN again after one second, then after two more. */
#define SECOND_SYN_MS 1000
#define PATIENCE_MIN_MS 2000 /* a radio may have to wake up */
#define UNKNOWN_RTT_MS 1500
#define LONG_EVERY 4
#define TURNED_AWAY 10

void dialing_init(struct dialing *d, const struct dialing_options *options)
{
    *d = (struct dialing){.options = *options};
}

void dialing_add_address(struct dialing *d, const char *address)
{
    if (d->address_count == DIAL_PLACES_MAX) return;
    char *to = d->addresses[d->address_count++];
    snprintf(to, ADDRESS_SIZE_MAX, "%s", address);
}

void dialing_set_addresses(struct dialing *d, const struct dial_plan *plan)
{
    d->address_count = d->next_address = 0;
    for (size_t i = 0; i < plan->count; i++) dialing_add_address(d, plan->places[i].address);
}

bool dialing_due(const struct dialing *d, uint64_t now_ms)
{
    return !d->link && d->address_count && now_ms >= d->next_ms;
}

/* Half of the wait is chance. */
static uint64_t with_jitter(uint64_t wait_ms)
{
    uint32_t random;
    crypto_random(&random, sizeof random);
    return wait_ms / 2 + (wait_ms / 2) * random / UINT32_MAX;
}

static uint64_t backoff_ms(const struct dialing *d, uint64_t max_ms)
{
    uint64_t wait_ms = (uint64_t)d->options.retry_min_s * 1000;
    for (uint32_t i = 1; i < d->rounds && wait_ms < max_ms; i++) wait_ms += wait_ms / 4;
    return with_jitter(wait_ms < max_ms ? wait_ms : max_ms);
}

uint64_t dialing_patience_ms(const struct dialing *d)
{
    if (d->rounds % LONG_EVERY == LONG_EVERY - 1) return 0;
    uint64_t ms = SECOND_SYN_MS + 2 * (d->rtt_ms ? d->rtt_ms : UNKNOWN_RTT_MS);
    return ms > PATIENCE_MIN_MS ? ms : PATIENCE_MIN_MS;
}

/* The next address at once; after the last one the wait. */
static void attempt_failed(struct dialing *d, bool turned_away, uint64_t now_ms)
{
    uint64_t max_ms = (uint64_t)d->options.retry_max_s * 1000 * (turned_away ? TURNED_AWAY : 1);
    d->next_address++;
    if (d->next_address < d->address_count) {
        d->next_ms = now_ms + NEXT_ADDRESS_MS;
        return;
    }
    d->next_address = 0;
    if (d->rounds < UINT32_MAX) d->rounds++;
    d->next_ms = now_ms + backoff_ms(d, max_ms);
}

void dialing_use(struct dialing *d, const struct box_key *key, const struct box_secret *secret)
{
    d->options.key = *key;
    d->options.secret = *secret;
}

enum err dialing_start(struct dialing *d, const struct box_key *peer, uint64_t now_ms)
{
    const struct zmq_link_dial dial = {.address = d->addresses[d->next_address],
                                       .peer = *peer,
                                       .key = d->options.key,
                                       .secret = d->options.secret,
                                       .patience_ms = dialing_patience_ms(d)};
    d->tried = true;
    d->tried_ms = now_ms;
    enum err err = zmq_link_dial(&d->link, d->options.context, &dial);
    if (err) attempt_failed(d, false, now_ms);
    return err;
}

void dialing_failed(struct dialing *d, uint64_t now_ms)
{
    attempt_failed(d, false, now_ms);
}

const char *dialing_address(const struct dialing *d)
{
    return d->addresses[d->next_address];
}

/* Where it is known and another one, the link's. */
static void note_way(struct dialing *d)
{
    const struct way *taken = d->link ? zmq_link_way(d->link) : NULL;
    if (taken && taken->endpoint[0] && strcmp(taken->endpoint, d->way.endpoint) != 0)
        d->way = *taken;
}

bool dialing_way_is_new(struct dialing *d, bool again)
{
    note_way(d);
    if (!d->way.endpoint[0]) return true; /* a name that could not be looked up yet */
    bool other = way_is_new(&d->way);
    return way_exists(&d->way) && (again || other);
}

void dialing_restart(struct dialing *d, uint64_t now_ms)
{
    note_way(d);
    if (d->link) d->link->ops->close(d->link);
    d->link = NULL;
    d->next_ms = now_ms + PAUSE_MS;
    dialing_hurry(d, true, now_ms);
}

void dialing_end(struct dialing *d, enum dialing_outcome outcome, uint64_t now_ms)
{
    if (!d->link) return;
    note_way(d);
    d->link->ops->close(d->link);
    d->link = NULL;
    if (outcome == DIALING_GOOD) { /* the same address again, soon */
        d->rounds = 0;
        d->next_ms = now_ms + with_jitter((uint64_t)d->options.retry_min_s * 1000);
    } else if (outcome == DIALING_OTHER_KEYS) {
        d->next_ms = now_ms + NEXT_ADDRESS_MS;
    } else {
        attempt_failed(d, outcome == DIALING_TURNED_AWAY, now_ms);
    }
}

void dialing_hurry(struct dialing *d, bool gently, uint64_t now_ms)
{
    uint64_t soonest_ms = now_ms;
    if (gently && d->tried && d->tried_ms + PAUSE_MS > now_ms) soonest_ms = d->tried_ms + PAUSE_MS;
    d->rounds = 0;
    d->next_address = d->link ? d->next_address : 0;
    if (d->next_ms > soonest_ms) d->next_ms = soonest_ms;
}

void dialing_rest(struct dialing *d, uint64_t rest_ms, uint64_t now_ms)
{
    d->rounds = 0;
    d->next_ms = now_ms + rest_ms;
}

uint64_t dialing_wait_ms(const struct dialing *d, uint64_t now_ms)
{
    if (d->link) return (uint64_t)zmq_link_wait_ms(d->link);
    if (!d->address_count) return UINT64_MAX;
    return d->next_ms > now_ms ? d->next_ms - now_ms : 0;
}

void dialing_close(struct dialing *d)
{
    if (d->link) d->link->ops->close(d->link);
    d->link = NULL;
    crypto_wipe(&d->options.secret, sizeof d->options.secret);
}
