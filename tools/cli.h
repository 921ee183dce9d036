#pragma once
/*
 * What every verb works with: the parsed line, errors in three parts, and this home's keys,
 * settings, store, views and recorder, opened on demand.
 *
 * Every function here that can fail reports the failure to the person itself and returns an exit
 * code; the verb only passes it on:
 *
 *     int code = cli_open_views(cli);
 *     if (code) return code;
 *
 * What was opened is closed by main. Text from cli_format lives as long as `cli`.
 */
#include "common/i18n.h"
#include "node/home.h"
#include "node/recorder.h"
#include "node/settings.h"
#include "node/views/visible.h"
#include "tools/command.h"

#define CLI_ARGUMENTS_MAX 64
#define CLI_FLAGS_MAX 128

enum cli_colour_mode { CLI_COLOUR_AUTO, CLI_COLOUR_ALWAYS, CLI_COLOUR_NEVER };

struct cli {
    /* global flags */
    const char *home;
    bool home_given; /* by --home */
    bool json, csv, quiet, no_input, help;
    unsigned verbose; /* number of -v */
    const char *lang; /* as given; NULL */
    enum cli_colour_mode colour;
    bool has_timeout;
    uint64_t timeout_ms;
    bool bare; /* no verb was given: it is status then */
    const struct command *command;
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    struct cli_flag {
        const struct flag *flag;
        const char *value; /* "" for a switch */
    } flags[CLI_FLAGS_MAX];
    size_t flag_count;
    /* opened on demand; read them after the matching cli_open_* */
    struct settings settings;
    struct device_keys keys;
    struct store *store;
    struct views *views;
    struct recorder *recorder;
    bool has_settings, has_keys, store_writable;
    bool locked; /* the store is open, and its boxes are not: few verbs go on then */
    enum err locked_why;
    struct cli_text *texts;
};

extern const struct flag cli_global_flags[]; /* ends with a NULL name */

/* Reads the line. Verb flags are checked against the verb's table, wherever they stand. */
int cli_parse(struct cli *cli, int argc, char **argv);
void cli_close(struct cli *cli);

/* The value of a flag of the verb, the last one given; "" for a switch; NULL when not given. */
const char *cli_flag(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* Each value of a repeatable flag: start with *at = 0; NULL at the end. */
const char *cli_flag_each(const struct cli *cli, const char *name, size_t *at);
/* The same for the flag that fills a field of the verb's kind, whatever it is called. */
const char *cli_field(const struct cli *cli, const char *field);
const char *cli_field_each(const struct cli *cli, const char *field, size_t *at);
/* Numbers, durations ("7d") and times ("2026-11-23 15:20") in flags: *out keeps its value when the
 * flag was not given. Bad ones are exit 2, quoting what was typed and the allowed range. */
int cli_flag_uint(struct cli *cli, const char *name, uint64_t min, uint64_t max, uint64_t *out);
int cli_flag_duration(struct cli *cli, const char *name, uint64_t *out_ms);
int cli_flag_time(struct cli *cli, const char *name, uint64_t *out_ms);
/* The i-th argument after the verb, from 0; NULL when there are fewer. */
const char *cli_argument(const struct cli *cli, size_t i);
/* --timeout, else this. */
uint64_t cli_timeout_ms(const struct cli *cli, uint64_t otherwise_ms);

/* Formatted text that lives as long as `cli`; never NULL. */
__attribute__((format(printf, 2, 3))) const char *cli_format(struct cli *cli, const char *format,
                                                             ...);

/* --- errors: what happened, why, what to do; translated already, any of the last two NULL --- */
int cli_error(struct cli *cli, enum exit_code code, const char *what, const char *why,
              const char *todo);
/* The same with exit code, why and what to do taken from an error's own row. */
int cli_fail(struct cli *cli, enum err e, const char *what);
/* An event that the kinds table or the state machine refused; names the field. */
int cli_fail_kind(struct cli *cli, enum err e, const char *what,
                  const struct kind_problem *problem);
enum exit_code cli_exit_code(enum err e);
const char *cli_err_text(enum err e); /* why, translated */
const char *cli_err_todo(enum err e); /* what to do, or NULL */

/* --- this home --- */
int cli_open_settings(struct cli *cli);
int cli_open_keys(struct cli *cli);  /* exit 10 before `join` */
int cli_open_store(struct cli *cli); /* read-only unless it was opened for writing before */
int cli_open_store_writable(struct cli *cli);
/* The same for who goes on whatever is wrong: reports nothing, and does not ask whose it is. */
MUST_CHECK enum err cli_try_store(struct cli *cli, bool writable);
int cli_open_views(struct cli *cli); /* and the store */
/* Makes what rows are pending; cli_open_views does where the store is open for writing. */
MUST_CHECK enum err cli_finish_rows(struct cli *cli);
/* A recorder of this device's events, with keys, store for writing and views. */
int cli_open_recorder(struct cli *cli);
/* A read transaction (views open), and the roster as of it. The caller ends it by txn_abort. */
int cli_begin(struct cli *cli, struct txn **txn);
int cli_roster(struct cli *cli, struct txn *txn, const struct roster **roster);
/* This device in the roster; exit 10 when it is not there (yet). */
int cli_self(struct cli *cli, const struct roster *roster, const struct device **self);
/* What this device shows of what it holds; the caller ends it by visible_end. */
int cli_visible(struct cli *cli, struct txn *txn, struct visible *out);
/* Who acts: --by, else the configured actor; false in *has when there is none. */
int cli_actor(struct cli *cli, struct txn *txn, bool *has, struct thing_id *actor);
uint64_t cli_now_ms(struct txn *txn); /* corrected wall clock */
