"""The invite file and the join request: SPEC 11."""

import base64
import re
from dataclasses import dataclass

from wire import decode, digest, encode, is_bin, is_uint, need, signing_key


@dataclass
class Invite:
    township: str
    authority: bytes
    acceptor: bytes
    acceptor_transport: bytes
    addresses: list
    seed: bytes
    secret: bytes
    village: str
    village_name: str
    roles: int
    name: str
    expires: int


def invite_read(text):
    need(len(text) <= 4096, "an invite of more than 4 KiB")
    found = re.search(r"^sidan-invite-([0-9]+):(.*)\Z", text.decode(), re.M | re.S)
    need(found and found[1] == "1", "no invite of version 1")
    coded = "".join(found[2].split())
    data = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars="-_", validate=True)
    array, check = data[:-4], data[-4:]
    need(digest("sidan/invite", array)[:4] == check, "a damaged invite")
    value = decode(array)
    need(isinstance(value, list) and len(value) >= 12, "an invite of another form")
    invite = Invite(*value[:12])
    for key in (invite.authority, invite.acceptor, invite.acceptor_transport, invite.seed,
                invite.secret):
        need(is_bin(key, 32), "a key of the invite")
    need(isinstance(invite.addresses, list) and 1 <= len(invite.addresses) <= 4, "addresses")
    need(invite.village is None or re.fullmatch("[0-9]{12}", invite.village), "village")
    need(is_uint(invite.expires), "expiry")
    return invite


def request_write(invite, device, transport, now_ms):
    return encode([invite.authority, signing_key(invite.seed), device, transport, invite.name,
                   now_ms])
