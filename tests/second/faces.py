"""Checks what `sidan hub faces --json` printed with SPEC 3 and 10.17 alone: faces.py FILE."""

import json
import sys

from town import is_proof
from wire import Malformed


def statement(said, hub):
    """The key that signed it, and the TOWN frame."""
    def data(name):
        return bytes.fromhex(said[name])

    heads = [[bytes.fromhex(h["feed"]), h["seq"], bytes.fromhex(h["id"])] for h in said["heads"]]
    ended = [bytes.fromhex(g) for g in said["ended"]]
    return data("key"), [10, hub, data("generation"), said["number"], ended, data("digest"),
                         data("signature"), heads]


def main(path):
    with open(path, encoding="utf-8") as f:
        told = json.load(f)
    township = bytes.fromhex(told["township"])
    proofs = 0
    for hub in told["hubs"]:
        if not hub["proof"]:
            continue
        a, b = (statement(said, bytes.fromhex(hub["device"])) for said in hub["proof"])
        assert is_proof(township, a, b), "of " + hub["name"]
        proofs += 1
    print(f"{proofs} proof" + "s" * (proofs != 1))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (AssertionError, KeyError, Malformed, ValueError) as e:
        sys.exit(f"not a proof: {e}")
