#pragma once
/*
 * The hub's end of joining (SPEC 11.5): one answer to a join request, whether it came over a link
 * or by hand. An invite works once; the first request of another device with a used invite is
 * refused and recorded, so that every node shows that two machines have it.
 */
#include "node/home.h"
#include "node/recorder.h"
#include "proto/join.h"

enum admission_answer {
    ADMISSION_YES,  /* recorded, or the same device came again */
    ADMISSION_NO,   /* nothing later can make it right */
    ADMISSION_USED, /* no: another device joined by this invite */
    ADMISSION_BUSY, /* cannot be recorded now */
};
struct admission {
    enum admission_answer answer;
    bool already;                /* YES: it had joined before */
    const char *text;            /* NO, USED, BUSY: static English text */
    enum err err;                /* BUSY: why */
    struct join_request request; /* read unless it is malformed */
    struct device device;        /* the roster's row of the invite as it was, where there is one */
};
struct admission_options {
    struct store *store;
    struct views *views;
    struct recorder *recorder; /* of this hub's own events */
    const struct device_keys *keys;
    const struct clock_reading *clock;
};
/* What the answer would be; records nothing. `recorder` is not asked. */
void admission_look(struct admission *out, const struct admission_options *options,
                    const struct frame_join *f);
void admission_take(struct admission *out, const struct admission_options *options,
                    const struct frame_join *f);
/* The request by which a device joined, as it stands in `device.joined`; borrowed from the
 * transaction. False: it joined without, or that event is not held. */
bool admission_request(struct txn *t, const struct device *device, struct slice *request);
