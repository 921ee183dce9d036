#pragma once
/*
 * Money as the office writes it: amounts in yuan with two decimals, and in capital characters on
 * what is signed for. Inside it is always fen (1/100 yuan), an integer.
 */
#include "common/bytes.h"

#define MONEY_TEXT_SIZE 32
#define MONEY_FEN_MAX INT64_C(99999999999999) /* as far as it is written */

/* "3190.00", "-0.05". Any number of fen. */
void money_format(char out[MONEY_TEXT_SIZE], int64_t fen);

/* In capitals: "叁仟壹佰玖拾元整". By the rules for filling in bills and vouchers (中国人民银行,
 * 正确填写票据和结算凭证的基本规定): 整 after yuan and not after jiao or fen; one 零 for the zeros
 * between digits, which may be left out, and is, where 万 or 元 itself ends in zero. From 0 to
 * MONEY_FEN_MAX. */
void money_capitals(struct buf *out, int64_t fen);

/* "200000", "3190.5", "3,190.00元", "20万", "20万元": yuan; "319000分", "319000fen": fen.
 * Errors: ERR_MALFORMED (also a part of a fen), ERR_RANGE (below 0 or above MONEY_FEN_MAX). */
MUST_CHECK enum err money_parse(int64_t *fen, struct slice text);
