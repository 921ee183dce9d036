#include "common/version.h"
#include "node/daemon.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "用法: sidan-node [--home 目录] [-n] [-v]\n"
    "运行本机的四单节点，直到收到 SIGTERM。\n"
    "Runs this machine's sidan node until SIGTERM.\n"
    "\n"
    "  --home DIR   数据目录 / the home (else $SIDAN_HOME, else ~/.local/share/sidan)\n"
    "  -n           只检查配置、密钥和数据，然后退出 / check, then stop\n"
    "  -v           详细日志 / log more\n"
    "  --version    版本 / the version\n"
    "  -h, --help   本页 / this page\n";

static const struct option long_options[] = {
    {"home", required_argument, NULL, 'd'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static const char *default_home(void)
{
    static char path[PATH_MAX];
    const char *given = getenv("SIDAN_HOME");
    const char *user = getenv("HOME");
    if (given && given[0]) return given;
    if (!user || !user[0]) return NULL;
    int size = snprintf(path, sizeof path, "%s/.local/share/sidan", user);
    return size > 0 && size < (int)sizeof path ? path : NULL;
}

static int usage(const char *what)
{
    fprintf(stderr, "错误: %s\n处理: sidan-node -h\n", what);
    return DAEMON_USAGE;
}

int main(int argc, char **argv)
{
    struct daemon_options options = {.home = default_home()};
    int option;
    while ((option = getopt_long(argc, argv, "nvh", long_options, NULL)) != -1) {
        switch (option) {
        case 'd':
            options.home = optarg;
            break;
        case 'n':
            options.check_only = true;
            break;
        case 'v':
            options.verbose = true;
            break;
        case 'V':
            puts("sidan-node " SIDAN_VERSION);
            return DAEMON_OK;
        case 'h':
            fputs(help, stdout);
            return DAEMON_OK;
        default: /* getopt said what */
            return usage("参数不对 (bad option)");
        }
    }
    if (optind < argc) return usage("多余的参数 (unexpected argument)");
    if (!options.home) return usage("没有 --home，也没有 $HOME (no home given)");
    enum daemon_exit code = daemon_run(&options);
    if (code != DAEMON_LOCKED) return (int)code;
    /* A process anew, so nothing that was known when it was open is left in memory. Signals stay
     * blocked until they are read again. */
    execv("/proc/self/exe", argv);
    return DAEMON_FAILED; /* the service manager starts it again */
}
