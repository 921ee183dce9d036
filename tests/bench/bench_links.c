/*
 * bench_links SIDAN SIDAN-NODE LINK HUB VILLAGE ROWS HUB-PORT LINK-PORT: a village's sync over bad
 * links, real nodes, each figure beside its floor measured in the same run (lab.h, town.h).
 */
#include "tests/bench/bench.h"
#include "tests/bench/town.h"

#include <unistd.h>

#define VILLAGE_LINK "rate_bps=64000 delay_ms=300"
#define FAST_LINK "rate_bps=512000 delay_ms=%d"
#define SLOW_LINK "rate_bps=9600 delay_ms=300 cut_every_ms=30000 cut_for_ms=3000"
#define TINY_LINK "rate_bps=64000 delay_ms=50 cut_bytes=2048 cut_for_ms=200"

enum { TWO_SECONDS = 2400 }; /* bytes at 9,600 bit/s: a run */

static const double round_trip_ms = 600;

/* What it is, measured, its floor (0: none), the aim as a bound and in words. */
static void figure(const char *what, double value, const char *unit, double floor, double most,
                   const char *aim)
{
    printf("%-44s %9.*f %-5s", what, value < 100 ? 2 : 0, value, unit);
    if (floor > 0)
        printf(" floor %8.*f  x%5.2f", floor < 100 ? 2 : 0, floor, value / floor);
    else
        printf("%22s", "");
    printf("  (%s)%s\n", aim, value > most ? "  MISSED" : "");
    (void)fflush(stdout);
}

static void not_done(const char *what, double limit_s)
{
    printf("%-44s not done in %.0f s  MISSED\n", what, limit_s);
    (void)fflush(stdout);
}

/* Before a link is measured both nodes have worked over it for a while: they hold what makes a
 * dictionary and have measured its rate. */
static void get_to_know(struct town *t, const char *link)
{
    town_record(t, 200);
    town_begin(t, link);
    town_village_start(t);
    if (!town_wait(t, 60)) bench_must(ERR_TIMEOUT, link);
    (void)lab_rest(&t->lab, 10);
    town_end(t);
}

static struct lab_floor floor_of(struct town *t, const char *link, size_t n)
{
    struct lab lab;
    lab_start(&lab, t->link, link, t->hub_port, t->link_port);
    struct lab_floor f = lab_floor(&lab, t->hub_port, n);
    lab_stop(&lab);
    return f;
}

/* What each step of the run encoding saves: how much more it would be without that one. */
static void steps(struct town *t, uint64_t base)
{
    struct run_sizes s = town_sizes(t, base);
    const struct {
        const char *step;
        size_t without;
    } rows[] = {{"the feed's tail as dictionary", s.no_dictionary},
                {"header fields derived, not sent", s.no_derived},
                {"one signature a run", s.signature_each},
                {"times as differences", s.no_differences}};
    printf("%zu records as one run, %zu bytes; what saves how much:\n", s.events, s.run);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double saved = (double)rows[i].without - (double)s.run;
        printf("  %-42s %9.0f B     %.1f a record\n", rows[i].step, saved,
               saved / (double)s.events);
    }
}

/* Twenty records: on a connection that has to be made, then on the one that is there. */
static void twenty(struct town *t)
{
    uint64_t base = town_head(t);
    town_record(t, 20);
    steps(t, base);
    size_t cold_n = town_sizes(t, base).floor;
    town_begin(t, VILLAGE_LINK);
    town_village_start(t);
    bool done = town_wait(t, 60);
    struct lab_stats receipt = lab_stats(&t->lab), cold = lab_rest(&t->lab, 10), warm = {0};
    base = town_head(t);
    lab_mark(&t->lab);
    town_record(t, 20);
    double recorded = bench_now();
    size_t warm_n = town_sizes(t, base).floor;
    done = done && town_wait(t, 60);
    double warm_ms = (bench_now() - recorded) * 1000;
    warm = lab_stats(&t->lab);
    if (warm_ms < (double)warm.down.last_ms) warm_ms = (double)warm.down.last_ms;
    warm = lab_rest(&t->lab, 10);
    town_end(t);
    struct lab_floor f = floor_of(t, VILLAGE_LINK, cold_n), g = floor_of(t, VILLAGE_LINK, warm_n);
    if (!done) {
        not_done("20 records, 64 kbit/s, 300 ms", 60);
        return;
    }
    figure("20 records, 64 kbit/s, 300 ms, cold: bytes", (double)lab_bytes(&cold), "B",
           (double)f.cold_bytes, 1.25 * (double)f.cold_bytes, "x1.25");
    figure("  time to the receipt", (double)receipt.down.last_ms, "ms", (double)f.cold_ms,
           (double)f.cold_ms + 300, "floor + 300");
    figure("20 records, warm: bytes", (double)lab_bytes(&warm), "B", (double)g.warm_bytes,
           1.25 * (double)g.warm_bytes, "x1.25");
    double least_ms = round_trip_ms + (double)lab_bytes(&warm) / 8;
    figure("  time to the receipt", warm_ms, "ms", (double)g.warm_ms, least_ms + 50,
           "round trip + bytes / rate + 50");
}

/* A connection of nodes that have nothing for each other. */
static void nothing(struct town *t)
{
    town_begin(t, VILLAGE_LINK);
    town_village_start(t);
    struct lab_stats s = lab_rest(&t->lab, 20);
    town_end(t);
    struct lab_floor f = floor_of(t, VILLAGE_LINK, 1);
    double bytes = (double)lab_bytes(&s) - (double)(f.cold_bytes - f.warm_bytes);
    uint64_t last_ms = s.up.last_ms > s.down.last_ms ? s.up.last_ms : s.down.last_ms;
    double after_ms = (double)last_ms - (double)(f.cold_ms - f.warm_ms) - bytes / 8;
    figure("nothing new: bytes after the handshake", bytes, "B", 0, 400, "400");
    figure("  round trips after it", after_ms / round_trip_ms, "", 0, 1.05, "1");
}

static void two_thousand(struct town *t)
{
    uint64_t base = town_head(t);
    town_record(t, 2000);
    struct run_sizes sizes = town_sizes(t, base);
    steps(t, base);
    town_begin(t, VILLAGE_LINK);
    town_village_start(t);
    bool done = town_wait(t, 120);
    struct lab_stats receipt = lab_stats(&t->lab), s = lab_rest(&t->lab, 10);
    town_end(t);
    struct lab_floor f = floor_of(t, VILLAGE_LINK, sizes.floor);
    if (!done) {
        not_done("2,000 records, 64 kbit/s, 300 ms", 120);
        return;
    }
    figure("2,000 records, 64 kbit/s, 300 ms: a record", (double)lab_bytes(&s) / 2000, "B",
           (double)f.cold_bytes / 2000, 60, "60");
    figure("  time to the receipt", (double)receipt.down.last_ms, "ms", (double)f.cold_ms, 1e9,
           "-");
}

/* 2,000 records over a fast link; *n: what they are at least. */
static bool fast(struct town *t, const char *link, size_t *n, struct lab_stats *receipt,
                 struct lab_stats *rest)
{
    uint64_t base = town_head(t);
    town_record(t, 2000);
    *n = town_sizes(t, base).floor;
    town_begin(t, link);
    town_village_start(t);
    bool done = town_wait(t, 60);
    *receipt = lab_stats(&t->lab);
    *rest = lab_rest(&t->lab, 10);
    town_end(t);
    return done;
}

/* Uncut, then cut once in its middle. The delay makes most of the difference: a new connection is
 * five round trips. */
static void one_cut(struct town *t, int delay_ms)
{
    size_t n, cut_n;
    struct lab_stats receipt, s, cut_receipt, cut;
    char uncut[80], link[160], what[64];
    (void)snprintf(uncut, sizeof uncut, FAST_LINK, delay_ms);
    (void)snprintf(what, sizeof what, "2,000 records, 512 kbit/s, %d ms", delay_ms);
    get_to_know(t, uncut);
    if (!fast(t, uncut, &n, &receipt, &s)) {
        not_done(what, 60);
        return;
    }
    struct lab_floor f = floor_of(t, uncut, n);
    double handshake_ms = (double)(f.cold_ms - f.warm_ms);
    double handshake = (double)(f.cold_bytes - f.warm_bytes);
    figure(what, (double)receipt.down.last_ms, "ms", (double)f.cold_ms,
           1.3 * ((double)lab_bytes(&s) / 64 + handshake_ms), "1.3 x (bytes / rate + handshake)");
    (void)snprintf(link, sizeof link, "%s cuts_max=1 cut_for_ms=3000 cut_bytes=%llu", uncut,
                   (unsigned long long)s.up.carried / 2);
    if (!fast(t, link, &cut_n, &cut_receipt, &cut) || cut.cuts != 1) {
        not_done("  cut once for 3 s", 60);
        return;
    }
    /* Other records: what they would have cost uncut is the first's, by their floors. */
    double scale = (double)cut_n / (double)n;
    double beyond = (double)(cut.up.taken + cut.down.taken) -
                    (double)(cut.up.lost + cut.down.lost) -
                    scale * (double)(s.up.taken + s.down.taken);
    figure("  cut once for 3 s: bytes beyond the uncut run", beyond, "B", 0, 8192 + handshake,
           "8 KiB and a cold connection");
    double least_ms = scale * (double)receipt.down.last_ms + 3000;
    figure("  time", (double)cut_receipt.down.last_ms, "ms", least_ms, least_ms + 3000,
           "uncut + 3 s + 3 s");
}

/* The village starts `late_s` into the first 30 s. */
static void slow(struct town *t, unsigned count, unsigned late_s)
{
    static const double limit_s = 300;
    char what[64];
    (void)snprintf(what, sizeof what, "%u records, 9,600 bit/s, cut every 30 s", count);
    uint64_t base = town_head(t);
    town_record(t, count);
    size_t n = town_sizes(t, base).floor, payload = town_payload(t, base, TWO_SECONDS);
    town_begin(t, SLOW_LINK);
    (void)sleep(late_s);
    town_village_start(t);
    bool done = town_wait(t, limit_s);
    struct lab_stats receipt = lab_stats(&t->lab);
    town_end(t);
    if (!done) {
        not_done(what, limit_s);
        return;
    }
    figure(what, (double)receipt.down.last_ms / 1000, "s", (double)n / 1200, 1e9, "it arrives");
    double carried = (double)lab_bytes(&receipt) / 100, share = (double)payload / carried;
    printf("  new payload in what was carried, %llu cut%s  %5.1f %%  as one run %5.1f %%  (at "
           "least 70)%s\n",
           (unsigned long long)receipt.cuts, receipt.cuts == 1 ? " " : "s", share,
           (double)n / carried, share < 70 ? "  MISSED" : "");
    (void)fflush(stdout);
}

static void retry(struct town *t, const char *least, const char *most)
{
    const char *min[] = {t->sidan, "--home",      t->village_home, "config",
                         "set",    "retry_min_s", least,           NULL};
    const char *max[] = {t->sidan, "--home", t->village_home, "config", "set", "retry_max_s",
                         most,     NULL};
    (void)bench_run(min);
    (void)bench_run(max);
}

/* As little between two cuts as the issue asks for; a village that tries every second. */
static void tiny(struct town *t)
{
    static const double limit_s = 240;
    uint64_t base = town_head(t);
    town_record(t, 20);
    town_record_large(t, 47000);
    size_t n = town_sizes(t, base).floor;
    retry(t, "1", "1");
    town_begin(t, TINY_LINK);
    town_village_start(t);
    bool done = town_wait(t, limit_s);
    struct lab_stats s = lab_stats(&t->lab);
    town_end(t);
    if (!done) {
        not_done("2 KiB each way between cuts, event of 47 KB", limit_s);
        printf("  after %llu cuts, %llu bytes carried\n", (unsigned long long)s.cuts,
               (unsigned long long)lab_bytes(&s));
        return;
    }
    figure("2 KiB each way between cuts: cuts", (double)s.cuts, "", 0, 1e9, "it arrives");
    figure("  bytes, an event of 47 KB in it", (double)lab_bytes(&s), "B", (double)n, 1e9, "-");
}

int main(int argc, char **argv)
{
    struct town t;
    if (argc != 9) return 2;
    bench_must(crypto_init(), "crypto");
    town_open(&t, argv);
    get_to_know(&t, VILLAGE_LINK);
    twenty(&t);
    nothing(&t);
    two_thousand(&t);
    one_cut(&t, 300);
    one_cut(&t, 100);
    get_to_know(&t, SLOW_LINK);
    slow(&t, 500, 15);
    slow(&t, 2000, 0);
    get_to_know(&t, VILLAGE_LINK);
    tiny(&t);
    figure("village's memory, RssAnon", (double)t.village_memory_kib / 1024, "MB", 0, 16, "16");
    figure("hub's memory, one village", (double)t.hub_memory_kib / 1024, "MB", 0, 64, "64");
    town_close(&t);
    return 0;
}
