#pragma once
/*
 * Short forms in which the groups of kinds (proto/kinds_<group>.c) are written. The order of fields
 * is the order in which a person is asked for them. SPEC, "Kinds", says the same table;
 * tests/unit/proto/test_kinds_spec.c compares the two.
 */
#include "proto/kinds.h"

#define TEXT(min_, max_) FIELD_TEXT, .min = (min_), .max = (max_)
#define UINT(min_, max_) FIELD_UINT, .min = (min_), .max = (max_)
#define INT(min_, max_) FIELD_INT, .min = (min_), .max = (max_)
#define CODE(digits) FIELD_CODE, .min = (digits), .max = (digits)
#define BYTES(min_, max_) FIELD_BYTES, .min = (min_), .max = (max_)
#define LIST(max_) FIELD_LIST, .min = 0, .max = (max_)
#define CHOICE(choices_) FIELD_CHOICE, .choices = (choices_)
#define ROWS(min_, max_, columns_)                                                                 \
    FIELD_ROWS, .min = (min_), .max = (max_), .columns = (columns_),                               \
                .column_count = sizeof(columns_) / sizeof(columns_)[0]
#define REQUIRED .required = true
#define OPTIONAL .required = false
#define UNLESS(condition) .unless = (condition)
#define PERSONAL .personal = true

#define NAME_SIZE_MAX 64
#define REF_MAX 128
#define PARAGRAPH_MAX 6000 /* bytes: 2,000 Chinese characters */

/* When it was done, as stated; an event's own time is the moment of recording. */
#define AT "at", "办理时间", "when it was done", FIELD_TIME, OPTIONAL
/* By when the next step is due, by which version of the limits; provisional: past the calendar. */
#define NEXT_DUE "next_due", "下一步时限", "next step due by", FIELD_TIME, OPTIONAL
#define RULES "rules", "规则版本", "version of the rules", UINT(0, 9999), OPTIONAL
#define PROVISIONAL "provisional", "暂定", "provisional date", FIELD_BOOL, OPTIONAL
/* Who signed the paper, and where it is. */
#define SIGNED_BY "signed_by", "签发人", "person who signed the paper", FIELD_THING, OPTIONAL
#define PAPER_REF "paper_ref", "纸质件存放", "where the paper is", TEXT(1, REF_MAX), OPTIONAL
#define WHY "why", "理由", "reason in words", TEXT(1, PARAGRAPH_MAX), OPTIONAL, PERSONAL
#define PERSON "person", "志愿者", "volunteer", FIELD_THING, REQUIRED
#define YEAR "year", "年度", "year", UINT(2000, 2999), REQUIRED

#define SOLVED "yes|part|no"
#define SERVICES                                                                                   \
    "elderly|children|convenience|environment|patrol|mediation|policy|water|rescue|medical|"       \
    "education|event|poverty|other"

enum {
    IN_TOWN = 1 << SCOPE_TOWN,
    IN_VILLAGE = 1 << SCOPE_VILLAGE,
    IN_OFFICE = 1 << SCOPE_OFFICE,
    IN_REQUEST = IN_VILLAGE | IN_OFFICE,
};

#define FIELDS(table) (table), sizeof(table) / sizeof(table)[0]
#define FOUNDS true
#define ACTS false
#define GROUP(table)                                                                               \
    {                                                                                              \
        (table), sizeof(table) / sizeof(table)[0]                                                  \
    }
