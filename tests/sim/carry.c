/* Bundles as the command line makes and takes them, beside the running node. */
#include "node/bundle_making.h"
#include "node/bundle_taking.h"
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int carry_file(struct sim *s)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/stick", s->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || unlink(path) != 0) sim_fail(s, "cannot make %s", path);
    return fd;
}

bool carry_export(struct sim_node *n, int fd, const struct sign_key *to, bool to_township,
                  struct bundle_made *out)
{
    struct sim *s = n->sim;
    const struct clock_reading clock = node_clock(n);
    struct views *views = NULL;
    SIM_OK(s, views_open(&views, n->store));
    const struct bundle_making making = {
        .store = n->store,
        .views = views,
        .keys = &n->keys,
        .wall_ms = clock.wall_ms,
        .time_trusted = clock.trusted,
        .to = *to,
        .read_back = true,
        .to_township = to_township,
    };
    enum err err = bundle_make(fd, &making, out);
    views_close(views);
    if (err != OK && err != ERR_NOT_FOUND) sim_fail(s, "%s: bundle: %s", n->name, err_text(err));
    return err == OK;
}

enum err carry_import(struct sim_node *n, int fd, struct bundle_taken *out)
{
    struct sim *s = n->sim;
    struct views *views = NULL;
    *out = (struct bundle_taken){.why = OK};
    if (lseek(fd, 0, SEEK_SET) != 0) sim_fail(s, "cannot read a stick");
    SIM_OK(s, views_open(&views, n->store));
    const struct bundle_taking taking = {
        .store = n->store, .views = views, .keys = &n->keys, .wall_ms = node_clock(n).wall_ms};
    enum err err = bundle_take(fd, &taking, out);
    views_close(views);
    return err;
}

void carry_told(struct sim_node *n)
{
    const struct exchange_time time = node_time(n);
    check_node(n);
    SIM_OK(n->sim, exchange_refresh(n->exchange, &time));
    node_turn(n);
}
