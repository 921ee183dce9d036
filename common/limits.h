#pragma once
/*
 * Every bound of the system, in one place. proto/SPEC.md ("Limits") states those that a second
 * implementation must keep; the rest are this implementation's own.
 */

#include <stddef.h>

#define KIB(n) ((size_t)(n)*1024)
#define MIB(n) ((size_t)(n)*1024 * 1024)

/* --- the protocol's (proto/SPEC.md) --- */
#define EVENT_HEADER_SIZE_MAX KIB(16) /* header with body */
#define EVENT_BOX_SIZE_MAX KIB(48)    /* salt not counted */
#define EVENT_SIZE_MAX KIB(64)
#define EVENT_EXT_SIZE_MAX ((size_t)256)
#define EVENT_TOWN_BODY_SIZE_MAX KIB(1) /* bodies in scope town by a village device */
#define KIND_SIZE_MAX ((size_t)48)
#define SCOPE_SIZE_MAX ((size_t)20) /* "village:" and 12 digits */
#define MSGPACK_DEPTH_MAX 8
#define RUN_PAYLOAD_SIZE_MAX KIB(64) /* compressed */
#define RUN_RAW_SIZE_MAX MIB(1)
#define RUN_DICTIONARY_SIZE_MAX KIB(32) /* by the counting rule of SPEC, "Dictionary" */
#define RUN_EVENTS_MAX 4096u
#define RUN_WINDOW_LOG_MAX 20   /* zstd window, 1 MiB */
#define RUN_RAW_TARGET KIB(256) /* a sender cuts a run here */
#define SIGN_EVENTS_MAX 64u     /* a bulk import signs at least every 64th event */
#define SIGN_BYTES_MAX KIB(32)  /* and every 32 KiB in run encoding */
#define FRAME_SIZE_MAX KIB(80)
#define RUN_PADDED_BELOW KIB(1) /* RUN frames shorter than this have a padded size */
#define RUN_PADDING_STEP 32u
#define CREDIT_DEFAULT KIB(256) /* of a peer that never granted any */
#define THING_EVENTS_MAX 4096u  /* events of a subject that take effect */
#define DEPTH_AHEAD_MAX 64u
#define FORK_WALK_MAX 65536u /* events walked back in one fold to tell branches of forks apart */
#define FEED_BRANCHES_MAX 8u
#define DEVICE_EPOCHS_MAX 64u
#define HAVE_ENTRIES_MAX 2048u
#define RECEIPT_ENTRIES_MAX 1024u
#define WANT_POINTS_MAX 40u
#define REFUSE_TEXT_SIZE_MAX ((size_t)256)
#define DEVICE_NAME_SIZE_MAX ((size_t)64)
#define JOIN_REQUEST_SIZE_MAX ((size_t)512)
#define INVITE_SIZE_MAX KIB(4)       /* the whole file */
#define JOIN_REQUEST_TEXT_MAX KIB(4) /* what a request by hand carries */
#define JOIN_ANSWER_SIZE_MAX MIB(1)
#define CLOCK_REMOTE_AHEAD_MAX_MS (10 * 60 * 1000) /* a remote time is adopted within this */

/* --- the protocol's: rows of fields that are read into arrays (SPEC, "Kinds") --- */
#define SHEET_ROWS_MAX 300 /* of a sheet of attendance or of points */
#define GRANT_ROWS_MAX 200
#define FIGURE_ROWS_MAX 400
#define POINTS_RULES_MAX 64
#define REDEEM_BONUSES_MAX 64
#define CUT_HEADS_MAX 400 /* heads that count, named by who takes the rest away */

/* --- the protocol's: keys in turn (SPEC, "The roster"); further changes have no effect --- */
#define AUTHORITIES_MAX 64u
#define OFFICE_KEYS_MAX 64u
#define SERIES_MOVES_MAX 64u
#define DEVICE_KEYS_MAX 64u
#define DEVICE_ADDRESSES_MAX 4 /* where it listens */

/* --- this implementation's --- */
#define BUF_SIZE_MAX MIB(64)
#define STORE_MAP_SIZE ((size_t)8 << 30) /* address space, not disk */
#define STORE_MAP_SIZE_32BIT ((size_t)1 << 30)
#define STORE_RESERVE_SIZE MIB(4) /* given back when the disk is full */
#define STORE_DISK_FREE_MIN MIB(16)
#define REBUILD_SLICE_EVENTS 4096u
#define PEERS_MAX 10000u
#define CREDIT_TOTAL MIB(32) /* all peers together */
#define CREDIT_PEER_MAX MIB(1)
#define CREDIT_PEER_MIN KIB(16)
#define LINE_SIZE_MAX KIB(256) /* one line of NDJSON or CSV input */
#define IMPORT_FILE_SIZE_MAX MIB(512)

_Static_assert(EVENT_HEADER_SIZE_MAX + EVENT_BOX_SIZE_MAX <= EVENT_SIZE_MAX,
               "an event's parts fit");
_Static_assert(RUN_PAYLOAD_SIZE_MAX < FRAME_SIZE_MAX, "a run fits a frame");
_Static_assert(HAVE_ENTRIES_MAX * 32 < FRAME_SIZE_MAX, "a have-vector by short ids fits a frame");
_Static_assert(RECEIPT_ENTRIES_MAX * 54 < FRAME_SIZE_MAX, "a receipt's entries fit a frame");
_Static_assert(EVENT_SIZE_MAX < RUN_RAW_SIZE_MAX, "an event fits a run");
_Static_assert(CREDIT_PEER_MIN * 2 <= CREDIT_TOTAL, "at least two peers have credit");
_Static_assert(SIGN_BYTES_MAX <= RUN_RAW_TARGET, "a forwarder finds a signed cut in every run");
