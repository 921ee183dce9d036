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
    uint64_t missing;  /* of what was told */
    uint64_t problems; /* of the audit */
    char why[160];
};
/* `position`: records of the trace that were applied. */
void check_image(struct judged *out, const struct world *w, int node, size_t position,
                 const char *path);
/* One contact of the image with the other home, as it is without a fault: false where they do not
 * agree after it, or what the other held is not back. */
bool check_contact(struct judged *out, const struct world *w, int node, size_t position,
                   const char *path, const char *other);
