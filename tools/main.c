/* The command line: `sidan [VERB] [OBJECT] [flags]`. */
#include "node/home_key.h"
#include "tools/cli.h"
#include "tools/help.h"

#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    struct cli cli = {0};
    umask(077); /* secrets pass through this process */
    home_keep_process_private();
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
