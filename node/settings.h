#pragma once
/*
 * A node's configuration: <home>/config, lines of `key = value`, one table of keys with type,
 * range, default and help in both languages. Unknown keys are refused with their line.
 */
#include "common/bytes.h"
#include "common/limits.h"
#include "proto/join.h"

#define SETTINGS_PEERS_MAX 8u

/* A neighbour: where, and who. */
struct settings_peer {
    char name[DEVICE_NAME_SIZE_MAX + 1]; /* of a device or village, or an id; "": whoever it is */
    char address[ADDRESS_SIZE_MAX];
};

struct settings {
    char listen[ADDRESS_SIZE_MAX];                    /* "" : does not listen */
    char hub[INVITE_ADDRESSES_MAX][ADDRESS_SIZE_MAX]; /* addresses to dial, in order */
    size_t hub_count;
    struct settings_peer peers[SETTINGS_PEERS_MAX]; /* dialled beside the hubs */
    size_t peer_count;
    char actor[33];                    /* thing id in hex of the default person */
    char lang[3];                      /* "zh", "en" or "" */
    char log_level[8];                 /* error, warn, info, debug */
    uint32_t retry_min_s, retry_max_s; /* backoff */
    char at_rest[11];                  /* "keyfile" or "passphrase": what is wished (at_rest.h) */
    uint32_t monthly_limit_mb;         /* of traffic both ways, in 1,000,000 bytes; 0: none */
    uint32_t courier_mib;              /* of files carried for others; 0: carries nothing */
};

/* In bytes; 0: no limit. */
uint64_t settings_month_bytes_max(const struct settings *s);

struct settings_problem {
    unsigned line;  /* 0: the file as a whole */
    char text[160]; /* what, allowed range; in the language */
};
/* Missing file: defaults. Errors: ERR_MALFORMED, ERR_RANGE with *problem; those of file_read. */
MUST_CHECK enum err settings_load(struct settings *out, const char *home,
                                  struct settings_problem *problem);
/* The same from text. */
MUST_CHECK enum err settings_parse(struct settings *out, struct slice text,
                                   struct settings_problem *problem);
/* Sets one key in the file, keeping the other lines; an empty value puts the default back. Errors:
 * ERR_NOT_FOUND (unknown key), ERR_RANGE, ERR_MALFORMED (another line is bad), with *problem. */
MUST_CHECK enum err settings_set(const char *home, const char *key, const char *value,
                                 struct settings_problem *problem);
/* The keys, for `config get`, help and documentation: false at the end. */
struct setting {
    const char *key, *zh, *en, *def;
};
bool settings_each(size_t index, struct setting *out);
/* Appends the value of a known key as it would stand in the file. */
void settings_value(const struct settings *s, const char *key, struct buf *out);
