#include "proto/kinds_form.h"

/* Who carries whose bundles (SPEC 26). Nothing of what is in one: it is sealed to its receiver. */

#define BUNDLE_BYTES_MAX (INT64_C(3) << 30)

static const struct field courier_taken[] = {
    {"bundle", "数据包编号", "id of the bundle", BYTES(16, 16), REQUIRED},
    {"from", "来自哪个村", "village that it is from, as was said", CODE(12), OPTIONAL},
    {"to", "送往哪个村", "village that it is for, as was said; none: the township", CODE(12),
     OPTIONAL},
    {"size", "大小(字节)", "size of the file in bytes", UINT(1, BUNDLE_BYTES_MAX), REQUIRED},
};

static const struct field courier_given[] = {
    {"how", "交出方式", "how it was handed over", CHOICE("stick|link"), REQUIRED},
};

#define ALL_DEVICES                                                                                \
    ROLE_VILLAGE | ROLE_DISPATCH | ROLE_CALLBACK | ROLE_OFFICE | ROLE_FINANCE | ROLE_UNIT | ROLE_HUB

static const struct kind table[] = {
    {"courier.taken", "捎带", "file taken along", THING_COURIER, FOUNDS, ALL_DEVICES,
     IN_VILLAGE | IN_OFFICE, FIELDS(courier_taken)},
    {"courier.given", "交出捎带件", "file handed over", THING_COURIER, ACTS, ALL_DEVICES,
     IN_VILLAGE | IN_OFFICE, FIELDS(courier_given)},
};

const struct kind_group kinds_carry = GROUP(table);
