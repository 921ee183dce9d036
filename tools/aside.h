#pragma once
/* What stands aside of a device that was revoked, or let in by what does not count any more, for
 * who decides about it. */
#include "tools/cli.h"

/* How many events of this device stand aside here. */
uint64_t aside_of(struct txn *t, const struct roster *roster, const struct device *device);

/* A device whose invite, or the answer to it, stands aside: the authority was replaced without it,
 * or the hub that let the device in was revoked. */
struct left_out {
    struct sign_key key;
    char name[DEVICE_NAME_SIZE_MAX + 1];
    char village[13]; /* "": of the township */
    uint64_t records; /* of it that stand aside */
};
/* Those that nothing let in since, at most `max`. */
size_t aside_left_out(struct txn *t, const struct roster *roster, struct left_out *out, size_t max);
#define LEFT_OUT_MAX 16u
/* After what may have put somebody out: says how many, and where they are named. */
void aside_say_left_out(struct cli *cli);
