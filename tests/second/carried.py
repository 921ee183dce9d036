"""Joining without a link: SPEC 11.7 to 11.10."""

import base64
import re
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.pwhash import argon2id

from wire import Malformed, decode, digest, encode, is_bin, is_uint, need, verify

WORDS = Path(__file__).resolve().parents[2] / "proto/join_words.def"


def armour_read(name, text):
    """The content of a text that people carried, whole or in pieces."""
    tokens = re.findall(rf"^sidan-{name}-([0-9]+):(.*?)(?=^sidan-|^#|\Z)", text, re.M | re.S)
    need(tokens and all(version == "1" for version, _ in tokens), "no such text of version 1")
    coded = tokens[0][1]
    if "/" in coded:
        parts, of = {}, set()
        for _, token in tokens:
            head, piece = token.split(":", 1)
            number, count, check = head.split("/")
            parts[int(number)] = piece
            of.add((int(count), check))
        need(len(of) == 1, "pieces of two")
        count = of.pop()[0]
        need(set(parts) == set(range(1, count + 1)), "a piece is lacking")
        coded = "".join(parts[i] for i in range(1, count + 1))
    coded = "".join(coded.split())
    data = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars="-_", validate=True)
    content, check = data[:-4], data[-4:]
    need(digest("sidan/" + name, content)[:4] == check, "damaged")
    return content


def answer_open(data, acceptor, secret):
    """[request hash, time, RUN frames] of an answer for the owner of this transport key."""
    township, device, sealed = decode(data)[:3]
    try:
        content = SealedBox(PrivateKey(secret)).decrypt(sealed)
    except CryptoError as error:
        raise Malformed("not sealed to this key") from error
    request, time_ms, signature, runs = decode(content)[:4]
    need(is_bin(request, 32) and is_uint(time_ms) and all(isinstance(run, bytes) for run in runs),
         "the content of an answer")
    statement = encode([township, acceptor, device, request, time_ms,
                        digest("sidan/answer", encode(runs))])
    need(verify(acceptor, "sidan/answer", digest("sidan/answer", statement), signature),
         "not signed by the acceptor")
    return request, time_ms, runs


def words(request):
    """The six words of a join request, and their numbers."""
    table = re.findall(r'^WORD\("(.+?)", "(.+?)", "(.+?)"\)', WORDS.read_text(), re.M)
    need(len(table) == 256, "the list of words")
    slow = argon2id.kdf(16, digest("sidan/words", request), b"sidan/words".ljust(16, b"\0"),
                        opslimit=3, memlimit=64 << 20)
    return [table[n][0] for n in slow[:6]], list(slow[:6])
