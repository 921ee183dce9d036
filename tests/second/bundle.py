"""Bundles, what a stick carries: SPEC 24."""

import os

from nacl import bindings as sodium
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.exceptions import CryptoError

from frame import HELLO, RECEIPT, RUN, frame_read
from session import Session
from wire import Malformed, decode, digest, encode, is_bin, is_uint, need, sign, verify

BUNDLE, RECEIPTS_MAX = 18, 16
MAGIC, CHUNK, FRAME_MAX = b"sidan-bundle-1\n", 65536, 81920
OUTSIDE, HEADER, OVERHEAD = len(MAGIC) + 80 + 8, 24, 17


class ForSomebodyElse(Malformed):
    pass


def padded(size):
    step = 256
    while step * 128 <= size:
        step *= 2
    return -size % step


def bundle_id(data):
    """26.2: anybody can name it."""
    return digest("sidan/bundle", data[:OUTSIDE])[:16]


def statement(head, outside, hello):
    return digest("sidan/bundle", encode([*head, outside, digest("sidan/bundle", hello)]))


# --- the file ------------------------------------------------------------------------------


def seal(key, frames_of):
    """`frames_of(outside)` gives the frames: the first one is bound to the outside."""
    secret = os.urandom(32)
    outside = MAGIC + bytes(SealedBox(PublicKey(key)).encrypt(secret))
    outside += digest("sidan/bundle", outside)[:8]
    content = b"".join(len(f).to_bytes(4, "big") + f for f in frames_of(outside)) + bytes(4)
    content += bytes(padded(len(content)))
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    out = [outside, sodium.crypto_secretstream_xchacha20poly1305_init_push(state, secret)]
    for at in range(0, len(content) + 1, CHUNK):
        last = at + CHUNK > len(content)
        tag = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL if last else 0
        chunk = sodium.crypto_secretstream_xchacha20poly1305_push(
            state, content[at:at + CHUNK], None, tag)
        out.append(len(chunk).to_bytes(4, "big") + chunk)
    return b"".join(out)


def unseal(data, secrets):
    """The outside and the frames."""
    outside = data[:OUTSIDE]
    need(len(outside) == OUTSIDE and outside.startswith(MAGIC), "bundle")
    need(digest("sidan/bundle", outside[:-8])[:8] == outside[-8:], "outside")
    for secret in secrets:
        try:
            key = SealedBox(PrivateKey(secret)).decrypt(outside[len(MAGIC):-8])
            break
        except CryptoError:
            continue
    else:
        raise ForSomebodyElse("sealed for somebody else")
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    at, content, last = OUTSIDE + HEADER, b"", False
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, data[OUTSIDE:at], key)
    while not last:
        size = int.from_bytes(data[at:at + 4], "big")
        need(OVERHEAD <= size <= CHUNK + OVERHEAD and at + 4 + size <= len(data), "chunk")
        try:
            chunk, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(
                state, data[at + 4:at + 4 + size], None)
        except CryptoError as error:
            raise Malformed(f"chunk: {error}") from error
        content, at = content + chunk, at + 4 + size
        last = tag == sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
    need(at == len(data), "nothing stands behind it")
    return outside, list(frames(content))


def frames(content):
    at = 0
    while size := int.from_bytes(content[at:at + 4], "big"):
        need(size <= FRAME_MAX and at + 4 + size <= len(content), "frame")
        yield content[at + 4:at + 4 + size]
        at += 4 + size
    need(len(content) == at + 4 + padded(at + 4) and not any(content[at:]), "padding")


# --- what is in it -------------------------------------------------------------------------


class Nothing:
    """No run has a dictionary."""

    def __contains__(self, _):
        return True

    def add(self, _):
        pass


def export(home, office, number, now_ms):
    """For the township; what has not arrived there."""
    said = []
    session = Session(home, home.peer, said.append, now_ms)
    session.plain, session.credit = Nothing(), 1 << 40
    session.start()
    said = [f for f in said if decode(f)[0] in (HELLO, RUN)]
    head = [home.authority, home.key, None, number]

    def all_frames(outside):
        proof = sign(home.seed, "sidan/bundle", statement(head, outside, said[0]))
        return [encode([BUNDLE, *head, proof]), *said]
    return seal(office, all_frames), session.counts["runs_sent"]


def take_apart(data, secrets):
    """The outside, what BUNDLE says, and the frames."""
    outside, said = unseal(data, secrets)
    need(len(said) >= 2, "BUNDLE, HELLO")
    head = decode(said[0])
    need(isinstance(head, list) and len(head) >= 6 and head[0] == BUNDLE, "BUNDLE")
    township, sender, to, number, proof = head[1:6]
    need(is_bin(township, 32) and is_bin(sender, 32) and is_uint(number), "BUNDLE")
    need((to is None or is_bin(to, 32)) and is_bin(proof, 64), "BUNDLE")
    need(frame_read(said[1])[0] == HELLO, "HELLO")
    return outside, head, said


def take(home, data, now_ms):
    outside, head, said = take_apart(data, [home.secret])
    township, sender, to, number, proof = head[1:6]
    hello = said[1]
    need(township == home.authority and to == home.key, "for another")
    signed = statement(head[1:5], outside, hello)
    need(any(verify(key, "sidan/bundle", signed, proof)
             for key in home.roster.keys_of(sender)), "its sender did not sign it")
    session = Session(home, home.peer, lambda _: None, now_ms)
    held, receipts = len(home.log.events), []
    session.take(hello)
    for frame in said[2:]:
        kind = frame_read(frame)[0]
        if kind == RUN:
            session.take(frame)
        elif kind == RECEIPT and len(receipts) < RECEIPTS_MAX:
            receipts.append(frame)
    for frame in receipts:
        session.take(frame)
    return {"new": len(home.log.events) - held, "receipts": session.counts["receipts"],
            "wants": session.counts["wants"], "runs": session.counts["runs_received"],
            "with_dictionary": sum(frame_read(f)[4] for f in said[2:] if frame_read(f)[0] == RUN)}
