"""Who carries bundles and hands them over on a link: SPEC 26."""

from bundle import OUTSIDE, bundle_id
from frame import ASK, OFFER, PART, frame_read
from wire import encode

PART_SIZE, WANTED, HELD, REFUSED, LATER = 20000, 0, 1, 2, 3


class Courier:
    """Gives what it carries when it is asked for; what the other side says of each is in `said`."""

    def __init__(self, send, bundles):
        self._send = send
        self.bundles = {bundle_id(data): data for data in bundles}
        self.said = {}
        self.bytes = 0

    def offer(self):
        if self.bundles:
            self._send(encode([OFFER, [[data[:OUTSIDE], len(data)]
                                       for data in self.bundles.values()]]))

    def done(self):
        return len(self.said) == len(self.bundles)

    def take(self, data):
        frame = frame_read(data)
        if frame[0] != ASK or frame[1] not in self.bundles:
            return
        _, name, offset, count, state = frame[:5]
        if state in (HELD, REFUSED, LATER):
            self.said[name] = state
        elif state == WANTED:
            self._give(name, offset, self.bundles[name][offset:offset + count])

    def _give(self, name, offset, asked):
        for at in range(0, len(asked), PART_SIZE):
            part = asked[at:at + PART_SIZE]
            self.bytes += len(part)
            self._send(encode([PART, name, offset + at, part]))
