#include "node/clock.h"

#include "common/file.h"
#include "node/store/local.h"

#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 36
#define ROW "clock"
#define ROW_SIZE (BOOT_ID_SIZE + 1 + 8) /* boot id, who said it, wall clock at boot (signed) */
#define STEP_MAX_MS 5000                /* suspend shifts a clock by less, a person by more */
#define SAME_MAX_MS 250                 /* a measurement this close to the last is no news */

enum voucher { BY_PERSON = 'p', BY_HUB = 'h' };

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts)) return 0;
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

uint64_t clock_machine_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

static bool time_service_runs(void)
{
    struct timex state = {0};
    int result = adjtimex(&state);
    return result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
}

void clock_machine_read(struct clock_machine *out)
{
    struct buf id = {0};
    *out = (struct clock_machine){.wall_ms = clock_machine_ms(),
                                  .boot_ms = clock_monotonic_ms(),
                                  .synchronised = time_service_runs()};
    /* without an id nothing matches what was kept, so nothing is trusted */
    if (!file_read(&id, BOOT_ID_PATH, 64) && id.size >= BOOT_ID_SIZE)
        memcpy(out->boot_id, id.data, BOOT_ID_SIZE);
    buf_clear(&id);
}

static bool row_get_now(struct txn *t, const struct clock_machine *m, enum voucher *by,
                        int64_t *at_boot_ms)
{
    struct slice row;
    if (!m->boot_id[0] || !meta_get(t, ROW, &row) || row.size != ROW_SIZE) return false;
    if (memcmp(row.data, m->boot_id, BOOT_ID_SIZE)) return false;
    *by = row.data[BOOT_ID_SIZE];
    *at_boot_ms = (int64_t)be64_get(row.data + BOOT_ID_SIZE + 1);
    return true;
}

static void row_put_now(struct txn *t, const struct clock_machine *m, enum voucher by,
                        int64_t at_boot_ms)
{
    uint8_t row[ROW_SIZE];
    if (!m->boot_id[0]) return;
    memcpy(row, m->boot_id, BOOT_ID_SIZE);
    row[BOOT_ID_SIZE] = (uint8_t)by;
    be64_put(row + BOOT_ID_SIZE + 1, (uint64_t)at_boot_ms);
    meta_put(t, ROW, slice_of(row, sizeof row));
}

static bool within(int64_t a, int64_t b, int64_t distance)
{
    return a - b <= distance && b - a <= distance;
}

void clock_read_on(struct txn *t, const struct clock_machine *m, struct clock_reading *out)
{
    enum voucher by;
    int64_t at_boot_ms;
    *out = (struct clock_reading){.wall_ms = m->wall_ms, .source = "none"};
    if (m->synchronised) {
        out->trusted = true;
        out->source = "time service";
        return;
    }
    if (!row_get_now(t, m, &by, &at_boot_ms)) return;
    int64_t told_ms = at_boot_ms + (int64_t)m->boot_ms;
    if (by == BY_HUB && told_ms > 0) {
        out->wall_ms = (uint64_t)told_ms;
        out->offset_ms = told_ms - (int64_t)m->wall_ms;
        out->trusted = true;
        out->source = "hub";
    } else if (by == BY_PERSON && within(told_ms, (int64_t)m->wall_ms, STEP_MAX_MS)) {
        out->trusted = true;
        out->source = "person";
    }
}

void clock_vouch_on(struct txn *t, const struct clock_machine *m)
{
    row_put_now(t, m, BY_PERSON, (int64_t)m->wall_ms - (int64_t)m->boot_ms);
}

void clock_learn_on(struct txn *t, const struct clock_machine *m, uint64_t peer_ms,
                    uint64_t machine_ms)
{
    enum voucher by;
    int64_t kept_ms;
    int64_t offset_ms = (int64_t)peer_ms - (int64_t)machine_ms;
    int64_t at_boot_ms = (int64_t)m->wall_ms + offset_ms - (int64_t)m->boot_ms;
    if (row_get_now(t, m, &by, &kept_ms) && by == BY_HUB &&
        within(kept_ms, at_boot_ms, SAME_MAX_MS))
        return;
    row_put_now(t, m, BY_HUB, at_boot_ms);
}

void clock_read(struct txn *t, struct clock_reading *out)
{
    struct clock_machine m;
    clock_machine_read(&m);
    clock_read_on(t, &m, out);
}

void clock_vouch(struct txn *t)
{
    struct clock_machine m;
    clock_machine_read(&m);
    clock_vouch_on(t, &m);
}

void clock_learn(struct txn *t, uint64_t peer_ms, uint64_t machine_ms)
{
    struct clock_machine m;
    clock_machine_read(&m);
    clock_learn_on(t, &m, peer_ms, machine_ms);
}

enum err clock_learn_from(struct store *s, const struct sign_key *peer)
{
    struct txn *t;
    struct peer_row row = {0};
    struct clock_reading clock;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    bool known = peer_get(t, peer, &row) && row.clock_trusted;
    int64_t ahead_ms = row.clock_offset_ms; /* of ours, as it was read at the contact */
    peer_row_clear(&row);
    clock_read(t, &clock);
    txn_abort(t);
    if (!known || strcmp(clock.source, "time service") == 0) return OK;
    if ((err = txn_begin(s, true, &t))) return err;
    uint64_t machine_ms = clock_machine_ms();
    clock_learn(t, machine_ms + (uint64_t)clock.offset_ms + (uint64_t)ahead_ms, machine_ms);
    return txn_commit(t);
}
