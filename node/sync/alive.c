/* Where the heartbeat meets the session. */
#include "node/sync/state.h"

#define ASK_PATIENCE_MS 2000u /* beside round trips and what is on its way */
#define HURRIED_MS 1000u
#define RATE_SLOWEST_BPS 9600u /* what a silent peer is given the benefit of */

static void send_ping(struct session *s, uint64_t next_s)
{
    struct buf frame = {0};
    frame_ping_write(&frame, next_s);
    session_put(s, &frame);
}

/* How long bytes take at the rate that was measured; no less is given than the slowest link needs.
 */
static uint64_t passing_ms(const struct session *s, uint64_t bytes)
{
    uint64_t rate_bps = s->rate_bps > RATE_SLOWEST_BPS ? s->rate_bps : RATE_SLOWEST_BPS;
    return 2 * s->rtt_ms + bytes * 8000 / rate_bps;
}

/* The peer's sign of life may stand behind a whole frame that is not seen to come, and ours behind
 * all that is on its way. */
static uint64_t slack_ms(const struct session *s)
{
    uint64_t frame = s->sees_partial ? 0 : FRAME_SIZE_MAX;
    return passing_ms(s, frame + s->unanswered_bytes);
}

void session_partial(struct session *s, uint64_t bytes, uint64_t now_ms)
{
    s->sees_partial = true;
    if (bytes && bytes != s->partial_bytes) beat_heard_part(&s->beat, now_ms);
    s->partial_bytes = bytes;
}

void session_beat(struct session *s)
{
    uint64_t next_s;
    if (beat_is_silent(&s->beat, slack_ms(s), s->now_ms))
        session_end(s, 0, false, "the peer fell silent");
    else if (beat_ping_due(&s->beat, s->flight_count > 0, s->now_ms, &next_s))
        send_ping(s, next_s);
}

uint64_t session_beat_deadline_ms(const struct session *s)
{
    return beat_deadline_ms(&s->beat, slack_ms(s));
}

void session_ask(struct session *s, bool hurried, uint64_t now_ms)
{
    s->now_ms = now_ms;
    if (s->ended || !s->greeted) return;
    for (size_t i = 0; i < s->tracks.count; i++) {
        s->tracks.rows[i]->parked = false;
        s->tracks.rows[i]->asked = s->tracks.rows[i]->expired = 0;
    }
    uint64_t patience_ms = hurried ? HURRIED_MS + passing_ms(s, 0)
                                   : ASK_PATIENCE_MS + passing_ms(s, s->unanswered_bytes);
    beat_ask(&s->beat, patience_ms, now_ms);
    send_ping(s, 0);
    session_pump(s);
}

void session_take_ping(struct session *s, struct slice frame)
{
    uint64_t next_s;
    if (frame_ping_read(&next_s, frame))
        session_refuse(s, REFUSE_MALFORMED, "PING malformed");
    else
        beat_heard_ping(&s->beat, next_s, s->now_ms);
}
