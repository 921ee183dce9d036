"""Keys at rest: SPEC 23. Prints what a wrapped secret or a locked device.key holds.

at_rest.py FILE PASSPHRASE_FILE
"""

import base64
import sys
from pathlib import Path

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from wire import decode, is_bin, is_uint, need

WRAPPED = "sidan-wrapped-1:"
LOCKED = "sidan-device-key-locked-1"
PASSES_MAX = 16
MEMORY_MAX = 256 << 20


def _bytes(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


def unwrap(line, passphrase):
    need(line.startswith(WRAPPED), "no wrapped secret of version 1")
    passes, memory, salt, nonce, locked = decode(_bytes(line[len(WRAPPED):]))
    need(is_uint(passes) and is_uint(memory) and is_bin(salt, 16) and is_bin(nonce, 24), "form")
    need(1 <= passes <= PASSES_MAX and memory <= MEMORY_MAX, "it asks for too much")
    key = argon2id.kdf(32, passphrase, salt, opslimit=passes, memlimit=memory)
    return aead_open(locked, None, nonce, key)


def device_key(text, passphrase):
    """The plain text of a device.key under a passphrase."""
    magic, wrapped, content, rest = text.split("\n")
    need(magic == LOCKED and rest == "", "no locked device.key")
    key = unwrap(wrapped, passphrase)
    need(len(key) == 32, "the home's key has 32 bytes")
    data = _bytes(content)
    return aead_open(data[24:], (LOCKED + "\n").encode(), data[:24], key)


def main():
    text = Path(sys.argv[1]).read_text()
    passphrase = Path(sys.argv[2]).read_bytes().split(b"\n")[0]
    try:
        if text.startswith(LOCKED):
            sys.stdout.buffer.write(device_key(text, passphrase))
        else:
            print(unwrap(text.strip(), passphrase).hex())
    except CryptoError:
        sys.exit("another passphrase")


if __name__ == "__main__":
    main()
