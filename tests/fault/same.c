/*
 * Linked with --wrap=machine_compare: an image is a copy of a home by its files' marks, and stands
 * for the home itself.
 */
#include "node/machine.h"

enum machine_change __wrap_machine_compare(const struct machine *then, const struct machine *now);
enum machine_change __wrap_machine_compare(const struct machine *then, const struct machine *now)
{
    (void)then, (void)now;
    return MACHINE_SAME;
}
