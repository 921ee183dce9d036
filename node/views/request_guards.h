#pragma once
/* Whether an act may be done to a request that is in the right state: NULL, or static English text
 * that says why not (marked for translation). */
#include "node/views/request_step.h"

typedef const char *request_guard(const struct request *r, const struct request_step *s);

request_guard request_guard_answer, request_guard_accept, request_guard_number,
    request_guard_decline, request_guard_merge, request_guard_issue, request_guard_due,
    request_guard_extend_ask, request_guard_extend_decide, request_guard_suspend,
    request_guard_report, request_guard_callback, request_guard_close, request_guard_reopen;
