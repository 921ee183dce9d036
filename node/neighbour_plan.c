#include "node/neighbour_plan.h"

#include <string.h>

#define ID_DIGITS_MIN 6

static bool is_village(const struct roster *roster, const char *code, const char *name)
{
    const struct village *v = code[0] ? roster_village(roster, code) : NULL;
    return v && (strcmp(v->code, name) == 0 || strcmp(v->name, name) == 0 ||
                 strcmp(v->short_name, name) == 0);
}

static bool is_id(const struct sign_key *key, const char *name)
{
    char hex[2 * sizeof key->bytes + 1];
    size_t digits = strlen(name);
    hex_encode(hex, key->bytes, sizeof key->bytes);
    return digits >= ID_DIGITS_MIN && digits < sizeof hex && strncmp(hex, name, digits) == 0;
}

bool neighbour_is_meant(const struct roster *roster, const struct device *d, const char *name)
{
    return !name[0] || strcmp(d->name, name) == 0 || is_village(roster, d->village, name) ||
           is_id(&d->first, name);
}

/* In which order they are tried. */
enum rank { RANK_MET, RANK_VILLAGE, RANK_OTHER, RANK_COUNT };

static enum rank rank_of(const struct device *d, const struct device *self,
                         const struct sign_key *met)
{
    if (sign_key_equal(&d->first, met)) return RANK_MET;
    return strcmp(d->village, self->village) == 0 ? RANK_VILLAGE : RANK_OTHER;
}

const struct device *neighbour_candidate(const struct roster *roster, const struct device *self,
                                         const struct settings_peer *peer,
                                         const struct sign_key *met, size_t index)
{
    if (!self || device_is_hub(self)) return NULL;
    for (int rank = 0; rank < RANK_COUNT; rank++)
        for (size_t i = 0; i < roster->device_count; i++) {
            const struct device *d = &roster->devices[i];
            if (d == self || d->state != DEVICE_JOINED || device_is_hub(d)) continue;
            if ((int)rank_of(d, self, met) != rank) continue;
            if (!neighbour_is_meant(roster, d, peer->name)) continue;
            if (index-- == 0) return d;
        }
    return NULL;
}
