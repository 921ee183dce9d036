#pragma once
/*
 * A device changes its keys (proto/SPEC.md, 10.10): who puts a new signing key into the roster
 * proves that he holds it. The statement names township and device, so it fits nowhere else.
 */
#include "proto/event.h"

struct rotation {
    struct sign_key township;
    struct thing_id device; /* the device's thing */
    bool has_key, has_transport;
    struct sign_key key; /* the new ones */
    struct box_key transport;
};
/* `signer`: of the new signing key, or the author's where there is none. */
void rotation_sign(struct signature *out, const struct rotation *r, const struct signer *signer);
/* Errors: ERR_SIGNATURE. */
MUST_CHECK enum err rotation_verify(const struct rotation *r, const struct sign_key *author,
                                    const struct signature *proof);
