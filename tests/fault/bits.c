/*
 * bits HOME [--count N] [--seed S] [--again TEXT] [--case KIND:WHERE]
 *
 * Damages the store of a home, one thing at a time, and looks at what is read from it then: every
 * bit of both meta pages, N random bits of the rest, an end at every 4 KiB, foreign files in the
 * place of its own. Each is noticed or harmless. What is read and believed is never anything else
 * than what was written. The last line is "N passed, N failed".
 */
#define _GNU_SOURCE
#include "common/file.h"
#include "common/limits.h"
#include "node/lives.h"
#include "node/store/audit.h"
#include "node/views/views.h"
#include "tests/support/rng.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { META_BITS = 8192 * 8, PAGE = 4096, CASE_SECONDS = 10, FAILURES_SHOWN = 10, BATCH = 256 };

enum damage_kind { META, DATA, CUT, FOREIGN, KINDS };
static const char *const kind_names[] = {"meta", "data", "cut", "foreign"};

enum outcome {
    HARMLESS,   /* all is read as it was, and verifies */
    NOT_OPENED, /* it is said at once */
    NOTICED,    /* what is damaged is told by a check, and not believed before */
    OLDER,      /* the state of a commit before, whole; what is lacking is told or comes back */
    ENDED,      /* a signal ended the reader: nothing was believed, and the node does not run */
    WRONG,      /* something else was read and believed, or a check that found nothing had to */
    OUTCOMES
};
static const char *const outcome_names[] = {"harmless", "not opened", "noticed",
                                            "older",    "ended",      "WRONG"};

struct totals { /* shared with the children */
    uint64_t counts[KINDS][OUTCOMES];
    uint64_t at;
    uint64_t failures;
};
struct lab {
    const char *home, *again;
    struct buf data; /* of data.mdb, undamaged */
    struct buf want; /* what is read from it */
    size_t want_records;
    uint64_t *bits; /* to be flipped in DATA */
    size_t bit_count;
    uint64_t seed;
    char path[80], file[100], lock[100], side[100];
    struct totals *totals;
    bool one;
    enum damage_kind kind;
    uint64_t where;
};

static void must(bool right, const char *what)
{
    if (right) return;
    fprintf(stderr, "bits: %s\n", what);
    exit(2);
}

/* --- what is read --- */

static void note_problem(void *state, uint64_t arrival, enum err err, const char *what)
{
    (void)arrival, (void)err, (void)what;
    ++*(uint64_t *)state;
}

/* What `log_read` believes of a record. */
struct believed {
    uint64_t arrival;
    struct event_id id;
    struct sign_key author;
    uint64_t digest; /* FNV-1a over header, state of the box and box */
};

static uint64_t digest_more(uint64_t digest, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) digest = (digest ^ data[i]) * UINT64_C(0x100000001b3);
    return digest;
}

/* Appends them in the order of arrival; false where one could not be read. */
static bool read_records(struct store *s, struct buf *out)
{
    struct txn *t;
    struct event e;
    bool all = true;
    if (txn_begin(s, false, &t)) return false;
    uint64_t count = log_count(t);
    if (count > 100000) count = 100000;
    for (uint64_t arrival = 1; arrival <= count; arrival++) {
        enum err err = log_read(t, arrival, &e);
        if (err) all = false;
        if (err) continue;
        struct believed b;
        memset(&b, 0, sizeof b);
        b.arrival = arrival;
        b.id = e.id;
        b.author = e.feed.author;
        b.digest = digest_more(UINT64_C(0xcbf29ce484222325), e.header.data, e.header.size);
        b.digest = digest_more(b.digest, &(uint8_t){(uint8_t)e.box_state}, 1);
        if (e.box_state == BOX_HERE) b.digest = digest_more(b.digest, e.box.data, e.box.size);
        buf_append(out, &b, sizeof b);
    }
    all = all && txn_error(t) == OK;
    txn_abort(t);
    return all;
}

static bool read_scopes(struct store *s, struct buf *out)
{
    struct txn *t;
    struct scope_row scope;
    bool all = true;
    if (txn_begin(s, false, &t)) return false;
    for (uint32_t number = 1; number <= scope_count(t) && number < 100; number++) {
        struct views_digest views;
        if (!scope_get(t, number, &scope) || views_digest(t, &scope.scope, &views)) {
            all = false;
            continue;
        }
        buf_append(out, views.digest.bytes, sizeof views.digest.bytes);
    }
    all = all && txn_error(t) == OK;
    txn_abort(t);
    return all;
}

static bool read_checked(struct store *s)
{
    uint64_t problems = 0, differing = 0;
    struct audit_options options = {.problem = note_problem, .state = &problems};
    struct audit_result result = {0};
    struct views *v = NULL;
    bool good = audit_run(s, &options, &result) == OK && result.problems == 0 && problems == 0;
    good = good && views_open(&v, s) == OK && views_compare(v, s, &differing, NULL, NULL) == OK &&
           differing == 0;
    views_close(v);
    return good;
}

/* Is each record in `got` one of `want`? A key that was damaged gives a true record under another
 * number, which is for the check to find. */
static bool believed_is_true(const struct buf *want, size_t want_size, const struct buf *got,
                             size_t got_size)
{
    struct believed b, w;
    for (size_t at = 0; at < got_size; at += sizeof b) {
        bool found = false;
        memcpy(&b, got->data + at, sizeof b);
        for (size_t k = 0; k < want_size && !found; k += sizeof w) {
            memcpy(&w, want->data + k, sizeof w);
            found = event_id_equal(&w.id, &b.id) && w.digest == b.digest &&
                    sign_key_equal(&w.author, &b.author);
        }
        if (!found) return false;
    }
    return true;
}

/* A meta page whose bit flipped may name the tree of an earlier commit, which is whole. Of what
 * this device signed the side file knows; the rest a peer sends again (S3). */
static bool is_older(const struct lab *l, size_t believed)
{
    struct store *s = NULL;
    bool behind = false, own = false;
    if (believed >= l->want_records || store_open(&s, l->path, NULL)) return false;
    for (size_t at = believed; at < l->want_records; at += sizeof(struct believed)) {
        struct believed b;
        memcpy(&b, l->want.data + at, sizeof b);
        own = own || sign_key_equal(&b.author, &store_identity(s)->device);
    }
    bool told = lives_open(s, &behind) == OK && behind;
    store_close(s);
    return !own || told;
}

static enum outcome look(struct lab *l, struct buf *got)
{
    struct store *s = NULL;
    struct store_options options = {.read_only = true};
    if (store_open(&s, l->path, &options)) return NOT_OPENED;
    bool records = read_records(s, got);
    size_t records_size = got->size;
    bool scopes = read_scopes(s, got);
    bool checked = read_checked(s);
    store_close(s);
    if (!l->want.data) {
        l->want_records = records_size;
        return records && scopes && checked ? HARMLESS : WRONG;
    }
    bool same = got->size == l->want.size && memcmp(got->data, l->want.data, got->size) == 0;
    if (!believed_is_true(&l->want, l->want_records, got, records_size)) return WRONG;
    if (!checked) return NOTICED;
    if (same && records && scopes) return HARMLESS;
    return is_older(l, records_size) ? OLDER : WRONG;
}

/* --- damage --- */

static void put_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size, path);
    close(fd);
}

static void damage_foreign(struct lab *l, uint64_t where)
{
    uint8_t garbage[8192];
    struct rng rng = {l->seed + where};
    rng_crypto_source(&rng, garbage, sizeof garbage);
    unlink(l->lock);
    put_file(l->file, l->data.data, l->data.size);
    switch (where % 8) {
    case 0: /* the lock file holds garbage, is cut, is empty */
        put_file(l->lock, garbage, sizeof garbage);
        break;
    case 1:
        put_file(l->lock, garbage, 100);
        break;
    case 2:
        put_file(l->lock, garbage, 0);
        break;
    case 3: /* so is the data file */
        put_file(l->file, garbage, sizeof garbage);
        break;
    case 4:
        unlink(l->file);
        break;
    case 5: /* or it is longer than it was */
        must(truncate(l->file, (off_t)(l->data.size + PAGE * (where + 1))) == 0, l->file);
        break;
    case 6: /* or a link or a folder */
        unlink(l->file);
        must(symlink("/dev/null", l->file) == 0, l->file);
        break;
    default:
        unlink(l->file);
        must(mkdir(l->file, 0700) == 0, l->file);
    }
}

static void mend(struct lab *l)
{
    if (unlink(l->file)) rmdir(l->file);
    unlink(l->lock);
}

static void damage(struct lab *l, enum damage_kind kind, uint64_t where)
{
    uint64_t bit = kind == DATA ? l->bits[where] : where;
    mend(l);
    switch (kind) {
    case META:
    case DATA:
        l->data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_file(l->file, l->data.data, l->data.size);
        l->data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        break;
    case CUT: /* at every page, and a byte beside it */
        put_file(l->file, l->data.data, (size_t)(where / 3 * PAGE + where % 3));
        break;
    default:
        damage_foreign(l, where);
    }
}

/* --- the cases --- */

static uint64_t cases_of(const struct lab *l, enum damage_kind kind)
{
    switch (kind) {
    case META:
        return META_BITS;
    case DATA:
        return l->bit_count;
    case CUT:
        return l->data.size / PAGE * 3;
    default:
        return 64;
    }
}

static void tell(struct lab *l, enum damage_kind kind, uint64_t where, const char *why)
{
    if (l->totals->failures++ >= FAILURES_SHOWN) return;
    printf("BAD %s %" PRIu64 ": %s\n  again: %s --case %s:%" PRIu64 "\n", kind_names[kind], where,
           why, l->again, kind_names[kind], where);
    fflush(stdout);
}

static void run_case(struct lab *l, enum damage_kind kind, uint64_t where)
{
    struct buf got = {0};
    damage(l, kind, where);
    enum outcome outcome = look(l, &got);
    buf_clear(&got);
    l->totals->counts[kind][outcome]++;
    if (outcome == WRONG) tell(l, kind, where, "something else was believed");
    if (l->one) printf("%s %" PRIu64 ": %s\n", kind_names[kind], where, outcome_names[outcome]);
}

/* Runs from `first`; gives where to go on: a case that ends its process is counted. */
static uint64_t batch(struct lab *l, enum damage_kind kind, uint64_t first, uint64_t end)
{
    int status;
    fflush(stdout);
    l->totals->at = first;
    pid_t child = fork();
    must(child >= 0, "no process");
    if (child == 0) {
        must(freopen("/dev/null", "w", stderr) != NULL, "stderr");
        for (uint64_t i = first; i < end; i++) {
            l->totals->at = i;
            alarm(CASE_SECONDS);
            run_case(l, kind, i);
        }
        fflush(stdout);
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child, "no child");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return end;
    l->totals->counts[kind][ENDED]++;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        tell(l, kind, l->totals->at, "no end within ten seconds");
    if (l->one) printf("ended by signal %d\n", WTERMSIG(status));
    return l->totals->at + 1;
}

static void run_kind(struct lab *l, enum damage_kind kind)
{
    uint64_t count = cases_of(l, kind), at = 0;
    while (at < count) at = batch(l, kind, at, at + BATCH < count ? at + BATCH : count);
}

static int report(const struct lab *l)
{
    uint64_t cases = 0, failures = l->totals->failures;
    for (size_t kind = 0; kind < KINDS; kind++) {
        uint64_t sum = 0;
        printf("%-8s", kind_names[kind]);
        for (size_t o = 0; o < OUTCOMES; o++) {
            printf(" %8" PRIu64 " %s", l->totals->counts[kind][o], outcome_names[o]);
            sum += l->totals->counts[kind][o];
        }
        printf("\n");
        if (!l->one &&
            (sum != cases_of(l, (enum damage_kind)kind) || l->totals->counts[kind][HARMLESS] == 0 ||
             sum == l->totals->counts[kind][HARMLESS])) {
            printf("FAILED: not all kinds of this happened\n");
            failures++;
        }
        cases += sum;
    }
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", cases - l->totals->failures, failures);
    return failures != 0;
}

static void copy_side(struct lab *l)
{
    char from[512];
    struct buf side = {0};
    (void)snprintf(from, sizeof from, "%s/side", l->home);
    (void)snprintf(l->side, sizeof l->side, "%s/side", l->path);
    must(file_read(&side, from, MIB(2)) == OK, from);
    put_file(l->side, side.data, side.size);
    buf_clear(&side);
}

static void prepare(struct lab *l, size_t count)
{
    char from[512];
    struct rng rng = {l->seed};
    (void)snprintf(l->path, sizeof l->path, "/dev/shm/sidan-bits.%d", (int)getpid());
    (void)snprintf(l->file, sizeof l->file, "%s/store/data.mdb", l->path);
    (void)snprintf(l->lock, sizeof l->lock, "%s/store/lock.mdb", l->path);
    (void)snprintf(from, sizeof from, "%s/store", l->path);
    must(mkdir(l->path, 0700) == 0 && mkdir(from, 0700) == 0, l->path);
    (void)snprintf(from, sizeof from, "%s/store/data.mdb", l->home);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    struct stat st;
    must(fd >= 0 && fstat(fd, &st) == 0, from);
    uint8_t *room = buf_reserve(&l->data, (size_t)st.st_size);
    must(room && read(fd, room, (size_t)st.st_size) == st.st_size, from);
    buf_advance(&l->data, (size_t)st.st_size);
    close(fd);
    copy_side(l);
    l->bits = calloc(count + 1, sizeof *l->bits);
    must(l->bits != NULL, "no memory");
    l->bit_count = count;
    for (size_t i = 0; i < count; i++)
        l->bits[i] = rng_between(&rng, META_BITS, (uint64_t)l->data.size * 8 - 1);
    put_file(l->file, l->data.data, l->data.size);
    struct buf want = {0};
    must(look(l, &want) == HARMLESS, "the home is not whole to begin with");
    l->want = want;
}

static void parse(struct lab *l, int argc, char **argv, size_t *count)
{
    char name[16];
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--count") == 0) *count = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) l->seed = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--again") == 0) l->again = argv[i + 1];
        if (strcmp(argv[i], "--case") != 0) continue;
        must(sscanf(argv[i + 1], "%15[a-z]:%" SCNu64, name, &l->where) == 2, "no such case");
        l->one = true;
        while (l->kind < KINDS && strcmp(kind_names[l->kind], name) != 0) l->kind++;
        must(l->kind < KINDS, "no such case");
    }
}

int main(int argc, char **argv)
{
    struct lab l = {.home = argc > 1 ? argv[1] : "", .again = "bits", .seed = 1};
    size_t count = 4000;
    must(argc > 1, "usage: bits HOME [--count N] [--seed S] [--case KIND:WHERE]");
    parse(&l, argc, argv, &count);
    must(crypto_init() == OK, "no crypto");
    l.totals =
        mmap(NULL, sizeof *l.totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(l.totals != MAP_FAILED, "no memory");
    prepare(&l, count);
    if (l.one)
        (void)batch(&l, l.kind, l.where, l.where + 1);
    else
        for (size_t kind = 0; kind < KINDS; kind++) run_kind(&l, (enum damage_kind)kind);
    mend(&l);
    (void)snprintf(l.file, sizeof l.file, "%s/store", l.path);
    rmdir(l.file);
    unlink(l.side);
    rmdir(l.path);
    int result = report(&l);
    buf_clear(&l.data);
    buf_clear(&l.want);
    free(l.bits);
    return result;
}
