"""The wire format, decoded and encoded from PROTOCOL.md alone. Numbers in brackets are its rules."""

import json
import math
import struct

import msgpack

WELCOME, STATE, SNAPSHOT, EVENT, PONG, OWN, RESUME, SAVED = range(8)  # [M1]
MESSAGE, PING, LEAVE, ACK, RESYNC = range(5)  # [M2]
CHANGE, ADD, REMOVE, OWN_CHANGE = range(4)  # [S3]
ROOT_ID = 1  # [S2]


class ProtocolError(Exception):
    """The server has broken a rule of PROTOCOL.md."""


def require(condition, rule):
    if not condition:
        raise ProtocolError(rule)


def unpack_values(data):
    """All MessagePack values in data, which holds nothing else [F2, F6]."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=True)
    unpacker.feed(data)
    values = list(unpacker)
    require(unpacker.tell() == len(data), "F6: cut short")
    return values


def split_message(data, tag=None):
    """The tag and the parts of a server message; without a tag it must be the first of a connection [F3]."""
    require(len(data) > 4, "F3: too short")
    parts = unpack_values(data[:-4])
    trailer = int.from_bytes(data[-4:], "little")
    require(all(isinstance(part, list) and len(part) > 0 for part in parts), "F2")
    if parts[0][0] == RESUME:
        require(len(parts) == 1 and len(parts[0]) == 4 and parts[0][2] == trailer, "R5: RESUME")
    elif tag is None:
        require(parts[0][0] == WELCOME and parts[0][2]["tag"] == trailer, "F3: no WELCOME")
    else:
        require(trailer == tag, "F4: trailer")
    return trailer, parts


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def format_offer(ticket=None, resume=None, token=None, schema=None, events=0):
    """The items of Sec-WebSocket-Protocol [H2]."""
    items = {"ticket": ticket, "resume": resume, "token": token, "schema": schema, "events": events}
    return ["rookery.v1"] + [f"{name}.{value}" for name, value in items.items() if value is not None]


def decode_acks(data):
    """Low bits of the last message applied, and how many bits they are, by slot [A3]."""
    reader = Reader(data)
    rows = {}
    slot = 0
    while reader.has_more():
        slot += reader.varint()
        count, is_wide = divmod(reader.varint(), 2)
        row_bytes = 2 if is_wide else 1
        for _ in range(count):
            rows[slot] = (int.from_bytes(reader.take(row_bytes), "little"), 8 * row_bytes)
            slot += 1
    return rows


def nearest_seq(low_bits, bits, known):
    """The full number: the one nearest to the last that is known [A5]."""
    half = 1 << (bits - 1)
    return known + ((low_bits - known + half) & (2 * half - 1)) - half


def schema_hash(schema):
    """FNV-1a over UTF-16 code units [S1]."""
    text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False).encode("utf-16-le")
    value = 0x811C9DC5
    for (unit,) in struct.iter_unpack("<H", text):
        value = (value ^ unit) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


class Reader:
    def __init__(self, data):
        self._data = data
        self._position = 0

    def has_more(self):
        return self._position < len(self._data)

    def take(self, count):
        end = self._position + count
        require(end <= len(self._data), "S11: cut short")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            require(shift <= 56, "S2: varint too long")
            if byte < 0x80:
                return value

    def string(self):
        return self.take(self.varint()).decode("utf-8")


NUMBERS = {"u8": "<B", "u16": "<H", "u32": "<I", "i8": "<b", "i16": "<h", "i32": "<i", "f32": "<f", "f64": "<d"}


def read_value(reader, kind):
    """One value [S5]. A ref is read as an entity's id, None when it is none."""
    name, *details = [kind] if isinstance(kind, str) else kind
    if name in NUMBERS:
        value = struct.unpack(NUMBERS[name], reader.take(struct.calcsize(NUMBERS[name])))[0]
        require(math.isfinite(value), "S5: not finite")
        return value
    if name == "bool":
        return read_flag(reader)
    if name == "string":
        return reader.string()
    if name == "quantised":
        low, high, step = details
        index = int.from_bytes(reader.take(grid_bytes(low, high, step)), "little")
        require(index <= last_index(low, high, step), "S5: off the grid")
        return low + index * step
    if name == "optional":
        return read_value(reader, details[0]) if read_flag(reader) else None
    if name == "ref":
        return reader.varint() or None
    require(name == "list", f"S1: unknown type {name}")
    return [read_value(reader, details[0]) for _ in range(reader.varint())]


def write_value(value, kind):
    """What read_value reads; for payloads with a binary schema [I1]."""
    name, *details = [kind] if isinstance(kind, str) else kind
    if name in NUMBERS:
        return struct.pack(NUMBERS[name], value)
    if name == "bool":
        return bytes([value])
    if name == "string":
        text = value.encode("utf-8")
        require(len(text) < 0x80, "longer strings are not sent by these tests")
        return bytes([len(text)]) + text
    if name == "optional":
        return b"\0" if value is None else b"\1" + write_value(value, details[0])
    low, high, step = details
    return round((value - low) / step).to_bytes(grid_bytes(low, high, step), "little")


def grid_bytes(low, high, step):
    return max(1, (last_index(low, high, step).bit_length() + 7) // 8)


def last_index(low, high, step):
    return math.floor((high - low) / step + 1e-6)


def read_flag(reader):
    flag = reader.byte()
    require(flag in (0, 1), "S5: flag")
    return flag == 1


class EntityType:
    """An entity of the schema, its fields numbered as in [S4]."""

    def __init__(self, descriptor):
        self.name, fields = descriptor
        self.public, self.private, self.maps = [], [], []
        for name, kind in fields:
            if kind[0] == "map":
                self.maps.append((name, kind[1]))
            elif kind[0] == "owner":
                self.private.append((name, kind[1]))
            else:
                self.public.append((name, kind))


class Entity:
    def __init__(self, entity_type, key=None, holder=None):
        self.type = entity_type
        self.key = key
        self.holder = holder  # the map that it is in
        self.values = {}
        self.maps = [{} for _ in entity_type.maps]

    def read_change(self, reader, fields):
        self.read_fields(reader, fields, int.from_bytes(reader.take((len(fields) + 7) // 8), "little"))

    def read_fields(self, reader, fields, mask):
        require(mask < 1 << len(fields), "S4: mask")
        for bit, (name, kind) in enumerate(fields):
            if mask & 1 << bit:
                self.values[name] = read_value(reader, kind)


class Mirror:
    """The state as the client knows it."""

    def __init__(self, schema):
        self._types = [EntityType(descriptor) for descriptor in schema]
        self._entities = {}

    def apply_snapshot(self, patch):
        """[S6]"""
        self._entities = {ROOT_ID: Entity(self._types[0])}
        self._apply(patch, {CHANGE, ADD})

    def apply_patch(self, patch):
        """[S7]"""
        self._apply(patch, {CHANGE, ADD, REMOVE})

    def apply_own(self, patch):
        """[S8]"""
        self._apply(patch, {OWN_CHANGE})

    def plain(self):
        """The state as JSON: a ref as its entity's key, and what is absent left out."""
        return self._plain(self._entities[ROOT_ID])

    def _apply(self, patch, allowed):
        reader = Reader(patch)
        while reader.has_more():
            entity_id, operation = divmod(reader.varint(), 4)
            require(operation in allowed, "S3: operation")
            if operation == CHANGE and entity_id == 0:
                require(REMOVE in allowed, "S3: a group outside of a STATE")
                self._change_group(reader)
                continue
            if operation == ADD:
                self._add(reader, entity_id)
                continue
            require(entity_id in self._entities, "S11: no such entity")
            entity = self._entities[entity_id]
            if operation == REMOVE:
                require(entity.holder is not None, "S3: the root is removed")
                self._remove(entity_id)
            else:
                entity.read_change(reader, entity.type.public if operation == CHANGE else entity.type.private)

    def _change_group(self, reader):
        count = reader.varint()
        ids = []
        next_id = 0
        while len(ids) < count:
            gap, is_several = divmod(reader.varint(), 2)
            length = reader.varint() + 2 if is_several else 1
            require(length <= count - len(ids), "S3: too many in a group")
            ids.extend(range(next_id + gap, next_id + gap + length))
            next_id += gap + length
        require(count > 0 and all(entity_id in self._entities for entity_id in ids), "S11: no such entity")
        group = [self._entities[entity_id] for entity_id in ids]
        fields = group[0].type.public
        mask = int.from_bytes(reader.take((len(fields) + 7) // 8), "little")
        for entity in group:
            require(entity.type is group[0].type, "S3: entities of several types")
            entity.read_fields(reader, fields, mask)

    def _add(self, reader, entity_id):
        holder = self._entities.get(reader.varint())
        map_index = reader.byte()
        require(holder is not None and map_index < len(holder.maps), "S11: no such map")
        require(entity_id not in self._entities, "S2: id used again")
        key, held = reader.string(), holder.maps[map_index]
        if key in held:
            self._remove(held[key])
        _, type_index = holder.type.maps[map_index]
        entity = Entity(self._types[type_index], key, held)
        for name, kind in entity.type.public:
            entity.values[name] = read_value(reader, kind)
        held[key] = entity_id
        self._entities[entity_id] = entity

    def _remove(self, entity_id):
        entity = self._entities.pop(entity_id)
        del entity.holder[entity.key]
        for held in entity.maps:
            for inner in list(held.values()):
                self._remove(inner)

    def _plain(self, entity):
        plain = {}
        for name, kind in entity.type.public + entity.type.private:
            value = entity.values.get(name)
            if kind[0] == "ref":
                value = self._entities[value].key if value in self._entities else None
            if value is not None:
                plain[name] = value
        for (name, _), held in zip(entity.type.maps, entity.maps):
            plain[name] = {key: self._plain(self._entities[inner]) for key, inner in held.items()}
        return plain
