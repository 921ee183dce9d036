#include "common/err.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} table[] = {
#define ERR_ROW(code, text) [code] = {#code, text},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *err_text(enum err e)
{
    return (size_t)e < sizeof table / sizeof table[0] ? table[e].text : "unknown error";
}

const char *err_name(enum err e)
{
    return (size_t)e < sizeof table / sizeof table[0] ? table[e].name : "ERR_?";
}

enum err err_from_errno(int errno_value)
{
    switch (errno_value) {
    case 0:
        return OK;
    case ENOMEM:
        return ERR_NOMEM;
    case ENOSPC:
    case EDQUOT:
        return ERR_NOSPACE;
    case EACCES:
    case EPERM:
        return ERR_PERMISSION;
    case EROFS:
        return ERR_READ_ONLY;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EAGAIN:
    case EBUSY:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}
