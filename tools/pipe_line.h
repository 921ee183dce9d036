#pragma once
/*
 * The line of a pipe: this process's own input and output, or those of a command that it starts. A
 * terminal (a serial line) is raw meanwhile. What was changed is put back by pipe_line_close,
 * whatever ended it: signals that stop the process are held until then.
 */
#include "tools/cli.h"

#include <sys/types.h>
#include <termios.h>

struct pipe_line {
    int in, out;
    bool raw;
    struct termios before; /* of `in`, where it is raw */
    int flags_in, flags_out;
    pid_t command; /* 0: none, or it ended */
    bool own_group;
    int status; /* of waitpid, once it ended */
};

/* Takes standard input and output: what is printed from now on goes to standard error, and nobody
 * else reads. Reports failures. */
int pipe_line_stdio(struct pipe_line *l, struct cli *cli);
/* Runs a command of the shell. Reports failures. */
int pipe_line_exec(struct pipe_line *l, struct cli *cli, const char *command);
/* Was the process told to stop? */
bool pipe_line_stopped(void);
/* Closes; a command that does not end by itself within two seconds is ended. The process ends by
 * the signal that came. */
void pipe_line_close(struct pipe_line *l);
/* How the command ended, for people, after the close; NULL: well, or there was none. */
const char *pipe_line_command_failed(const struct pipe_line *l, struct cli *cli);
