#include "tools/scratch.h"

#include "node/clock.h"
#include "common/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_MS 3000 /* what a part gets to end by itself */
#define REMOVE_TRIES 3

/* --- the folder --- */

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* A part that was killed may have been making a file just now. */
static bool remove_folder(const char *path)
{
    for (int i = 0; i < REMOVE_TRIES && is_there(path); i++) (void)folder_remove(path);
    return !is_there(path);
}

static enum err lock_folder(const char *path, int *out)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return err_from_errno(errno);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        enum err err = errno == EWOULDBLOCK ? ERR_BUSY : err_from_errno(errno);
        close(fd);
        return err;
    }
    *out = fd;
    return OK;
}

static enum err make_folder(const char *path, int *lock)
{
    if (mkdir(path, 0700) == 0) return lock_folder(path, lock);
    if (errno != EEXIST) return err_from_errno(errno);
    enum err err = lock_folder(path, lock); /* of one that was killed */
    if (err) return err;
    bool gone = remove_folder(path);
    close(*lock);
    if (!gone) return ERR_IO;
    if (mkdir(path, 0700)) return errno == EEXIST ? ERR_BUSY : err_from_errno(errno);
    return lock_folder(path, lock);
}

bool scratch_left(const char *home, const char *name)
{
    char path[PATH_MAX];
    int lock, size = snprintf(path, sizeof path, "%s/%s", home, name);
    if (size < 0 || (size_t)size >= sizeof path || lock_folder(path, &lock)) return false;
    close(lock);
    return true;
}

/* --- signals --- */

/* Those that this process ignores, as under nohup, stay so. */
static void hold_back(struct scratch *s)
{
    static const int asking[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigemptyset(&s->stops);
    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++) {
        struct sigaction now;
        if (sigaction(asking[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&s->stops, asking[i]);
    }
    sigset_t held = s->stops;
    sigaddset(&held, SIGCHLD);
    sigaction(SIGCHLD, &by_default, &s->child_before);
    sigprocmask(SIG_BLOCK, &held, &s->before);
}

static void let_through(struct scratch *s)
{
    sigaction(SIGCHLD, &s->child_before, NULL);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* Sleeps until a part ends or a signal asks to stop. */
static void sleep_for(struct scratch *s, uint64_t ms)
{
    const struct timespec wait = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t wanted = s->stops;
    sigaddset(&wanted, SIGCHLD);
    int got = sigtimedwait(&wanted, NULL, &wait);
    if (got > 0 && got != SIGCHLD) s->stopped = got;
}

/* --- parts --- */

enum err scratch_begin(struct scratch *s, const char *home, const char *name)
{
    *s = (struct scratch){.lock = -1};
    int size = snprintf(s->path, sizeof s->path, "%s/%s", home, name);
    if (size < 0 || (size_t)size >= sizeof s->path) return ERR_LIMIT;
    hold_back(s);
    enum err err = make_folder(s->path, &s->lock);
    if (err) let_through(s);
    return err;
}

enum err scratch_start(struct scratch *s, size_t *part, int (*run)(void *state), void *state)
{
    pid_t parent = getpid();
    if (s->part_count == SCRATCH_PARTS_MAX) return ERR_LIMIT;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return err_from_errno(errno);
    if (pid == 0) {
        int code = 1;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
            let_through(s);
            code = run(state);
        }
        fflush(NULL);
        _exit(code);
    }
    *part = s->part_count++;
    s->parts[*part] = pid;
    return OK;
}

static void look(struct scratch *s)
{
    for (size_t i = 0; i < s->part_count; i++) {
        int status;
        if (!s->parts[i] || waitpid(s->parts[i], &status, WNOHANG) != s->parts[i]) continue;
        s->parts[i] = 0;
        s->codes[i] = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
}

enum err scratch_wait(struct scratch *s, size_t part, size_t other, uint64_t until_ms, int *code)
{
    for (;;) {
        look(s);
        if (!s->parts[part] && s->codes[part] >= 0) {
            *code = s->codes[part];
            return OK;
        }
        if (s->stopped || !s->parts[part] || (other != SIZE_MAX && !s->parts[other]))
            return ERR_STATE;
        uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= until_ms) return ERR_TIMEOUT;
        sleep_for(s, until_ms - now_ms);
    }
}

static bool any_runs(struct scratch *s)
{
    look(s);
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i]) return true;
    return false;
}

static void tell_parts(const struct scratch *s, int signal_number)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i]) kill(s->parts[i], signal_number);
}

bool scratch_end(struct scratch *s)
{
    uint64_t until_ms = clock_monotonic_ms() + END_MS;
    tell_parts(s, SIGTERM);
    for (uint64_t now_ms; any_runs(s) && (now_ms = clock_monotonic_ms()) < until_ms;)
        sleep_for(s, until_ms - now_ms);
    tell_parts(s, SIGKILL);
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i]) waitpid(s->parts[i], NULL, 0);
    bool gone = remove_folder(s->path);
    close(s->lock);
    let_through(s);
    if (s->stopped) raise(s->stopped);
    return gone;
}
