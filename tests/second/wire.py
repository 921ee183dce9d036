"""Canonical msgpack, hashes and signatures: SPEC 2 and 3."""

import hashlib
import struct

import nacl.bindings
import nacl.exceptions

DEPTH_MAX = 8


class Malformed(Exception):
    """Bytes of a wrong form, or over a limit."""


def _uint(n, fix, codes):
    if fix is not None and n <= fix[1]:
        return bytes([fix[0] | n])
    for code, form in codes:
        if n < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, n)
    raise Malformed(f"{n} is too large")


UINT = ((0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q"))
INT = ((0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q"))
STR = ((0xD9, ">B"), (0xDA, ">H"), (0xDB, ">I"))
BIN = ((0xC4, ">B"), (0xC5, ">H"), (0xC6, ">I"))
ARRAY = ((0xDC, ">H"), (0xDD, ">I"))
MAP = ((0xDE, ">H"), (0xDF, ">I"))


def encode(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if value >= 0:
            return _uint(value, (0, 127), UINT)
        if value >= -32:
            return struct.pack("b", value)
        for code, form in INT:
            if value >= -1 << 8 * struct.calcsize(form) - 1:
                return bytes([code]) + struct.pack(form, value)
        raise Malformed(f"{value} is too small")
    if isinstance(value, str):
        data = value.encode()
        return _uint(len(data), (0xA0, 31), STR) + data
    if isinstance(value, bytes):
        return _uint(len(value), None, BIN) + value
    if isinstance(value, (list, tuple)):
        return _uint(len(value), (0x90, 15), ARRAY) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(k), encode(v)) for k, v in value.items())
        return _uint(len(pairs), (0x80, 15), MAP) + b"".join(k + v for k, v in pairs)
    raise TypeError(type(value))


class Reader:
    """Reads values one after the other and refuses every form but the canonical one."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def _take(self, size):
        if size > len(self.data) - self.at:
            raise Malformed("cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    def _number(self, form):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _length(self, first, fix, codes):
        if fix is not None and fix[0] <= first <= fix[0] | fix[1]:
            return first - fix[0]
        form = dict(codes)[first]
        n = self._number(form)
        if _uint(n, fix, codes)[0] != first:
            raise Malformed("a length that is not the shortest")
        return n

    def _count(self, first, fix, codes, room):
        if room < 0:
            raise Malformed("too deep")
        n = self._length(first, fix, codes)
        if n > len(self.data) - self.at:
            raise Malformed("more elements than bytes")
        return n

    def value(self, depth=DEPTH_MAX):
        first = self._take(1)[0]
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 256
        if first in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[first]
        if first in dict(UINT) or first in dict(INT):
            n = self._number({**dict(UINT), **dict(INT)}[first])
            if encode(n)[0] != first:
                raise Malformed("a number that is not the shortest")
            return n
        if 0xA0 <= first <= 0xBF or first in dict(STR):
            return self._text(self._take(self._length(first, (0xA0, 31), STR)))
        if first in dict(BIN):
            return self._take(self._length(first, None, BIN))
        if 0x90 <= first <= 0x9F or first in dict(ARRAY):
            count = self._count(first, (0x90, 15), ARRAY, depth - 1)
            return [self.value(depth - 1) for _ in range(count)]
        if 0x80 <= first <= 0x8F or first in dict(MAP):
            return self._map(self._count(first, (0x80, 15), MAP, depth - 1), depth - 1)
        raise Malformed(f"type {first:#x}")

    def _map(self, count, depth):
        result, last = {}, b""
        for _ in range(count):
            start = self.at
            key = self.value(0)
            if not is_uint(key) and not isinstance(key, str):
                raise Malformed("a key that is neither text nor number")
            if self.data[start : self.at] <= last:
                raise Malformed("keys out of order")
            last = self.data[start : self.at]
            result[key] = self.value(depth)
        return result

    @staticmethod
    def _text(data):
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Malformed("not UTF-8") from error
        if any(c < " " and c not in "\t\n" for c in text):
            raise Malformed("a control character")
        return text


def decode(data, depth=DEPTH_MAX):
    reader = Reader(data)
    value = reader.value(depth)
    if reader.at != len(data):
        raise Malformed("bytes after the value")
    return value


def need(condition, what):
    if not condition:
        raise Malformed(what)


def is_uint(value, most=(1 << 48) - 1):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def is_bin(value, size):
    return isinstance(value, bytes) and len(value) == size


def digest(context, message):
    person = context.encode().ljust(16, b"\0")
    return hashlib.blake2b(message, digest_size=32, person=person).digest()


def sign(seed, context, message):
    _, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
    return nacl.bindings.crypto_sign(context.encode().ljust(16, b"\0") + message, secret)[:64]


def verify(key, context, message, signature):
    try:
        nacl.bindings.crypto_sign_open(
            signature + context.encode().ljust(16, b"\0") + message, key)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True


def signing_key(seed):
    return nacl.bindings.crypto_sign_seed_keypair(seed)[0]


def transport_key(secret):
    return nacl.bindings.crypto_scalarmult_base(secret)
