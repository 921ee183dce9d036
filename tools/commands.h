#pragma once
/* The verbs' functions; each stands in cmd_<verb>.c. The table is in commands.c. */
#include "tools/command.h"

int cmd_act(struct cli *cli);
int cmd_actor(struct cli *cli);
int cmd_admit(struct cli *cli);
int cmd_authority_replace(struct cli *cli);
int cmd_authority_show(struct cli *cli);
int cmd_backup(struct cli *cli);
int cmd_bundle_export(struct cli *cli);
int cmd_bundle_import(struct cli *cli);
int cmd_bundle_show(struct cli *cli);
int cmd_bundle_verify(struct cli *cli); /* verify --bundle */
int cmd_calendar(struct cli *cli);
int cmd_calls(struct cli *cli);
int cmd_card(struct cli *cli);
int cmd_category(struct cli *cli);
int cmd_checks(struct cli *cli);
int cmd_clock(struct cli *cli);
int cmd_compact(struct cli *cli);
int cmd_courier_give(struct cli *cli);
int cmd_courier_status(struct cli *cli);
int cmd_courier_take(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_config(struct cli *cli);
int cmd_devices(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_drill(struct cli *cli);
int cmd_find(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_figures(struct cli *cli);
int cmd_handover(struct cli *cli);
int cmd_help(struct cli *cli);
int cmd_hours(struct cli *cli);
int cmd_hub_address(struct cli *cli);
int cmd_hub_faces(struct cli *cli);
int cmd_hub_list(struct cli *cli);
int cmd_hub_numbers(struct cli *cli);
int cmd_import(struct cli *cli);
int cmd_init(struct cli *cli);
int cmd_invite(struct cli *cli);
int cmd_join(struct cli *cli);
int cmd_kinds(struct cli *cli);
/* From `config set at_rest`. */
int cmd_at_rest(struct cli *cli, bool lock);
int cmd_list(struct cli *cli);
int cmd_lock(struct cli *cli);
int cmd_log(struct cli *cli);
int cmd_manual(struct cli *cli);
int cmd_receipts(struct cli *cli);
int cmd_numbers(struct cli *cli);
int cmd_restore(struct cli *cli);
int cmd_revoke(struct cli *cli);
int cmd_passphrase(struct cli *cli);
int cmd_rebuild(struct cli *cli);
int cmd_points(struct cli *cli);
int cmd_points_publish(struct cli *cli);
int cmd_points_run(struct cli *cli);
int cmd_record(struct cli *cli);
int cmd_redeem(struct cli *cli);
int cmd_redeem_pay(struct cli *cli);
int cmd_redeem_show(struct cli *cli);
int cmd_register(struct cli *cli);
int cmd_report(struct cli *cli);
int cmd_requests(struct cli *cli);
int cmd_rotate(struct cli *cli);
int cmd_rule(struct cli *cli);
int cmd_sealed(struct cli *cli);
int cmd_sealed_dismiss(struct cli *cli);
int cmd_show(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_subject_erase(struct cli *cli);
int cmd_subject_export(struct cli *cli);
int cmd_sync(struct cli *cli);
int cmd_unlock(struct cli *cli);
int cmd_unit(struct cli *cli);
int cmd_today(struct cli *cli);
int cmd_verify(struct cli *cli);
int cmd_village(struct cli *cli);

/* Flags that stand with their verbs; each ends with a NULL name. */
extern const struct flag report_flags[], export_flags[];
extern const struct flag find_flags[], volunteer_flags[], hours_flags[];
int cmd_volunteers(struct cli *cli);
