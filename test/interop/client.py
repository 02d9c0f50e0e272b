"""A client for one session at a time, written from PROTOCOL.md alone. Numbers in brackets are its rules."""

import json
import urllib.error
import urllib.request

import websockets

from wire import (
    ACK,
    EVENT,
    LEAVE,
    MESSAGE,
    OWN,
    PING,
    PONG,
    RESUME,
    RESYNC,
    SAVED,
    SNAPSHOT,
    STATE,
    WELCOME,
    Mirror,
    decode_acks,
    format_offer,
    nearest_seq,
    pack,
    require,
    schema_hash,
    split_message,
)

HTTP_TIMEOUT_S = 10
PART_ORDER = {STATE: 0, SNAPSHOT: 0, SAVED: 1, OWN: 2, EVENT: 3}  # [M4]


def request(method, url, body=None):
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(call, timeout=HTTP_TIMEOUT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


class Session:
    """One client's seat in a room, over all its connections."""

    def __init__(self):
        self.welcome = None
        self.state = None
        self.schema = None
        self.tick = None
        self.ack = 0
        self.events_received = 0
        self.events = []  # [name, payload] of all there ever were
        self.pongs = []
        self.welcomes = 0
        self.resumes = 0
        self.steps_back = 0
        self._unacknowledged = {}
        self._last_seq = 0
        self._socket = None
        self._tag = None

    async def connect(self, url, **offer):
        """Opens a connection [H1, H2] and reads its first message [M4]."""
        items = format_offer(events=self.events_received, **offer)
        self._socket = await websockets.connect(url, subprotocols=items)
        require(self._socket.subprotocol == "rookery.v1", "H3")
        self._tag = None
        resumed = self.resumes
        while not await self.read():
            require(self.resumes > resumed, "F3: neither WELCOME nor RESUME")
        if self.resumes == resumed:
            await self._send_again(self.welcome["ack"])

    async def resume(self, url):
        """[R1]"""
        await self.connect(url, resume=self.welcome["resumeToken"], schema=self.welcome["schemaHash"])

    async def send(self, message, payload=None):
        """Numbers a MESSAGE, keeps it until it is acknowledged [A1, A5] and sends it; without a connection, after
        the next resume [R2]. Returns its number."""
        self._last_seq += 1
        data = pack([MESSAGE, self._last_seq, self.events_received, message, payload])
        self._unacknowledged[self._last_seq] = data
        if self._socket is not None:
            await self._socket.send(data)
        return self._last_seq

    async def send_value(self, value):
        await self._socket.send(value if isinstance(value, str) else pack(value))

    async def ping(self, client_time_ms):
        await self.send_value([PING, client_time_ms, self.events_received])

    async def acknowledge_events(self):
        await self.send_value([ACK, self.events_received])

    async def read(self):
        """Reads one message and applies it. Returns True for the first one of an owner [M4, R5]."""
        self._tag, parts = split_message(await self._receive(), self._tag)
        if parts[0][0] == RESUME:
            await self._go_on(*parts[0][1:])
        elif parts[0][0] == WELCOME:
            self._begin(parts)
            return True
        else:
            self._apply(parts)
        return False

    async def _go_on(self, nonce, _, ack):
        """Answers another owner of the room [R5]. Before its first WELCOME a session has nothing to send again."""
        self.resumes += 1
        schema = self.welcome["schemaHash"] if self.welcome else ""
        await self.send_value([RESYNC, nonce, self.events_received, schema])
        await self._send_again(ack)

    async def _send_again(self, ack):
        """[R2]. What is saved later may be kept although the room has it [A6]."""
        self._forget(ack)
        for seq in sorted(self._unacknowledged):
            if seq > ack:
                await self._socket.send(self._unacknowledged[seq])

    def _begin(self, parts):
        """The first message of an owner [M4]."""
        require([part[0] for part in parts[:2]] == [WELCOME, SNAPSHOT], "M4: first message")
        _, version, welcome = parts[0]
        if self.welcome and welcome["stepBackEpoch"] > self.welcome["epoch"]:  # [R6]
            self.steps_back += 1
            self.ack = welcome["ack"]
        self.welcome = welcome
        self.welcomes += 1
        require(version == 1, "M1: version")
        require(self.welcome["tag"] == self._tag, "F3: WELCOME of another tag")
        if self.welcome["schema"] is not None:
            self.schema = self.welcome["schema"]
            require(schema_hash(self.schema) == self.welcome["schemaHash"], "S1: hash")
        require(self.welcome["nextEvent"] == self.events_received + 1, "R2: nextEvent")
        self.state = Mirror(self.schema)
        self._apply(parts[1:])

    @property
    def has_unsaved(self):
        return bool(self._unacknowledged)

    async def until(self, condition):
        while not condition():
            await self.read()

    async def event(self, name):
        """The payload of the first event of this name, past or to come."""
        await self.until(lambda: any(event[0] == name for event in self.events))
        return next(payload for event, payload in self.events if event == name)

    async def leave(self):
        await self.send_value([LEAVE])
        return await self.closed()

    async def closed(self):
        """Reads to the end. Returns the close code and the reason [C1]."""
        try:
            while True:
                await self.read()
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code, closed.rcvd.reason

    def cut(self):
        """Loses the connection without a word."""
        self._socket.transport.abort()
        self._socket = None

    async def _receive(self):
        data = await self._socket.recv()
        require(isinstance(data, bytes), "F1: text")
        return data

    def _apply(self, parts):
        order = [PART_ORDER[part[0]] for part in parts if part[0] in PART_ORDER]
        require(order == sorted(order), "M4: order")
        for part in parts:
            self._apply_part(*part)

    def _apply_part(self, kind, *rest):
        if kind in (STATE, SNAPSHOT):
            tick, room_time_ms, acks, patch = rest
            self._apply_state(kind, tick, patch)
            require(room_time_ms >= 0, "M5")
            own = decode_acks(acks).get(self.welcome["slot"])
            if own is not None:
                self._acknowledge(nearest_seq(*own, self.ack))
            require(kind == STATE or own is not None, "A3: SNAPSHOT without a row")
        elif kind == SAVED:
            require(self.welcome["savesLater"], "A6: SAVED")
            self._forget(self.ack)
        elif kind == OWN:
            self.state.apply_own(*rest)
        elif kind == EVENT:
            self.events_received += 1
            self.events.append(list(rest))
        else:
            require(kind == PONG, "M1: unknown type")
            self.pongs.append(rest)

    def _apply_state(self, kind, tick, patch):
        if kind == SNAPSHOT:
            self.state.apply_snapshot(patch)
        else:
            # Two ticks: the machine is busy. These clients read fast enough not to be skipped for longer [S10].
            require(self.tick <= tick <= self.tick + 2, "S9: one STATE a tick")
            self.state.apply_patch(patch)
        self.tick = tick

    def _acknowledge(self, seq):
        require(self.ack <= seq <= self._last_seq, "A3: acknowledged what was not sent")
        self.ack = seq
        if not self.welcome["savesLater"]:
            self._forget(seq)

    def _forget(self, seq):
        self._unacknowledged = {number: data for number, data in self._unacknowledged.items() if number > seq}
