#include "tools/drawer_sheet.h"

#include "common/text.h"
#include "tools/output.h"

#include <stdio.h>

/* What lies where, and what is lost without it. Each line is a message of its own, so that the
 * columns of a translation are seen where it is written. */
static const char *const lines[] = {
    N_("A. What goes into the drawer: three things, in three places"),
    N_("   1. this sheet                     the township's safe"),
    N_("   2. a stick with authority.key     another drawer that is locked"),
    N_("   3. the passphrase on paper        with neither of the two"),
    N_("   authority.key lies in the folder of the hub. Copy it again after each"),
    N_("   change of the passphrase, of the authority or of the office key."),
    "",
    N_("B. What is lost without it"),
    N_("   the sheet       for now nothing. But if authority.key or the passphrase is"),
    N_("                   lost or stolen later, the township has to be founded anew."),
    N_("   the passphrase  nobody is invited or revoked any more. Take this sheet:"),
    N_("                   sidan authority replace"),
    N_("   the stick       copy it again from the hub. With the hub gone as well: take"),
    N_("                   this sheet; what villages sealed for the office (accusations)"),
    N_("                   can then never be opened."),
    N_("   the hub         put back its backup: sidan restore FILE. Make one a month"),
    N_("                   (sidan backup); the villages send what it lacks. With no"),
    N_("                   backup their records are safe, and the hub has to be rebuilt."),
    "",
    N_("C. If somebody else has it"),
    N_("   the sheet, or the stick with the passphrase: he can sign for the township."),
    N_("   Replace the authority the same day: sidan authority replace"),
    "",
    N_("Take no picture of this page and send it to nobody. After it is printed, close"),
    N_("the window: the key is stored nowhere."),
    "",
    N_("kept by ____________________   date ______________   seen by ________________"),
};

static void rule(FILE *out, const char *title)
{
    size_t width = title ? text_width(slice_of_text(title)) + 2 : 0;
    size_t left = (78 - width) / 2;
    for (size_t i = 0; i < left; i++) fputc('=', out);
    if (title) fprintf(out, " %s ", title);
    for (size_t i = left + width; i < 78; i++) fputc('=', out);
    fputc('\n', out);
}

void drawer_sheet_print(struct cli *cli, FILE *out, const struct founding_plan *plan,
                        const struct founding *made)
{
    char authority[sizeof made->authority.bytes * 2 + 1];
    struct buf recovery = {0};
    hex_encode(authority, made->authority.bytes, sizeof made->authority.bytes);
    township_recovery_print(&recovery, &made->recovery);
    rule(out, _("print this sheet and lock it away"));
    fprintf(out, _("township        %s\n"), output_text(cli, slice_of_text(plan->township)));
    fprintf(out, _("authority       %s\n"), authority);
    fprintf(out, _("recovery key    (shown this once, stored nowhere)\n\n%s\n\n"),
            buf_text(&recovery));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        fprintf(out, "%s\n", lines[i][0] ? _(lines[i]) : "");
    rule(out, NULL);
    crypto_buf_wipe(&recovery);
}
