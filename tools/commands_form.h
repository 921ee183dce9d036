#pragma once
/*
 * Short forms in which the table of verbs (tools/commands.c) and the tables of their flags are
 * written. Flags of verbs about points stand in tools/commands_points.c.
 */
#include "common/i18n.h"
#include "tools/command_flags.h"
#include "tools/commands.h"

/* Headings of `sidan help`, in the order they are shown. */
#define SEE N_("See")
#define REQUESTS N_("Requests")
#define SERVICE N_("Volunteers and services")
#define POINTS N_("Points, honours, figures")
#define TOWN N_("What the township publishes")
#define RECORD N_("Records")
#define SYNC N_("Sync")
#define SET_UP N_("Set up")
#define CARE N_("Care and check")

/* Rows of the table of verbs: one that records a kind, and any other. */
#define ACT(name_, zh_, arguments_, min_, max_, help_, group_, flags_, kind_, fills_)              \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = (arguments_), .arguments_min = (min_),          \
        .arguments_max = (max_), .help = (help_), .group = (group_), .flags = (flags_),            \
        .kind = (kind_), .fills = (fills_), .run = cmd_act                                         \
    }
#define VERB(name_, zh_, arguments_, min_, max_, help_, group_, flags_, run_)                      \
    {                                                                                              \
        .name = (name_), .zh = (zh_), .arguments = (arguments_), .arguments_min = (min_),          \
        .arguments_max = (max_), .help = (help_), .group = (group_), .flags = (flags_),            \
        .run = (run_)                                                                              \
    }

extern const struct flag commands_points_rank[], commands_points_run[];
extern const struct flag commands_points_check[], commands_points_publish[],
    commands_points_deduct[];
extern const struct flag commands_points_redeem_open[], commands_points_redeem_pay[],
    commands_points_redeem_show[];
extern const struct flag commands_points_recommend[];
