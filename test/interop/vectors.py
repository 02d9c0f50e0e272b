"""Reads the test vectors of PROTOCOL.md and checks this client's side of them: `vectors.py <PROTOCOL.md>`."""

import base64
import json
import re
import sys

from wire import (
    Mirror,
    Reader,
    decode_acks,
    format_offer,
    nearest_seq,
    pack,
    read_value,
    schema_hash,
    split_message,
    unpack_values,
    write_value,
)


def parse(text):
    """JSON in which a string that begins with 0x stands for bytes."""

    def convert(value):
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
        if isinstance(value, list):
            return [convert(item) for item in value]
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        return value

    return convert(json.loads(text))


def rounded(value):
    """Vectors show decimal fractions where the rule computes in doubles."""
    return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 9))


def check_message(text, data):
    expected = parse(text)
    is_first = expected["values"][0][0] == 0
    tag, values = split_message(data, None if is_first else expected["tag"])
    assert tag == expected["tag"] and values == expected["values"], values


def check_acks(text, data):
    rows = decode_acks(data)
    table = json.loads(text)
    assert rows.keys() == {row["slot"] for row in table["rows"]}, rows
    for row in table["rows"]:
        behind = 100 if table["bytes"] == 1 else 1000
        assert nearest_seq(*rows[row["slot"]], row["seq"] - behind) == row["seq"], rows


def check_offer(text, header):
    offer = json.loads(text)
    token = offer.get("token")
    if token is not None:
        token = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    events = offer["eventsReceived"]
    items = format_offer(offer.get("ticket"), offer.get("resume"), token, offer.get("schemaHash"), events)
    assert ", ".join(items) == header, items


def check_input(text, data):
    described = json.loads(text)
    reader = Reader(data)
    values = {name: read_value(reader, kind) for name, kind in described["fields"]}
    assert b"".join(write_value(values[name], kind) for name, kind in described["fields"]) == data
    present = {name: value for name, value in values.items() if value is not None}
    assert rounded(present) == rounded(described["value"]) and not reader.has_more(), values


def check(vectors):
    """Returns how many vectors of each kind were checked."""
    counts = {}
    mirror = None
    for kind, text, encoding in vectors:
        data = encoding if kind in ("offer", "schema", "refused") else bytes.fromhex(encoding)
        if kind in ("client", "part"):
            assert unpack_values(data) == [parse(text)], text
            assert unpack_values(pack(parse(text))) == [parse(text)], text
        elif kind == "message":
            check_message(text, data)
        elif kind == "acks":
            check_acks(text, data)
        elif kind == "offer":
            check_offer(text, data)
        elif kind == "schema":
            assert schema_hash(json.loads(text)) == data
            mirror = Mirror(json.loads(text))
        elif kind in ("snapshot", "patch", "own"):
            getattr(mirror, f"apply_{kind}")(data)
            assert rounded(mirror.plain()) == rounded(json.loads(text)), mirror.plain()
        elif kind == "input":
            check_input(text, data)
        else:
            # What a server refuses is the server's to check.
            assert kind == "refused", kind
        counts[kind] = counts.get(kind, 0) + 1
    return counts


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found = re.findall(r"^```vector (\w+)\n(.+)\n([^`]+)\n```$", file.read(), re.MULTILINE)
    print(json.dumps(check(found)))
