#pragma once
/*
 * What the township publishes as rules and calendars: files and tables turned into the body of a
 * `rule.put` or `calendar.put`, checked against what is in force, and recorded by this device.
 */
#include "node/views/rules.h"
#include "tools/recording.h"

#define PUBLISHING_FILE_SIZE_MAX KIB(256)

struct publishing {
    struct cli *cli;
    struct recording recording;
    const struct rules *rules; /* as they stand before this one; until it is recorded */
    uint32_t today;
    struct mp_map map; /* the body in the making */
    struct buf body;
    struct recorded recorded;
};
/* Opens keys, store, views and recorder and reads the rules. */
int publishing_begin(struct publishing *p, struct cli *cli);
void publishing_end(struct publishing *p);

void publishing_put_text(struct publishing *p, const char *key, const char *text);
void publishing_put_uint(struct publishing *p, const char *key, uint64_t value);
/* What may be said of a rule beside its parts: --effective (else today), --approved-by, --doc-ref.
 */
int publishing_put_decision(struct publishing *p);
/* Takes a JSON object's values into the map by the kind's fields; rows may be arrays or objects.
 * Exit 2 with the key that is not known or does not fit. */
int publishing_put_json(struct publishing *p, const char *path, const struct kind *kind,
                        json_t *object);

/* Sets `ver` to the next one where it is not said, and refuses a rule that is retroactive, skips a
 * version, cannot be read, or drops a category's code. Then records it. */
int publishing_rule(struct publishing *p);
int publishing_calendar(struct publishing *p);

/* A file that is not there, or cannot be read. */
int publishing_unreadable(struct cli *cli, enum err e, const char *path);
/* A file of UTF-8 JSON whose value is an object; the caller frees it. */
int publishing_read_json(struct cli *cli, const char *path, json_t **out);
