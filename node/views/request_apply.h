#pragma once
/* What an act that may be done changes besides the state; SPEC 14.8. */
#include "node/views/request_step.h"

typedef void request_effect(struct request *r, const struct request_step *s);

request_effect request_apply_answer, request_apply_accept, request_apply_number,
    request_apply_merge, request_apply_withdraw, request_apply_escalate, request_apply_issue,
    request_apply_sign, request_apply_object, request_apply_agree, request_apply_overrule,
    request_apply_transfer, request_apply_contact, request_apply_extend_ask,
    request_apply_extend_decide, request_apply_suspend, request_apply_resume, request_apply_report,
    request_apply_support_report, request_apply_take_back, request_apply_callback,
    request_apply_close, request_apply_reopen, request_apply_archive, request_apply_supervise;

/* In time or late against a deadline; not judged where there is none. */
void request_apply_judge(struct request *r, enum request_clock clock, uint64_t deadline_ms,
                         uint64_t at_ms);
/* The step's deadline: it ends; another one begins, as the act states it. */
void request_apply_no_deadline(struct request *r);
void request_apply_deadline(struct request *r, const struct request_step *s);
