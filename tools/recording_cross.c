#include "tools/recording_cross.h"

#include "tools/words.h"

const char *recording_cross_words(struct cli *cli, const struct draft *draft,
                                  const struct checks_finding *finding)
{
    const struct kind *kind = kind_find(slice_of_text(draft->kind));
    const struct field *field = kind && finding->field[0] ? kind_field(kind, finding->field) : NULL;
    const char *said = output_text(cli, slice_of_text(finding->said));
    const char *words =
        *said ? cli_format(cli, "%s (%s)", _(finding->what), said) : _(finding->what);
    return field ? cli_format(cli, "%s: %s", words_field(field), words) : words;
}

enum err recording_cross(struct cli *cli, const struct draft *draft, uint64_t now_ms,
                         bool reminders, struct checks_finding *out)
{
    struct txn *t = recorder_txn(cli->recorder);
    const struct checks_draft asked = {
        .kind = kind_find(slice_of_text(draft->kind)),
        .scope = &draft->scope,
        .founding = draft->founding,
        .subject = draft->subject,
        .author = store_identity(cli->store)->device,
        .body = draft->body,
        .box = draft->box,
        .now_ms = now_ms,
        .reminders = reminders,
    };
    *out = (struct checks_finding){.what = NULL};
    /* What is sealed is not held against what this laptop shows. */
    if (!asked.kind || draft->sealed) return OK;
    return checks_before(cli->views, t, true, &asked, out);
}
