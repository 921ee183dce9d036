"""The heartbeat of a session: SPEC 9.14. Seconds come in, PING frames go out by `send`."""

from frame import PING, TOWN, frame_read
from wire import encode

BUSY, IDLE, FRAME_SECONDS = 10, 180, 70


class Beat:
    def __init__(self, send, now):
        self._send = send
        self.spoke = self.traffic = self.heard_at = now
        self.interval = self.promised = self.rest = BUSY
        self.began = now  # of the traffic
        self.pings = 0  # of the peer

    def send(self, frame, now):
        """A frame that is no PING goes out."""
        self._busy(now)
        self.spoke = now
        self._send(frame)

    def heard(self, frame, now):
        """True when the frame is for the session."""
        self.heard_at = now
        kind, *rest = frame_read(frame)
        if kind != PING:
            if kind != TOWN:
                self._busy(now)
            return True
        self.pings += 1
        self.promised = min(max(rest[0], BUSY), IDLE)
        if rest[0] == 0:
            self._ping(self.interval, now)
        return False

    def ask(self, now):
        self._shorten(now)
        self._ping(0, now)

    def tick(self, now):
        """False when the peer fell silent."""
        if now - max(self.spoke, self.traffic) >= self.interval:
            self.interval = max(self.rest, min(2 * self.interval, IDLE))
            self._ping(self.interval, now)
        return now - self.heard_at < 2 * self.promised + FRAME_SECONDS

    def _busy(self, now):
        self.traffic = now
        self._shorten(now)
        self.promised = BUSY

    def _shorten(self, now):
        if self.interval > BUSY:
            self.rest, self.began = self.interval, now
        elif now - self.began > BUSY:
            self.rest = BUSY
        self.interval = BUSY

    def _ping(self, next_s, now):
        self.spoke = now
        self._send(encode([PING, next_s]))
