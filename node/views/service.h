#pragma once
/*
 * What a record of service (a sheet of attendance, a single service) says of each person on it, and
 * what was verified of that (SPEC 20.2).
 */
#include "common/limits.h"
#include "node/views/thing.h"

struct service_person {
    struct thing_id person;
    uint32_t stated;   /* minutes */
    uint32_t verified; /* as the newest verification has them, else the stated ones; 0 unless the
                          record is verified */
};

bool service_is_rejected(const struct thing *service);
bool service_is_verified(const struct thing *service);
/* In the order in which they first stand there. Who stands on a sheet twice (morning and afternoon)
 * is one, with the minutes of both rows. */
size_t service_people(const struct thing *service, struct service_person out[SHEET_ROWS_MAX]);
