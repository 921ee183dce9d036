#pragma once
/*
 * What a township starts with, so that its first morning has limits, categories, points and a
 * calendar: the bodies of the `rule.put` and `calendar.put` that `sidan init` publishes. Version 1
 * of each rule, in force from the day of the founding, until a meeting of the township decides.
 */
#include "node/views/rules.h"

/* Appends the body of version 1; `day`: of the founding. False: there is no default of this type.
 */
bool defaults_rule(struct buf *body, enum rule_type type, uint32_t day);
/* Appends the body of a year's calendar, as the State Council announced it. False: not known when
 * this program was made. */
bool defaults_calendar(struct buf *body, uint32_t year);
/* Who announces a year's holidays, as a calendar's source. Appends text. */
void defaults_calendar_source(struct buf *out, uint32_t year);
