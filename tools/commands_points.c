#include "tools/commands_form.h"

#include <stddef.h>

const struct flag commands_points_rank[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    VALUE("-n", "N", N_("only the first N")),
    SWITCH("--certificates", N_("a rank for each: of equal points the more hours first")),
    END,
};
const struct flag commands_points_run[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    SWITCH("--dry-run", N_("compute everything, record nothing")),
    BY,
    END,
};
const struct flag commands_points_check[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    END,
};
const struct flag commands_points_publish[] = {
    VALUE("--from", "DATE", N_("first day (else today)")),
    VALUE("--to", "DATE", N_("last day (else as soon as the rules allow)")),
    VALUE("--place", "TEXT", N_("where the list is put up")),
    BY,
    END,
};
const struct flag commands_points_deduct[] = {
    ROW("PERSON,POINTS", N_("whom, and how many points; once for each")),
    ROWS_FILE,
    VALUE("--village", "VILLAGE", N_("at the hub: the village it is about")),
    BY,
    END,
};
const struct flag commands_points_redeem_open[] = {
    VALUE("--pool", "AMOUNT", N_("what there is to hand out: 200000, 20万, or 20000000分")),
    VALUE("--signed-by", "PERSON", N_("who signed the paper")),
    VALUE("--doc-ref", "TEXT", N_("the decision on paper")),
    BY,
    END,
};
const struct flag commands_points_redeem_pay[] = {
    VALUE("--file", "FILE.csv", N_("who was paid: number (or name) and voucher")),
    VALUE("--person", "PERSON", N_("one person alone, with --voucher")),
    VALUE("--voucher", "TEXT", N_("number of the voucher")),
    VALUE("--paid", "DATE", N_("day on which all of them signed and were paid (else today)")),
    BY,
    END,
};
const struct flag commands_points_redeem_show[] = {
    SWITCH("--names", N_("whole names, for the sheet that people sign")),
    END,
};
const struct flag commands_points_recommend[] = {
    VALUE("--year", "YEAR", N_("whose verified activities count (else this one)")),
    BY,
    END,
};
