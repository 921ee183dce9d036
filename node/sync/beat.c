#include "node/sync/beat.h"

#define ANSWERS_EVERY_MS 1000u /* however often the peer asks */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void beat_begin(struct beat *b, uint64_t now_ms)
{
    *b = (struct beat){.sent_ms = now_ms,
                       .traffic_ms = now_ms,
                       .interval_s = BEAT_BUSY_S,
                       .rest_s = BEAT_BUSY_S,
                       .busy_ms = now_ms,
                       .since_ms = now_ms,
                       .promised_s = BEAT_BUSY_S};
}

static void be_busy(struct beat *b, uint64_t now_ms)
{
    if (b->interval_s > BEAT_BUSY_S) {
        b->rest_s = b->interval_s;
        b->busy_ms = now_ms;
    } else if (now_ms - b->busy_ms > 1000 * (uint64_t)BEAT_BUSY_S) {
        b->rest_s = BEAT_BUSY_S;
    }
    b->interval_s = BEAT_BUSY_S;
}

void beat_sent(struct beat *b, uint64_t now_ms)
{
    b->sent_ms = b->traffic_ms = now_ms;
    be_busy(b, now_ms);
    if (b->promised_s == BEAT_BUSY_S) return;
    /* It will be on the short interval too, from when this arrives. */
    b->promised_s = BEAT_BUSY_S;
    b->since_ms = now_ms;
}

void beat_heard(struct beat *b, uint64_t now_ms)
{
    b->traffic_ms = b->since_ms = now_ms;
    be_busy(b, now_ms);
    b->promised_s = BEAT_BUSY_S;
    b->asking = false;
}

void beat_heard_part(struct beat *b, uint64_t now_ms)
{
    b->since_ms = now_ms;
}

void beat_heard_ping(struct beat *b, uint64_t next_s, uint64_t now_ms)
{
    b->since_ms = now_ms;
    b->promised_s = (uint32_t)earlier(later(next_s, BEAT_BUSY_S), BEAT_IDLE_S);
    b->asking = false;
    if (next_s == 0) b->owing = true;
}

static uint64_t due_ms(const struct beat *b)
{
    uint64_t at_ms = later(b->sent_ms, b->traffic_ms) + 1000 * (uint64_t)b->interval_s;
    return b->owing ? earlier(at_ms, b->answered_ms + ANSWERS_EVERY_MS) : at_ms;
}

bool beat_ping_due(struct beat *b, bool waiting, uint64_t now_ms, uint64_t *next_s)
{
    if (now_ms < due_ms(b)) return false;
    if (b->owing)
        b->answered_ms = now_ms;
    else if (!waiting)
        b->interval_s =
            (uint32_t)later(b->rest_s, earlier(2 * (uint64_t)b->interval_s, BEAT_IDLE_S));
    b->owing = false;
    b->sent_ms = now_ms;
    *next_s = b->interval_s;
    return true;
}

void beat_ask(struct beat *b, uint64_t patience_ms, uint64_t now_ms)
{
    b->sent_ms = now_ms;
    be_busy(b, now_ms); /* which is what a PING that asks promises */
    uint64_t until_ms = now_ms + patience_ms;
    if (!b->asking || until_ms < b->asked_until_ms) b->asked_until_ms = until_ms;
    b->asking = true;
}

static uint64_t silent_ms(const struct beat *b, uint64_t slack_ms)
{
    uint64_t at_ms = b->since_ms + 2000 * (uint64_t)b->promised_s + slack_ms;
    return b->asking ? earlier(at_ms, b->asked_until_ms) : at_ms;
}

bool beat_is_silent(const struct beat *b, uint64_t slack_ms, uint64_t now_ms)
{
    return now_ms >= silent_ms(b, slack_ms);
}

uint64_t beat_deadline_ms(const struct beat *b, uint64_t slack_ms)
{
    return earlier(due_ms(b), silent_ms(b, slack_ms));
}
