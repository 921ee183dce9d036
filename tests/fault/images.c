/*
 * images TRACE ROOT [--count N] [--seed S] [--lie] [--case POSITION:VARIANT]
 *
 * Builds images of the homes of a trace as power cuts may leave them, and judges each. ROOT is the
 * folder that the trace was taken of: it must be what the trace says, or the recorder missed
 * something. The last line is "N passed, N failed".
 */
#define _GNU_SOURCE
#include "tests/fault/check.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAILURES_SHOWN = 10, CASE_SECONDS = 20, VERBS_MAX = 32, LIE_WINDOW = 10, LIE_VARIANTS = 3 };

struct options {
    const char *trace, *root, *again;
    size_t count;
    uint64_t seed;
    bool lie;
    size_t position, variant; /* of --case */
    bool one;
};
struct totals { /* shared with the children */
    struct image_counts counts;
    uint64_t verdicts[VERDICTS], new_lives, failures, positions, lies;
    uint64_t contacts, healed, later, ended; /* of a disk that lies */
    uint64_t verbs[VERBS_MAX];
    size_t variant; /* under way */
};
struct run {
    struct options options;
    struct trace trace;
    struct world world;
    struct totals *totals;
    uint64_t walk_seed;
    char path[64], other[64], verb_names[VERBS_MAX][16];
    size_t verb_count;
};

static unsigned verb_of(struct run *r, size_t position)
{
    const struct record *record = &r->trace.records[position];
    const struct process *p = world_process(&r->world, record->head.pid, position);
    const char *verb = p ? p->verb : "?";
    for (unsigned i = 0; i < r->verb_count; i++)
        if (strcmp(r->verb_names[i], verb) == 0) return i;
    if (r->verb_count == VERBS_MAX) return 0;
    (void)snprintf(r->verb_names[r->verb_count], sizeof r->verb_names[0], "%s", verb);
    return (unsigned)r->verb_count++;
}

static void tell(struct run *r, size_t position, size_t variant, const char *node, const char *why)
{
    if (r->totals->failures++ >= FAILURES_SHOWN) return;
    printf("BAD %s after record %zu: %s\n", node, position, why);
    printf("  again: %s --seed %" PRIu64 " --case %zu:%zu\n", r->options.again, r->walk_seed,
           position, variant);
    fflush(stdout);
}

/* The other home of the story; -1: there is none yet. */
static int peer_of(const struct run *r, const struct disk *d, int node)
{
    for (int i = 0; i < disk_homes(d); i++)
        if (i != node && r->world.is_home[i]) return i;
    return -1;
}

/* What a disk lost that lied comes back from the peer, in one contact. False: it does not, and no
 * check tells why. A page that LMDB took for free may have been in use: that shows later. */
static bool heal(struct run *r, const struct disk *d, int node, size_t position, struct judged *j)
{
    struct rng rng = {1};
    struct image_counts none = {0};
    struct judged after;
    struct store *s;
    int peer = peer_of(r, d, node);
    if (peer < 0 || !disk_image(d, peer, IMAGE_CLEAN, false, &rng, r->other, &none)) return true;
    if (store_open(&s, r->other, &(struct store_options){.read_only = true})) return true;
    store_close(s);
    r->totals->contacts++;
    bool healed = check_contact(j, strcmp(disk_node_name(d, node), "hub") != 0, r->path, r->other);
    r->totals->healed += healed;
    if (healed) return true;
    check_image(&after, &r->world, node, position, r->path);
    bool told = j->told || (after.verdict == IMAGE_NOTICED && !after.sound);
    r->totals->later += told;
    return told;
}

/* One image; an honest disk may leave nothing but whole ones. */
static void image(struct run *r, const struct disk *d, int node, size_t position, size_t variant)
{
    struct judged j;
    struct rng rng = {r->walk_seed * 1000003 + position * 8191 + variant};
    (void)rng_next(&rng);
    bool flying = rng_chance(&rng, 40);
    disk_image(d, node, IMAGE_RANDOM, flying, &rng, r->path, &r->totals->counts);
    check_image(&j, &r->world, node, position, r->path);
    r->totals->verdicts[j.verdict]++;
    r->totals->new_lives += j.new_life;
    bool lacks_some = j.verdict >= IMAGE_NOTICED && j.sound;
    if (r->options.lie && lacks_some && !heal(r, d, node, position, &j)) j.verdict = IMAGE_BAD;
    bool bad = j.verdict == IMAGE_BAD || (!r->options.lie && j.verdict > IMAGE_NOT_BEGUN);
    if (bad || r->options.one) tell(r, position, variant, disk_node_name(d, node), j.why);
}

static void images_at(struct run *r, const struct disk *d, int node, size_t position, size_t count)
{
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
        for (size_t i = 0; i < count; i++) {
            r->totals->variant = r->options.one ? r->options.variant : i;
            alarm(CASE_SECONDS);
            image(r, d, node, position, r->totals->variant);
        }
        fflush(stdout);
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status)) {
        char why[64];
        /* LMDB has no sums: a page that was never written may end it, as a flipped bit does. */
        if (r->options.lie && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM) {
            r->totals->ended++;
            r->totals->positions++;
            return;
        }
        (void)snprintf(why, sizeof why, "ended by signal %d", WTERMSIG(status));
        tell(r, position, r->totals->variant, disk_node_name(d, node), why);
    }
    r->totals->positions++;
}

static bool is_case(const struct trace *t, size_t i)
{
    return t->records[i].head.op != TRACE_START && t->records[i].head.op != TRACE_OUT;
}

static void walk(struct run *r, size_t each, uint64_t walk_seed)
{
    static const unsigned rates[] = {1, 2, 5, 10, 20};
    struct rng rng = {walk_seed};
    size_t since_lie = LIE_WINDOW; /* later ones have been synced meanwhile */
    r->walk_seed = walk_seed;
    unsigned rate = rates[rng_below(&rng, 5)];
    struct disk *d = disk_new(&r->trace);
    for (size_t i = 0; i < r->trace.count; i++) {
        bool lies = r->options.lie && rng_chance(&rng, rate);
        const struct record *record = &r->trace.records[i];
        bool asks = record->head.op == TRACE_SYNC || record->head.synced;
        r->totals->lies += lies && asks;
        since_lie = lies && asks ? 0 : since_lie + 1;
        disk_apply(d, record, lies);
        int node = disk_node_of(d, record);
        if (!is_case(&r->trace, i) || node < 0) continue;
        if (r->options.one && i + 1 != r->options.position) continue;
        if (r->options.lie && !r->options.one && since_lie >= LIE_WINDOW) continue;
        r->totals->verbs[verb_of(r, i)] += each;
        images_at(r, d, node, i + 1, each);
    }
    if (!r->options.one && disk_differs(d, r->options.root)) exit(2);
    disk_free(d);
}

static size_t cases(const struct run *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->trace.count; i++) count += is_case(&r->trace, i);
    return count;
}

static void parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.count = 1000, .seed = 1, .again = "images"};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--lie") == 0)
            o->lie = true;
        else if (strcmp(argv[i], "--again") == 0)
            o->again = value, i++;
        else if (strcmp(argv[i], "--count") == 0)
            o->count = strtoul(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--seed") == 0)
            o->seed = strtoull(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--case") == 0)
            o->one = sscanf(value, "%zu:%zu", &o->position, &o->variant) == 2, i++;
        else if (!o->trace)
            o->trace = argv[i];
        else
            o->root = argv[i];
    }
    if (!o->root) {
        fprintf(stderr, "usage: images TRACE ROOT [--count N] [--seed S] [--lie] [--case P:V]\n");
        exit(2);
    }
}

/* A run in which a kind of fault did not happen has shown nothing. */
static bool lacks(const struct run *r)
{
    const struct totals *t = r->totals;
    const struct {
        const char *what;
        uint64_t count;
    } kinds[] = {{"whole images", t->verdicts[IMAGE_WHOLE]},
                 {"images before the first word", t->verdicts[IMAGE_NOT_BEGUN]},
                 {"torn writes", t->counts.torn},
                 {"lost writes", t->counts.dropped},
                 {"writes kept", t->counts.kept},
                 {"names lost", t->counts.names_dropped},
                 {"names kept", t->counts.names_kept},
                 {"syncs that lied", t->lies + !r->options.lie},
                 {"contacts", t->contacts + !r->options.lie},
                 {"commits", r->world.commits},
                 {"events", r->world.event_count},
                 {"claims", r->world.claim_count}};
    bool lacking = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].count > 0) continue;
        printf("FAILED: no %s in this run\n", kinds[i].what);
        lacking = true;
    }
    return lacking;
}

static int report(struct run *r)
{
    const struct totals *t = r->totals;
    const struct image_counts *c = &t->counts;
    printf("%" PRIu64 " images at %" PRIu64 " points: %" PRIu64 " whole, %" PRIu64
           " before the first word, %" PRIu64 " noticed, %" PRIu64 " silent; %" PRIu64
           " began a new life\n",
           c->images, t->positions, t->verdicts[IMAGE_WHOLE], t->verdicts[IMAGE_NOT_BEGUN],
           t->verdicts[IMAGE_NOTICED], t->verdicts[IMAGE_SILENT], t->new_lives);
    printf("writes torn %" PRIu64 ", lost %" PRIu64 ", kept %" PRIu64 "; names lost %" PRIu64
           ", kept %" PRIu64 "; syncs that lied %" PRIu64 "\n",
           c->torn, c->dropped, c->kept, c->names_dropped, c->names_kept, t->lies);
    if (r->options.lie)
        printf("contacts %" PRIu64 ", healed %" PRIu64 ", damaged in it and told %" PRIu64
               ", ended by a signal %" PRIu64 "\n",
               t->contacts, t->healed, t->later, t->ended);
    printf("%u commits, %zu events, %zu claims of receipts; in the middle of:", r->world.commits,
           r->world.event_count, r->world.claim_count);
    for (size_t i = 0; i < r->verb_count; i++)
        printf(" %s %" PRIu64, r->verb_names[i], t->verbs[i]);
    bool lacking = !r->options.one && lacks(r);
    uint64_t failed = t->failures + (lacking ? 1 : 0);
    printf("\n%" PRIu64 " passed, %" PRIu64 " failed\n", c->images - t->failures, failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    static struct run r;
    parse(&r.options, argc, argv);
    if (crypto_init()) return 2;
    r.totals =
        mmap(NULL, sizeof *r.totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.totals == MAP_FAILED) return 2;
    (void)snprintf(r.path, sizeof r.path, "/dev/shm/sidan-image.%d", (int)getpid());
    (void)snprintf(r.other, sizeof r.other, "/dev/shm/sidan-other.%d", (int)getpid());
    trace_read(&r.trace, r.options.trace, r.options.root);
    world_read(&r.world, &r.trace, r.path);
    size_t points = cases(&r);
    size_t each = r.options.lie ? LIE_VARIANTS : (r.options.count + points - 1) / points;
    uint64_t seed = r.options.seed;
    do walk(&r, r.options.one ? 1 : each, seed++);
    while (r.options.lie && !r.options.one && r.totals->counts.images < r.options.count);
    remove_image(r.path);
    remove_image(r.other);
    return report(&r);
}
