#include "tests/support/bulk.h"

#include "tests/support/rng.h"

#include <stdio.h>

enum { TEXT = 1500, RECORD = TEXT / 2 }; /* hex is packed to about half */

void bulk_record(struct township *t, struct township_device *d, size_t bytes)
{
    struct rng rng = {.state = bytes + d->signer.key.bytes[0]};
    for (size_t i = 0; i * RECORD < bytes; i++) {
        char box[TEXT + 64], body[256];
        int at = snprintf(box, sizeof box, "{\"name\":\"村民甲\",\"content\":\"");
        for (int end = at + TEXT; at < end; at++) box[at] = "0123456789abcdef"[rng_below(&rng, 16)];
        snprintf(box + at, sizeof box - (size_t)at, "\"}");
        snprintf(body, sizeof body,
                 "{\"number\":\"01A-%u\",\"channel\":\"visit\",\"received\":1763859600000,"
                 "\"nature\":\"help\",\"category\":\"0103\",\"urgency\":2}",
                 1000 + (unsigned)i);
        const struct township_act act = {.kind = "request.register", .body = body, .box = box};
        township_record(t, d, &act);
    }
}
