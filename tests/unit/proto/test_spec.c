/* The limits that proto/SPEC.md promises are those of common/limits.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "proto/town.h"

static const struct {
    const char *name;
    const char *form;
    size_t value, second;
} limits[] = {
    {"header of an event, with body", "%zu bytes", EVENT_HEADER_SIZE_MAX, 0},
    {"box", "%zu bytes", EVENT_BOX_SIZE_MAX, 0},
    {"ext", "%zu bytes", EVENT_EXT_SIZE_MAX, 0},
    {"body in `town` by a village device", "%zu bytes", EVENT_TOWN_BODY_SIZE_MAX, 0},
    {"kind", "%zu bytes", KIND_SIZE_MAX, 0},
    {"depth of msgpack", "%zu", MSGPACK_DEPTH_MAX, 0},
    {"events of a run", "%zu", RUN_EVENTS_MAX, 0},
    {"raw bytes of a run", "%zu", RUN_RAW_SIZE_MAX, 0},
    {"payload of a run", "%zu bytes", RUN_PAYLOAD_SIZE_MAX, 0},
    {"dictionary, by weight", "%zu", RUN_DICTIONARY_SIZE_MAX, 0},
    {"zstd window", "%zu bytes", (size_t)1 << RUN_WINDOW_LOG_MAX, 0},
    {"frame", "%zu bytes", FRAME_SIZE_MAX, 0},
    {"have entries", "%zu", HAVE_ENTRIES_MAX, 0},
    {"receipt entries", "%zu", RECEIPT_ENTRIES_MAX, 0},
    {"heads, ended generations of a TOWN", "%zu, %zu", TOWN_HEADS_MAX, TOWN_ENDED_MAX},
    {"WANT points", "%zu", WANT_POINTS_MAX, 0},
    {"REFUSE text", "%zu bytes", REFUSE_TEXT_SIZE_MAX, 0},
    {"device name", "%zu bytes", DEVICE_NAME_SIZE_MAX, 0},
    {"join request", "%zu bytes", JOIN_REQUEST_SIZE_MAX, 0},
    {"invite file", "%zu bytes", INVITE_SIZE_MAX, 0},
    {"content of a request text, of an answer text", "%zu, %zu bytes", JOIN_REQUEST_TEXT_MAX,
     JOIN_ANSWER_SIZE_MAX},
    {"credit before HELLO", "%zu bytes", CREDIT_DEFAULT, 0},
    {"events between signatures", "%zu, and %zu raw bytes", SIGN_EVENTS_MAX, SIGN_BYTES_MAX},
    {"events of a thing with effect", "%zu", THING_EVENTS_MAX, 0},
    {"depth above place", "%zu", DEPTH_AHEAD_MAX, 0},
    {"events walked back in one fold to tell the branches of a fork apart; beyond, they count as "
     "one branch",
     "%zu", FORK_WALK_MAX, 0},
    {"heads that an event names as those that count", "%zu", CUT_HEADS_MAX, 0},
    {"authorities, office keys, keys of a device",
     "%zu earlier ones each; of authorities %zu in all", DEVICE_KEYS_MAX, AUTHORITIES_MAX},
    {"moves of the official numbers; addresses of a device", "%zu; %zu", SERIES_MOVES_MAX,
     DEVICE_ADDRESSES_MAX},
    {"heads of a feed", "%zu", FEED_BRANCHES_MAX, 0},
    {"epochs of an author", "%zu", DEVICE_EPOCHS_MAX, 0},
};

static void the_limits_of_the_specification_are_those_of_the_code(void **state)
{
    (void)state;
    static const char title[] = "## 16. Limits\n\n| limit | value |\n|---|---|\n";
    static char text[256 * 1024];
    FILE *file = fopen("proto/SPEC.md", "r"); /* run from the root of the tree */
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const char *at = strstr(text, title);
    assert_non_null(at);
    at += strlen(title);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char value[64], row[192];
        snprintf(value, sizeof value, limits[i].form, limits[i].value, limits[i].second);
        snprintf(row, sizeof row, "| %s | %s |\n", limits[i].name, value);
        if (strncmp(at, row, strlen(row)) != 0) fail_msg("not the next row: %s", row);
        at += strlen(row);
    }
    assert_int_equal(*at, '\n'); /* no row that the code does not know */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limits_of_the_specification_are_those_of_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
