#pragma once
/* Rows of the table of verbs about a person's rights; tools/commands.c puts them among the others.
 */
#include "tools/commands_form.h"

extern const struct flag commands_subject_erase[], commands_subject_export[],
    commands_subject_correct[];

#define RIGHT(name_, zh_, help_, flags_, kind_, run_)                                              \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = "ID|NUMBER|NAME", .arguments_min = 1,           \
        .arguments_max = 1, .help = (help_), .group = RECORD, .flags = (flags_), .kind = (kind_),  \
        .run = (run_)                                                                              \
    }
#define COMMANDS_SUBJECT                                                                           \
    RIGHT("subject erase", "个人信息 删除",                                                        \
          N_("erase what is personal of a thing on every computer, for good"),                     \
          commands_subject_erase, "subject.erase", cmd_subject_erase),                             \
        RIGHT("subject export", "个人信息 查阅",                                                   \
              N_("a copy of all that is held of a person, readable and as JSON"),                  \
              commands_subject_export, "subject.export", cmd_subject_export),                      \
        RIGHT("subject correct", "个人信息 更正",                                                  \
              N_("correct name, phone, place or text; the old stays, or is erased too"),           \
              commands_subject_correct, "subject.correct", cmd_act)
