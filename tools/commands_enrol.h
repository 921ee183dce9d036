#pragma once
/* Rows of the table of verbs by which laptops and people come and go; tools/commands.c puts them
 * among the others. */
#include "tools/commands_form.h"

extern const struct flag commands_enrol_join[], commands_enrol_admit[], commands_enrol_drill[],
    commands_enrol_handover[];

#define COMMANDS_ENROL                                                                             \
    VERB("join", "加入", "FILE", 1, 1, N_("join a township by an invite"), SET_UP,                 \
         commands_enrol_join, cmd_join),                                                           \
        VERB("admit", "准入", "FILE", 1, 1,                                                        \
             N_("at the hub: answer a join request that was carried here"), SET_UP,                \
             commands_enrol_admit, cmd_admit),                                                     \
        VERB("drill lost-laptop", "演练 丢本机", "VILLAGE", 1, 1,                                  \
             N_("what would come back if a village's laptop were lost, tried in a copy"), CARE,    \
             commands_enrol_drill, cmd_drill),                                                     \
        VERB("handover", "工作交接", "[SUCCESSOR]", 0, 1,                                          \
             N_("hand the work over to another person, with a sheet that both sign"), SET_UP,      \
             commands_enrol_handover, cmd_handover)
