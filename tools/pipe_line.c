#include "tools/pipe_line.h"

#include "node/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_MS 2000   /* what a command has to end by itself, and then to end when told */
#define DRAIN_MS 5000 /* what a slow line has for the last words */
#define LOOK_MS 10

extern char **environ;

/* --- signals --- */

static volatile sig_atomic_t stopped;
static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

static void note_stop(int signal_number)
{
    stopped = signal_number;
}

static struct sigaction usual[sizeof stops / sizeof stops[0]];
static bool held;

static void hold_signals(void)
{
    const struct sigaction note = {.sa_handler = note_stop};
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        if (sigaction(stops[i], NULL, &usual[i]) == 0 && usual[i].sa_handler != SIG_IGN)
            sigaction(stops[i], &note, NULL);
    signal(SIGPIPE, SIG_IGN);
    held = true;
}

static void release_signals(void)
{
    for (size_t i = 0; held && i < sizeof stops / sizeof stops[0]; i++)
        sigaction(stops[i], &usual[i], NULL);
    held = false;
    if (stopped) raise(stopped);
}

bool pipe_line_stopped(void)
{
    return stopped != 0;
}

static void look_later(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
}

/* --- this process's own --- */

static bool same_terminal(int a, int b)
{
    struct stat one, other;
    return isatty(a) && isatty(b) && fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
           one.st_rdev == other.st_rdev;
}

static void no_waiting(int fd, int *flags)
{
    *flags = fcntl(fd, F_GETFL);
    if (*flags >= 0) fcntl(fd, F_SETFL, *flags | O_NONBLOCK);
}

/* Bytes as they are, whatever the line was set to; its speed stays. */
static bool make_raw(struct pipe_line *l)
{
    if (!isatty(l->in)) return true;
    if (tcgetattr(l->in, &l->before)) return false;
    struct termios raw = l->before;
    cfmakeraw(&raw);
    raw.c_iflag |= IGNBRK;
    raw.c_cflag |= CLOCAL | CREAD;
    raw.c_cc[VMIN] = 1; /* with 0 a silent line reads like its end */
    raw.c_cc[VTIME] = 0;
    l->raw = tcsetattr(l->in, TCSANOW, &raw) == 0;
    return l->raw;
}

static int take_stdio(struct pipe_line *l)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    l->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    l->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    bool taken = nothing >= 0 && l->in >= 0 && l->out >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                 dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
    int error = errno;
    if (nothing >= 0) close(nothing);
    return taken ? 0 : error;
}

int pipe_line_stdio(struct pipe_line *l, struct cli *cli)
{
    *l = (struct pipe_line){.in = -1, .out = -1};
    if (same_terminal(STDIN_FILENO, STDERR_FILENO))
        return cli_error(
            cli, EXIT_USAGE, _("no exchange was begun"),
            _("standard input is this terminal; with --stdio another machine is there"),
            _("sidan sync --stdio </dev/ttyS0 >/dev/ttyS0, or over ssh -T"));
    cli->no_input = true;
    int error = take_stdio(l);
    if (!error && !make_raw(l)) error = errno;
    if (error) return cli_fail(cli, err_from_errno(error), _("the line cannot be used"));
    no_waiting(l->in, &l->flags_in);
    no_waiting(l->out, &l->flags_out);
    hold_signals();
    return EXIT_OK;
}

/* Until the line has sent what it was given. */
static void drain(const struct pipe_line *l)
{
    uint64_t until_ms = clock_monotonic_ms() + DRAIN_MS;
    int waiting = 0;
    while (ioctl(l->out, TIOCOUTQ, &waiting) == 0 && waiting > 0 && clock_monotonic_ms() < until_ms)
        look_later();
}

static void give_back(struct pipe_line *l)
{
    if (l->raw) {
        drain(l);
        tcsetattr(l->in, TCSANOW, &l->before);
    }
    if (l->flags_in >= 0) fcntl(l->in, F_SETFL, l->flags_in);
    if (l->flags_out >= 0) fcntl(l->out, F_SETFL, l->flags_out);
}

/* --- a command's --- */

static int spawn(struct pipe_line *l, const char *command, int in, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    char shell[] = "sh", option[] = "-c";
    char *const argv[] = {shell, option, (char *)(uintptr_t)command, NULL};
    short flags = POSIX_SPAWN_SETSIGDEF;
    /* Where a person sits at a terminal, ssh may ask for a password there: only the group of the
     * terminal may, and Ctrl-C reaches both. Else the command and what it starts are ended as one.
     */
    l->own_group = !isatty(STDIN_FILENO);
    if (l->own_group) flags |= POSIX_SPAWN_SETPGROUP;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, flags);
    int error = posix_spawn(&l->command, "/bin/sh", &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Both ends of a pipe that no other program gets. */
static bool make_pipe(int fds[2])
{
    if (pipe(fds)) return false;
    for (int i = 0; i < 2; i++) fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    return true;
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

int pipe_line_exec(struct pipe_line *l, struct cli *cli, const char *command)
{
    int to[2], from[2], error = 0;
    *l = (struct pipe_line){.in = -1, .out = -1};
    if (!make_pipe(to)) return cli_fail(cli, err_from_errno(errno), _("no pipe can be made"));
    if (!make_pipe(from)) {
        error = errno;
        close_both(to);
        return cli_fail(cli, err_from_errno(error), _("no pipe can be made"));
    }
    hold_signals();
    error = spawn(l, command, to[0], from[1]);
    if (error) {
        close_both(to);
        close_both(from);
        return cli_fail(cli, err_from_errno(error),
                        cli_format(cli, _("\"%s\" cannot be started"), command));
    }
    close(to[0]);
    close(from[1]);
    l->in = from[0];
    l->out = to[1];
    no_waiting(l->in, &l->flags_in);
    no_waiting(l->out, &l->flags_out);
    return EXIT_OK;
}

/* It is not taken off the list of processes yet: its number stays its own. */
static bool ends_within(const struct pipe_line *l, uint64_t limit_ms)
{
    uint64_t until_ms = clock_monotonic_ms() + limit_ms;
    for (;;) {
        siginfo_t info = {0};
        int failed = waitid(P_PID, (id_t)l->command, &info, WEXITED | WNOHANG | WNOWAIT);
        if (failed ? errno != EINTR : info.si_pid != 0) return true;
        if (clock_monotonic_ms() >= until_ms) return false;
        look_later();
    }
}

static void end_command(struct pipe_line *l)
{
    pid_t whom = l->own_group ? -l->command : l->command;
    bool ended = ends_within(l, stopped ? 0 : END_MS);
    if (!ended || l->own_group) kill(whom, SIGTERM); /* with what it may leave behind */
    if (!ended && !ends_within(l, END_MS)) kill(whom, SIGKILL);
    while (waitpid(l->command, &l->status, 0) < 0 && errno == EINTR) continue;
    l->command = 0;
}

const char *pipe_line_command_failed(const struct pipe_line *l, struct cli *cli)
{
    if (WIFSIGNALED(l->status))
        return cli_format(cli, _("the command was ended by signal %d"), WTERMSIG(l->status));
    if (WIFEXITED(l->status) && WEXITSTATUS(l->status))
        return cli_format(cli, _("the command ended with exit status %d"), WEXITSTATUS(l->status));
    return NULL;
}

void pipe_line_close(struct pipe_line *l)
{
    if (!l->command && l->in >= 0) give_back(l);
    if (l->out >= 0) close(l->out);
    if (l->in >= 0) close(l->in);
    if (l->command) end_command(l);
    l->in = l->out = -1;
    release_signals();
}
