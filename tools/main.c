/* The command line: `sidan [VERB] [OBJECT] [flags]`. */
#include "tools/cli.h"
#include "tools/help.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Secrets pass through this process: no core files, nothing readable by others.
 */
static void protect(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    umask(077);
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    protect();
    int code = cli_parse(&cli, argc, argv);
    if (!code && crypto_init())
        code = cli_error(&cli, EXIT_FAILED, _("the cryptography of this machine does not work"),
                         NULL, NULL);
    if (!code) code = cli.help ? help_command(&cli, cli.command) : cli.command->run(&cli);
    cli_close(&cli);
    if (fflush(stdout) || ferror(stdout)) {
        perror("sidan");
        if (!code) code = EXIT_FAILED;
    }
    return code;
}
