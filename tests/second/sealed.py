"""Records for the office alone: SPEC 19."""

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from run import compress, expand
from wire import Malformed, decode, encode, is_bin, is_uint, need

CLASSES = (1024, 2048, 4096, 8192)
OVERHEAD, HEAD, CONTENT_MAX = 48, 6, 1 << 16


def seal(office, kind, time, by, body, box):
    content = encode([1, kind, time, by, body, box])
    payload = compress(content, None)
    plain = len(payload).to_bytes(2, "big") + len(content).to_bytes(4, "big") + payload
    size = next((size for size in CLASSES if size >= len(plain)), None)
    need(size, "too long to be sealed")
    return SealedBox(PublicKey(office)).encrypt(plain.ljust(size, b"\0"))


def unseal(secret, sealed):
    """The bytes of the content."""
    need(len(sealed) - OVERHEAD in CLASSES, "size of a sealed record")
    try:
        plain = SealedBox(PrivateKey(secret)).decrypt(sealed)
    except CryptoError as error:
        raise Malformed("not sealed to this key") from error
    end, size = HEAD + int.from_bytes(plain[:2], "big"), int.from_bytes(plain[2:6], "big")
    need(HEAD < end <= len(plain) and 0 < size <= CONTENT_MAX, "sizes")
    need(not any(plain[end:]), "what stands behind the payload")
    content = expand(plain[HEAD:end], None, size)
    version, kind, time, by, body, box = decode(content)
    need(version == 1 and isinstance(kind, str) and is_uint(time, (1 << 64) - 1), "content")
    need(by is None or is_bin(by, 16), "by")
    need(isinstance(body, dict) and (box is None or isinstance(box, dict)), "body and box")
    return content
