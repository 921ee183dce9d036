#pragma once
/*
 * The heartbeat of a session (SPEC 9.14): when this side has to say that it is there, and when the
 * other has been silent for too long. Pure: time comes in, the session sends and ends.
 *
 * A PING tells when the sender is heard again. Traffic, that is every frame but PING in either
 * direction, brings both sides back to the shortest interval, so each knows the other's without a
 * word; without traffic every PING doubles it. Traffic that was over within the shortest interval
 * proved the link by its answer: the first PING after it takes up the interval there was before.
 */
#include <stdbool.h>
#include <stdint.h>

#define BEAT_BUSY_S 10u
#define BEAT_IDLE_S 180u

struct beat {
    uint64_t sent_ms;    /* last frame of ours */
    uint64_t traffic_ms; /* last frame that is no PING, either way */
    uint32_t interval_s; /* a PING is due when nothing was sent for so long */
    uint32_t rest_s;     /* what it was before the traffic, where that was brief */
    uint64_t busy_ms;    /* when the traffic began */
    uint64_t since_ms;   /* the peer's promise counts from here */
    uint32_t promised_s; /* then it is heard again within */
    bool asking;         /* our question has no answer yet */
    uint64_t asked_until_ms;
    bool owing; /* the peer asked */
    uint64_t answered_ms;
};

void beat_begin(struct beat *b, uint64_t now_ms);
/* A frame that is no PING. */
void beat_sent(struct beat *b, uint64_t now_ms);
void beat_heard(struct beat *b, uint64_t now_ms);
/* A part of a frame. */
void beat_heard_part(struct beat *b, uint64_t now_ms);
/* A PING of the peer; what it promises is bounded, 0 asks for an answer. */
void beat_heard_ping(struct beat *b, uint64_t next_s, uint64_t now_ms);

/* Is a PING due? Then it counts as sent, and `next_s` is what it says. `waiting`: something that
 * was sent has no answer yet, so the interval stays short. */
bool beat_ping_due(struct beat *b, bool waiting, uint64_t now_ms, uint64_t *next_s);
/* A PING that asks goes out now: the peer is silent when nothing is heard within `patience_ms`. */
void beat_ask(struct beat *b, uint64_t patience_ms, uint64_t now_ms);
/* Nothing was heard for two of the peer's intervals and `slack_ms`, which is what a frame takes to
 * pass; or to our question. */
bool beat_is_silent(const struct beat *b, uint64_t slack_ms, uint64_t now_ms);
/* When one of the two above is to be asked again. */
uint64_t beat_deadline_ms(const struct beat *b, uint64_t slack_ms);
