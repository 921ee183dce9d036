#include "tools/accusation.h"

#include <string.h>

#include "tools/choices.h"

bool accusation_named(struct slice nature)
{
    const struct kind *kind = kind_find(slice_of_text("request.register"));
    const struct field *field = kind_field(kind, "nature");
    char code[CHOICE_CODE_SIZE];
    return choice_code(code, field->name, field->sealed, nature);
}

int accusation_may_list(struct cli *cli, const struct device *self)
{
    if (!device_is_township(self)) {
        return cli_error(cli, EXIT_REFUSED, _("accusations are for the township's office"),
                         _("this device belongs to a village"), NULL);
    }
    if (!cli_has(cli, "--village")) {
        return EXIT_OK;
    }
    return cli_error(cli, EXIT_USAGE, _("accusations and --village do not go together"),
                     _("accusations stand in no village's list"), _("leave --village out"));
}

void accusation_place(const struct recording *r, struct draft *draft)
{
    draft->sealed = !device_is_township(&r->self);
    draft->scope = scope_office();
}

enum err accusation_number(struct cli *cli, const struct recording *r, char number[16])
{
    if (device_is_township(&r->self)) {
        return request_next_accusation(recorder_txn(cli->recorder), &r->self, number);
    }
    memcpy(number, ACCUSATION_NO_NUMBER, sizeof ACCUSATION_NO_NUMBER);
    return OK;
}
