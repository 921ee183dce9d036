#pragma once
/* Rows of the table of verbs about what sticks carry; tools/commands.c puts them among the
 * others. */
#include "tools/cli.h"
#include "tools/commands_form.h"

extern const struct flag commands_carry_export[], commands_carry_import[], commands_carry_take[],
    commands_carry_give[];

#define COMMANDS_CARRY                                                                             \
    VERB("bundle export", "数据包 导出", NULL, 0, 0,                                               \
         N_("without a link: what the other side lacks, as a file for a stick"), SYNC,             \
         commands_carry_export, cmd_bundle_export),                                                \
        VERB("bundle import", "数据包 导入", "FILE", 1, 1,                                         \
             N_("take in a file that a stick brought"), SYNC, commands_carry_import,               \
             cmd_bundle_import),                                                                   \
        VERB("bundle show", "数据包 查看", "FILE", 1, 1,                                           \
             N_("who made a file, for whom, and what is new in it"), SYNC, NULL, cmd_bundle_show), \
        VERB("courier take", "捎带 取走", "FILE...", 1, CLI_ARGUMENTS_MAX,                         \
             N_("carry sealed files for others; what is for this computer is taken in"), SYNC,     \
             commands_carry_take, cmd_courier_take),                                               \
        VERB("courier give", "捎带 交出", "FOLDER", 1, 1,                                          \
             N_("hand over what is carried, on a stick"), SYNC, commands_carry_give,               \
             cmd_courier_give),                                                                    \
        VERB("courier status", "捎带 状态", NULL, 0, 0,                                            \
             N_("what is carried here, what left with whom and is not in"), SYNC, NULL,            \
             cmd_courier_status)
