/* What is wrong with files that are carried for others. */
#include "tools/doctor.h"

#include "node/courier.h"
#include "tools/couriers.h"

#include <string.h>

#define LATE_MS (UINT64_C(14) * 24 * 3600 * 1000)

static int look_at_folder(struct doctor *d)
{
    struct courier_files f;
    enum err err = courier_list(&f, d->cli->home);
    if (err) return cli_fail(d->cli, err, _("what is carried here cannot be read"));
    for (size_t i = 0; i < f.count; i++)
        if (f.files[i].damaged)
            doctor_found(d, "courier",
                         cli_format(d->cli, _("a file that is carried for others is damaged: %s"),
                                    f.files[i].name),
                         cli_format(d->cli,
                                    _("remove %s/courier/%s: its sender's next file holds "
                                      "the same again"),
                                    d->cli->home, f.files[i].name));
    courier_files_clear(&f);
    return EXIT_OK;
}

static int look_at_late(struct doctor *d, struct txn *txn, const struct standing *s)
{
    struct couriers c;
    size_t late = 0;
    int code = couriers_read(d->cli, txn, s->roster, &c);
    if (code) return code;
    for (size_t i = 0; i < c.count; i++)
        late += courier_waits(&c.legs[i]) && c.legs[i].taken_ms + LATE_MS < s->now_ms;
    if (late)
        doctor_found(
            d, "courier-late",
            cli_format(d->cli,
                       _("%zu files left with couriers more than 14 days ago and are not in"),
                       late),
            _("ask who carries them (sidan courier status); the villages' next files hold "
              "the same again"));
    couriers_clear(&c);
    return EXIT_OK;
}

int doctor_courier(struct doctor *d, struct txn *txn, const struct standing *s)
{
    int code = look_at_folder(d);
    return code || !s->hub ? code : look_at_late(d, txn, s);
}
