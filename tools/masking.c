#include "tools/masking.h"

#include "common/text.h"
#include "tools/output.h"

const char *masking_phone(struct cli *cli, const char *phone, bool personal)
{
    struct buf masked = {0};
    if (personal)
        buf_append_text(&masked, phone);
    else
        text_mask_phone(&masked, slice_of_text(phone));
    const char *shown = output_text(cli, buf_slice(&masked));
    buf_clear(&masked);
    return shown;
}
