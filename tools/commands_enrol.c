/* Flags of the verbs by which laptops and people come and go. */
#include "tools/commands_enrol.h"

#include <stddef.h>

const struct flag commands_enrol_join[] = {
    VALUE("--hub", "ADDR", N_("dial this address instead of the invite's")),
    SWITCH("--offline", N_("without a link: write a request that is carried to the hub")),
    VALUE("-o", "FILE", N_("where the request is written")),
    SWITCH("--qr", N_("show the request as a QR code")),
    END,
};
const struct flag commands_enrol_admit[] = {
    VALUE("-o", "FILE", N_("where the answer is written")),
    SWITCH("--qr", N_("show the answer as QR codes")),
    VALUE("--words", "WORDS", N_("the six words that the laptop shows, as they were read out")),
    END,
};
const struct flag commands_enrol_drill[] = {
    SWITCH("--stick", N_("without a link: request, answer and a bundle are carried")),
    END,
};
const struct flag commands_enrol_handover[] = {
    VALUE("--from", "PERSON", N_("who hands over (else who acts here by default)")),
    VALUE("--on", "DATE", N_("the last day (else today)")),
    VALUE("--present", "NAME", N_("who was present")),
    VALUE("--note", "TEXT", N_("what to look after")),
    VALUE("-o", "FILE", N_("where the sheet is written")),
    BY,
    END,
};
