"""Plays through the rooms of main.ts: `scenarios.py <scenario> <http url>`. Ends with code 0 when all is as
PROTOCOL.md says, or with a traceback."""

import asyncio
import copy
import json
import sys
import urllib.parse

import websockets

from client import Session, request
from wire import ACK, LEAVE, MESSAGE, PING, write_value

SCENARIO_TIMEOUT_S = 30
PAYLOAD = {"text": "héllo", "list": [1, -2, 3.5, True], "bytes": b"\x00\xff", "none": None, "big": 2**40}
# The binary schema of "report" in every-type.ts.
REPORT = [
    ("id", "u32"),
    ("offset", "i16"),
    ("ratio", "f64"),
    ("heading", ["quantised", -3.15, 3.15, 0.0001]),
    ("isSure", "bool"),
    ("note", ["optional", "string"]),
]


def expect(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


async def join(http, name, room_type="echo", **body):
    """A session by ticket [J1, J3], in a room of its own unless told otherwise. Returns it with its address."""
    request_body = {"mode": "create", "options": {"name": name}, **body}
    status, answer = request("POST", f"{http}/join/{room_type}", request_body)
    expect(status, 200)
    session = Session()
    await session.connect(answer["url"], ticket=answer["ticket"])
    expect(session.welcome["roomId"], answer["roomId"])
    expect(session.welcome["sessionId"], answer["sessionId"])
    return session, answer["url"]


def address(http, path, **parameters):
    return f"{http.replace('http', 'ws', 1)}{path}?{urllib.parse.urlencode(parameters)}"


def member(session, session_id):
    return session.state.plain()["members"].get(session_id)


async def refused(url, **offer):
    """The close code and reason of a connection that is never welcomed [H4]."""
    try:
        await Session().connect(url, **offer)
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason
    raise AssertionError(f"{url} was welcomed")


async def ticket(http):
    session, url = await join(http, "Ada")
    welcome = session.welcome
    expect((welcome["roomType"], welcome["tickRate"]), ("echo", 20))
    expect((welcome["resumed"], welcome["ack"]), (False, 0))
    expect(session.schema[0][0], "EchoState")
    expect(member(session, welcome["sessionId"]), {"name": "Ada", "messages": 0})
    # [S9]: this room counts its own ticks.
    first = session.state.plain()["ticks"], session.tick
    await session.until(lambda: session.tick >= first[1] + 5)
    expect(session.state.plain()["ticks"] - first[0], session.tick - first[1])
    # [H5]: the same ticket again continues the session.
    _, answer = request("POST", f"{http}/join/echo", {"mode": "joinById", "roomId": welcome["roomId"]})
    one, other = Session(), Session()
    await one.connect(url, ticket=answer["ticket"])
    await other.connect(url, ticket=answer["ticket"])
    expect(await one.closed(), (4432, "SUPERSEDED"))
    expect((one.welcome["sessionId"], other.welcome["resumed"]), (other.welcome["sessionId"], True))
    expect(await other.leave(), (4000, "CONSENTED"))
    expect(await session.leave(), (4000, "CONSENTED"))


async def handshake(http):
    host, _ = await join(http, "Ada")
    room_id, code = host.welcome["roomId"], host.welcome["code"]
    guests = []
    for parameters in ({"mode": "joinById", "roomId": room_id}, {"mode": "joinByCode", "code": code}):
        guest = Session()
        options = json.dumps({"name": f"guest by {parameters['mode']}"})
        await guest.connect(address(http, "/ws/echo", options=options, **parameters))
        expect(guest.welcome["roomId"], room_id)
        guests.append(guest)
    ids = [session.welcome["sessionId"] for session in guests]
    # The host sees them come [S7] and go.
    await host.until(lambda: all(member(host, id) for id in ids))
    expect(member(host, ids[1]), {"name": "guest by joinByCode", "messages": 0})
    status, rooms = request("GET", f"{http}/rooms?type=echo")
    listed = next(room for room in rooms if room["roomId"] == room_id)
    expect((status, listed["clients"], listed["maxClients"], listed["locked"]), (200, 3, 10, False))
    expect(await guests[0].leave(), (4000, "CONSENTED"))
    expect(await host.event("left"), {"sessionId": ids[0], "consented": True})
    await host.until(lambda: member(host, ids[0]) is None)
    # One that knows the schema is not sent it [H2].
    knowing = Session()
    knowing.schema = host.schema
    url = address(http, "/ws/echo", mode="joinById", roomId=room_id)
    await knowing.connect(url, schema=host.welcome["schemaHash"])
    expect(knowing.welcome["schema"], None)
    await asyncio.gather(*[session.leave() for session in (host, guests[1], knowing)])


async def messages(http):
    session, _ = await join(http, "Ada")
    own_id = session.welcome["sessionId"]
    await session.send("echo", PAYLOAD)
    # [M2]: by its index as well as by its name
    last = await session.send(session.welcome["messages"].index("echo"), "again")
    await session.until(lambda: session.ack == last and len(session.events) == 2)
    expect(session.events, [["echo", PAYLOAD], ["echo", "again"]])
    # What is acknowledged is part of the state [A4].
    expect(member(session, own_id), {"name": "Ada", "messages": 2})
    await session.ping(1234.5)
    await session.until(lambda: session.pongs)
    expect(session.pongs[0][0], 1234.5)
    await session.acknowledge_events()
    # [M6]
    unknown = await session.send("no such message")
    error = await session.event("$error")
    expect((error["code"], error["seq"]), ("MESSAGE_UNKNOWN", unknown))
    session.events.clear()
    invalid = await session.send("tell", 5)
    error = await session.event("$error")
    expect((error["code"], error["seq"]), ("MESSAGE_INVALID", invalid))
    # [A2]: more than are applied in one tick; the order stays.
    session.events.clear()
    for number in range(100):
        await session.send("echo", number)
    await session.until(lambda: len(session.events) == 100)
    expect([payload for _, payload in session.events], list(range(100)))
    expect(await session.leave(), (4000, "CONSENTED"))


async def resume(http):
    session, url = await join(http, "Ada")
    own_id, first_token = session.welcome["sessionId"], session.welcome["resumeToken"]
    friend = Session()
    await friend.connect(address(http, "/ws/echo", mode="joinById", roomId=session.welcome["roomId"]))
    await session.send("echo", 0)
    await session.until(lambda: session.ack == 1 and len(session.events) == 1)
    # Of these some are applied, or none, and the client does not see it.
    for number in range(1, 4):
        await session.send("echo", number)
    session.cut()
    await session.send("echo", 4)
    expect(await friend.event("dropped"), own_id)
    await friend.send("tell", "missed")
    expect(await friend.event("told"), "missed")
    received = session.events_received

    await session.resume(url)
    expect(session.welcome["resumed"], True)
    expect(session.welcome["nextEvent"], received + 1)
    expect(session.welcome["schema"], None)
    assert session.welcome["resumeToken"] != first_token
    await session.until(lambda: session.ack == 5 and len(session.events) >= 8)
    # Nothing lost and nothing twice, neither of what was sent nor of what was missed [R2].
    expect([payload for name, payload in session.events if name == "echo"], [0, 1, 2, 3, 4])
    rest = [event for event in session.events if event[0] != "echo"]
    expect(rest, [["dropped", own_id], ["told", "missed"], ["returned", own_id]])
    expect(member(session, own_id), {"name": "Ada", "messages": 5})
    # A number that the server has is dropped [A1].
    await session.send_value([MESSAGE, 5, session.events_received, "echo", "again"])
    await session.send("echo", "next")
    await session.until(lambda: session.ack == 6 and len(session.events) == 9)
    expect(session.events[-1], ["echo", "next"])

    # [R1]: the token before stays good until the new one is used; [R3]: the newer connection takes over.
    newest_token = session.welcome["resumeToken"]
    usurper = copy.copy(session)
    await usurper.connect(url, resume=first_token)
    expect(await session.closed(), (4432, "SUPERSEDED"))
    expect(usurper.welcome["sessionId"], own_id)
    assert usurper.welcome["resumeToken"] != newest_token
    forged = f"{usurper.welcome['resumeToken'][:-4]}0000"
    expect(await refused(url, resume=forged), (4416, "RESUME_REFUSED"))
    # [R2]: fewer events than were acknowledged before
    expect(await refused(url, resume=usurper.welcome["resumeToken"]), (4433, "SESSION_OVERFLOW"))
    await friend.leave()


async def survive(http):
    """[R5]: whoever started this kills the worker, again and again, and all goes on over the same connections."""
    session, _ = await join(http, "Ada")
    welcome = session.welcome
    friend = Session()
    await friend.connect(address(http, "/ws/echo", mode="joinById", roomId=welcome["roomId"]))
    both = (session, friend)
    said = 0

    async def say():
        nonlocal said
        for _ in range(5):
            said += 1
            await session.send("tell", str(said))

    for kill in range(3):
        before, ticks = session.welcome, session.state.plain()["ticks"]
        await say()
        print(f"kill {welcome['roomId']}", flush=True)
        await say()
        await asyncio.gather(*[one.until(lambda one=one: one.welcomes == kill + 2) for one in both])
        expect([one.resumes for one in both], [kill + 1, kill + 1])
        after = session.welcome
        expect((after["resumed"], after["schema"]), (True, None))
        assert after["epoch"] > before["epoch"]
        for member_name in ("roomId", "sessionId", "code", "slot"):
            expect(after[member_name], welcome[member_name])
        assert (after["resumeToken"], after["tag"]) != (before["resumeToken"], before["tag"])
        assert session.state.plain()["ticks"] >= ticks
    await asyncio.gather(*[one.until(lambda one=one: len(one.events) >= said) for one in both])
    # Nothing lost and nothing twice, and nobody was away.
    for one in both:
        expect(one.events, [["told", str(number)] for number in range(1, said + 1)])
    await session.until(lambda: session.ack == said)
    expect(await friend.leave(), (4000, "CONSENTED"))
    expect(await session.event("left"), {"sessionId": friend.welcome["sessionId"], "consented": True})
    expect(await session.leave(), (4000, "CONSENTED"))


async def step_back(http):
    """[A6, R6]: as above, in a room that is saved now and then: it steps back, and every message counts once."""
    session, _ = await join(http, "Ada", "dice")
    expect(session.welcome["savesLater"], True)
    thrown = 0
    for kill in range(3):
        for _ in range(25):
            thrown += 1
            await session.send("throw", thrown)
            await session.read()
        print(f"kill {session.welcome['roomId']}", flush=True)
        await session.until(lambda: session.welcomes == kill + 2)
        expect(session.steps_back, kill + 1)
    await session.send("account")
    expect(await session.event("account"), list(range(1, thrown + 1)))
    # At least once, and no more is kept than has not been saved.
    expect({number for name, number in session.events if name == "thrown"}, set(range(1, thrown + 1)))
    await session.until(lambda: not session.has_unsaved)
    expect(await session.leave(), (4000, "CONSENTED"))


async def refusals(http):
    status, answer = request("POST", f"{http}/join/nothing", {})
    expect((status, answer["error"]["code"]), (404, "ROOM_TYPE_UNKNOWN"))
    status, answer = request("POST", f"{http}/join/echo", {"mode": "joinById", "roomId": "nowhere"})
    expect((status, answer["error"]["code"]), (404, "ROOM_NOT_FOUND"))
    expect(await refused(address(http, "/ws"), ticket="a.b.c"), (4414, "TICKET_INVALID"))
    expect(await refused(address(http, "/ws"), resume="nobody.1.secret"), (4415, "SESSION_NOT_FOUND"))
    expect(await refused(address(http, "/ws/nothing")), (4410, "ROOM_TYPE_UNKNOWN"))
    gap, unsent = [MESSAGE, 7, 0, "echo", None], [ACK, 1000]
    for broken in ("text", [9], [PING, "when", 0], [LEAVE, 1], gap, unsent):
        session, _ = await join(http, "Ada")
        await session.send_value(broken)
        expect(await session.closed(), (4420, "PROTOCOL_ERROR"))


async def follow(session, ticks):
    """Compares the state after each tick with what the room says of it."""
    last = session.tick + ticks
    while session.tick < last:
        session.events.clear()
        await session.read()
        truth = next(payload for name, payload in session.events if name == "truth")
        expect(session.state.plain(), truth)
        await session.acknowledge_events()


async def every_type(http):
    session, _ = await join(http, "Ada", "every-type")
    own_id, room_id = session.welcome["sessionId"], session.welcome["roomId"]
    await follow(session, 30)
    guest, _ = await join(http, "Bo", "every-type", mode="joinById", roomId=room_id)
    guest_id = guest.welcome["sessionId"]
    await asyncio.gather(follow(session, 30), follow(guest, 30))
    # Nobody is sent the private fields of others.
    things = guest.state.plain()["things"]
    expect(("ammo" in things[guest_id], "ammo" in things[own_id]), (True, False))
    # A new connection begins with all that is public [S6] and all that is private [S8].
    guest.cut()
    await guest.resume(address(http, "/ws"))
    await follow(guest, 10)
    await guest.leave()
    await session.until(lambda: guest_id not in session.state.plain()["things"])
    await follow(session, 3)
    await session.leave()


async def binary_messages(http):
    session, _ = await join(http, "Ada", "every-type")
    for values in ([2**32 - 1, -3, 0.1, -3.15, True, "né"], [0, 5, -1e300, 1.2345, False, None]):
        session.events.clear()
        payload = b"".join(write_value(value, kind) for value, (_, kind) in zip(values, REPORT))
        await session.send("report", payload)
        reported = await session.event("reported")
        sent = {name: value for value, (name, _) in zip(values, REPORT) if value is not None}
        expect(reported, {**sent, "heading": reported["heading"]})
        expect(round(reported["heading"], 9), sent["heading"])
    # [I1]: nothing may be left out.
    await session.send("report", payload[:-1])
    expect((await session.event("$error"))["code"], "MESSAGE_INVALID")
    await session.leave()


SCENARIOS = [ticket, handshake, messages, binary_messages, resume, survive, step_back, refusals, every_type]

if __name__ == "__main__":
    _, scenario, http_url = sys.argv
    play = next(play for play in SCENARIOS if play.__name__ == scenario)
    asyncio.run(asyncio.wait_for(play(http_url), SCENARIO_TIMEOUT_S))
