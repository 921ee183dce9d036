#include "tools/device_words.h"

#include "node/admission.h"
#include "tools/carried_text.h"
#include "tools/lookup.h"

int device_words(struct cli *cli, struct txn *txn, const struct roster *roster, const char *text)
{
    const struct device *d;
    struct slice request;
    uint8_t words[JOIN_WORDS];
    int code = lookup_device(cli, roster, text, &d);
    if (code) return code;
    if (!admission_request(txn, d, &request))
        return cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("%s has no six words"), d->name),
                         _("it did not join by an invite, or not yet"), NULL);
    code = carried_text_words(cli, request, words);
    if (code) return code;
    if (cli->json) {
        json_t *o = output_json("sidan.words/1");
        json_object_set_new(o, "device", output_json_hex(d->first.bytes, sizeof d->first.bytes));
        json_object_set_new(o, "name", json_string(d->name));
        json_object_set_new(o, "words", carried_text_words_json(words));
        return output_json_end(o);
    }
    output_line(cli, _("%s joined with these six words:"), d->name);
    output_line(cli, "    %s", carried_text_words_zh(cli, words));
    output_line(cli, "    (%s)", carried_text_words_en(cli, words));
    output_line(cli,
                _("the clerk's laptop prints the same by the same command, if it is this one"));
    return EXIT_OK;
}
