#pragma once
/* What an image must be: it opens, nothing that was told is missing, all of it verifies, and no
 * number is used twice. */
#include "tests/fault/world.h"

enum verdict {
    IMAGE_WHOLE,     /* all is there */
    IMAGE_NOT_BEGUN, /* nobody was told anything of this home yet, and it is not one */
    IMAGE_NOTICED,   /* a fault that this node tells of */
    IMAGE_SILENT,    /* something is missing and this node does not know it */
    IMAGE_BAD,       /* neither of these: what no image may be */
    VERDICTS
};
struct judged {
    enum verdict verdict;
    bool new_life;     /* it was taken for a copy: one epoch more, nothing lost */
    bool sound;        /* what is held verifies, though something may be missing */
    bool told;         /* a contact ended with an error, which the daemon tells */
    uint64_t missing;  /* of what was told */
    uint64_t problems; /* of the audit */
    char why[160];
};
/* `position`: records of the trace that were applied. */
void check_image(struct judged *out, const struct world *w, int node, size_t position,
                 const char *path);
/* One contact with the other home, as it is without a fault: false where it fails, what the other
 * held is not back, or a feed has forked. `image_calls`: it is the one that dials. */
bool check_contact(struct judged *out, bool image_calls, const char *path, const char *other);
