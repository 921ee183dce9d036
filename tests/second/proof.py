"""Checks a proof file of `sidan receipts -o` with SPEC 3, 6.2 and 8.5 alone: proof.py FILE."""

import json
import sys

from wire import Malformed, decode, digest, encode, verify


def receipt_heads(receipt, township):
    """The heads that a receipt names, once its signature is verified."""
    statement = bytes.fromhex(receipt["statement"])
    said = decode(statement)
    key = bytes.fromhex(receipt["receiver"])
    signer = bytes.fromhex(receipt["signer"])  # the same, or one of its later keys: SPEC 10.10
    name = digest("sidan/receipt", statement)
    assert name.hex() == receipt["id"], "the receipt has another id"
    assert said[0] == township and said[1] == key, "of another township, or by another device"
    assert verify(signer, "sidan/receipt", name, bytes.fromhex(receipt["signature"])), "bad signature"
    return {(bytes(feed8), seq): bytes(head) for feed8, seq, head in said[6]}


def record_leads(record, heads):
    """From the record to a head that the receipt names, header by header."""
    last = None
    for text in record["headers"]:
        header = bytes.fromhex(text)
        fields = decode(header)
        assert last is None or fields[6] == last, "the chain is broken"
        last = digest("sidan/event", header)
        if text == record["headers"][0]:
            assert last.hex() == record["id"], "the chain begins with another record"
    feed8 = digest("sidan/feed", encode(fields[1:5]))[:8]
    assert heads.get((feed8, fields[5])) == last, "the receipt names another head"


def main(path):
    with open(path, encoding="utf-8") as f:
        proof = json.load(f)
    township = bytes.fromhex(proof["township"])
    receipts = {r["id"]: receipt_heads(r, township) for r in proof["receipts"]}
    proved = [r for r in proof["records"] if r["receipt"]]
    for record in proved:
        record_leads(record, receipts[record["receipt"]])
    print(f"{len(receipts)} receipts, {len(proved)} of {len(proof['records'])} records proved")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (AssertionError, KeyError, Malformed, ValueError) as e:
        sys.exit(f"not a proof: {e}")
