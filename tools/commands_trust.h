#pragma once
/* Rows of the table of verbs about keys and trust; tools/commands.c puts them among the others. */
#include "tools/commands_form.h"

extern const struct flag commands_trust_replace[], commands_trust_rotate[],
    commands_trust_receipts[], commands_trust_revoke[], commands_trust_numbers[],
    commands_trust_restore[], commands_trust_hub_address[];

#define COMMANDS_TRUST                                                                             \
    VERB("authority show", "管理密钥 查看", NULL, 0, 0,                                            \
         N_("whose keys sign for the township, and which sheet replaces them"), CARE, NULL,        \
         cmd_authority_show),                                                                      \
        VERB("authority replace", "管理密钥 更换", NULL, 0, 0,                                     \
             N_("a new authority key, by the recovery key from the drawer"), CARE,                 \
             commands_trust_replace, cmd_authority_replace),                                       \
        VERB("hub faces", "镇平台 对照", NULL, 0, 0,                                               \
             N_("what hubs signed of the town's records: do two villages see the same"), CARE,     \
             NULL, cmd_hub_faces),                                                                 \
        VERB("hub list", "镇平台 列表", NULL, 0, 0,                                                \
             N_("the hubs, where they can be reached, and which one gives official numbers"),      \
             CARE, NULL, cmd_hub_list),                                                            \
        VERB("hub address", "镇平台 地址", "DEVICE [ADDR...]", 1, 5,                               \
             N_("where a hub can be reached: every village learns of it"), CARE,                   \
             commands_trust_hub_address, cmd_hub_address),                                         \
        VERB("hub numbers", "镇平台 编号", "DEVICE", 1, 1,                                         \
             N_("official numbers are given by this hub from now on"), CARE, NULL,                 \
             cmd_hub_numbers),                                                                     \
        VERB("receipts", "回执", "[ID]", 0, 1,                                                     \
             N_("who has confirmed what, signed, and what each receipt proves"), CARE,             \
             commands_trust_receipts, cmd_receipts),                                               \
        VERB("revoke", "停用", "DEVICE", 1, 1,                                                     \
             N_("let a device in no more; what it says from now on counts for nothing"), CARE,     \
             commands_trust_revoke, cmd_revoke),                                                   \
        VERB("rotate", "更换密钥", "device|transport|office [DEVICE]", 1, 2,                       \
             N_("a new key instead of the one in use; the old one is good for what was before"),   \
             CARE, commands_trust_rotate, cmd_rotate),                                             \
        VERB("unlock", "解锁", NULL, 0, 0,                                                         \
             N_("open keys and data with this laptop's passphrase, until it is switched off"),     \
             CARE, NULL, cmd_unlock),                                                              \
        VERB("lock", "上锁", NULL, 0, 0,                                                           \
             N_("close them again; a running node ends its links and waits"), CARE, NULL,          \
             cmd_lock),                                                                            \
        VERB("passphrase", "改口令", "[authority|device]", 0, 1,                                   \
             N_("another passphrase, of the authority key or of this laptop"), CARE, NULL,         \
             cmd_passphrase),                                                                      \
        VERB("numbers", "受理编号", NULL, 0, 0,                                                    \
             N_("the last official number; after a restore, the one that stands on paper"), CARE,  \
             commands_trust_numbers, cmd_numbers),                                                 \
        VERB("restore", "恢复备份", "FILE", 1, 1,                                                  \
             N_("put a backup in place of this device's records"), CARE, commands_trust_restore,   \
             cmd_restore)
