#include "tools/qr.h"

#include <errno.h>
#include <qrencode.h>

enum { QUIET = 2 };

/* Is the module at (x, y) light? The quiet zone is. */
static bool light(const QRcode *code, int x, int y)
{
    bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return !inside || (code->data[y * code->width + x] & 1) == 0;
}

static void print_line(struct buf *out, const QRcode *code, int y, bool coloured)
{
    buf_append_text(out, coloured ? "\033[97;40m" : "");
    for (int x = -QUIET; x < code->width + QUIET; x++) {
        bool upper = light(code, x, y), lower = light(code, x, y + 1);
        buf_append_text(out, upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ");
    }
    buf_append_text(out, coloured ? "\033[0m\n" : "\n");
}

enum err qr_print(struct buf *out, struct slice text, bool coloured)
{
    QRcode *code = QRcode_encodeData((int)text.size, text.data, 0, QR_ECLEVEL_L);
    if (code == NULL) {
        return errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
    }
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        print_line(out, code, y, coloured);
    }
    QRcode_free(code);
    return out->err;
}
