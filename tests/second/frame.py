"""The form of every frame: SPEC 8."""

from log import feed_check, feed_id
from wire import decode, digest, encode, is_bin, is_uint, need

HELLO, RUN, WANT, RECEIPT, REFUSE, BYE, PIECE, PING, HOLD, TOWN = \
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10
JOIN, ADMIT = 16, 17
OFFER, ASK, PART = 19, 20, 21
OUTSIDE_SIZE, OFFERS_MAX, ASK_MAX, PART_MAX, BUNDLE_MAX = 103, 64, 262144, 32768, 3 << 30
FRAME_MAX, HAVE_MAX, ENTRIES_MAX, POINTS_MAX, TEXT_MAX = 81920, 2048, 1024, 40, 256
ENDED_MAX = 8
RUN_EVENTS_MAX, RUN_RAW_MAX, PAYLOAD_MAX, JOIN_MAX = 4096, 1 << 20, 1 << 16, 512
PADDED_BELOW, PADDING_STEP = 1024, 32


def id8(feed):
    """The 8 bytes that name a feed, however the frame names it."""
    return feed if isinstance(feed, bytes) else feed_id(feed)[:8]


def have8(entries):
    """Over entries [feed, seq, id or id8]: 8.4."""
    entries = sorted(id8(f) + seq.to_bytes(8, "big") + i[:8] for f, seq, i in entries)
    return digest("sidan/have", b"".join(entries))[:8]


def uint(value, most=(1 << 48) - 1):
    need(is_uint(value, most), "number")


def seq_(value):
    need(is_uint(value) and value > 0, "number of an event")


def boolean(value):
    need(isinstance(value, bool), "bool")


def feed_(value):
    if not is_bin(value, 8):
        feed_check(value)


def data(size):
    return lambda value: need(is_bin(value, size), "bytes")


def data_to(most):
    return lambda value: need(isinstance(value, bytes) and 1 <= len(value) <= most, "bytes")


def event_id(value):
    need(is_bin(value, 8) or is_bin(value, 32), "id")


def padding(value):
    need(isinstance(value, bytes) and len(value) < PADDING_STEP and not any(value), "padding")


def unfinished(value):
    need(isinstance(value, list) and len(value) == 2, "unfinished")
    data(8)(value[0])
    uint(value[1], FRAME_MAX)


def generation(value):
    need(is_bin(value, 8) and any(value), "generation")


def ended(value):
    need(isinstance(value, list) and len(value) <= ENDED_MAX, "ended")
    for one in value:
        generation(one)


def text_to(most):
    return lambda value: need(isinstance(value, str) and len(value.encode()) <= most, "text")


def optional(form):
    return lambda value: value is None or form(value)


def array(most, *forms):
    def check(value):
        need(isinstance(value, list) and len(value) <= most, "array")
        for entry in value:
            need(isinstance(entry, list) and len(entry) == len(forms), "entry")
            for element, form in zip(entry, forms):
                form(element)
    return check


FORMS = {
    HELLO: (uint, uint, data(8), uint, boolean, data(8), uint, text_to(32), uint,
            optional(data(8)), boolean, data(8), array(HAVE_MAX, feed_, seq_, data(8)),
            optional(unfinished)),  # and then, where it is there: optional(data(8))
    RUN: (feed_, uint, optional(data(8)), boolean, lambda n: uint(n, RUN_EVENTS_MAX),
          lambda n: uint(n, RUN_RAW_MAX), data(4), data_to(PAYLOAD_MAX), data(64),
          optional(data(8)), padding),
    PIECE: (data(8), lambda n: uint(n, FRAME_MAX), lambda n: uint(n, FRAME_MAX),
            data_to(FRAME_MAX)),
    WANT: (optional(feed_), array(POINTS_MAX, seq_, data(8)), uint, uint),
    RECEIPT: (uint, uint, uint, optional(data(8)), array(ENTRIES_MAX, data(8), seq_, event_id),
              data(64)),
    REFUSE: (uint, text_to(TEXT_MAX)),
    PING: (uint,),
    HOLD: (boolean,),
    TOWN: (data(32), generation, uint, ended, data(32), data(64),
           optional(array(HAVE_MAX, data(8), seq_, data(16)))),
    OFFER: (array(OFFERS_MAX, data(OUTSIDE_SIZE), uint),),
    ASK: (data(16), lambda n: uint(n, BUNDLE_MAX), lambda n: uint(n, ASK_MAX), uint),
    PART: (data(16), lambda n: uint(n, BUNDLE_MAX), data_to(PART_MAX)),
    JOIN: (data_to(JOIN_MAX), data(64), data(64)),
    ADMIT: (data(32),),
}


def common_version(hello):
    return hello[1] <= 1 <= hello[2]


def frame_read(frame):
    """A frame as a list of at least the elements that its type has."""
    need(len(frame) <= FRAME_MAX, "size of the frame")
    frame = decode(frame)
    need(isinstance(frame, list) and frame and is_uint(frame[0], (1 << 64) - 1), "frame")
    forms = FORMS.get(frame[0], ())
    if frame[0] == HELLO:
        need(len(frame) >= 3 and is_uint(frame[1]) and is_uint(frame[2]), "versions")
        need(frame[1] <= frame[2], "versions")
        if not common_version(frame):
            return frame
    need(len(frame) > len(forms), "a frame of too few elements")
    for value, form in zip(frame[1:], forms):
        form(value)
    if frame[0] == HELLO and len(frame) > 15:
        optional(data(8))(frame[15])
    if frame[0] == TOWN:
        _town_check(*frame[1:])
    if frame[0] == ASK:
        need(frame[4] or frame[3], "an ASK for nothing")
    if frame[0] == RUN:
        _run_check(*frame[1:7])
    if frame[0] == PIECE:
        need(frame[3] + len(frame[4]) <= frame[2], "a piece past the end of its run")
    return frame


def run_padded(elements):
    """The RUN frame of these elements, all but its padding."""
    size = len(encode(elements + [b""]))
    over = size % PADDING_STEP
    return encode(elements + [bytes(PADDING_STEP - over if size < PADDED_BELOW and over else 0)])


def piece_name(run_frame):
    return digest("sidan/piece", run_frame)[:8]


def heads_digest(heads):
    """Over heads [feed8, seq, id16] in order: 10.17."""
    return digest("sidan/heads", b"".join(f + seq.to_bytes(8, "big") + i for f, seq, i in heads))


def _town_check(hub, of, number, ended_, digest_, signature, heads, *later):
    need(of not in ended_, "an ended generation signs")
    if heads is not None:
        need(all(a < b for a, b in zip(heads, heads[1:])), "heads in order")
        need(heads_digest(heads) == digest_, "heads that were signed over")


def _run_check(feed, base_seq, base_id8, with_dictionary, count, raw_size):
    need((base_id8 is None) == (base_seq == 0), "base")
    need(base_seq or (not with_dictionary and isinstance(feed, list)), "a feed's beginning")
    need(count > 0 and raw_size > 0 and base_seq + count < 1 << 48, "count")
