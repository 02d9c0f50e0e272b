import { describe, expect, test } from "vitest";
import { decodeClientValue, encodeServerValue } from "../../../shared/protocol/codec.ts";
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import { applyInput, INPUT_BYTES, inputLoop } from "../arena/input.ts";
import { ARENA, newPilot, spawn, step } from "../arena/simulation.ts";
import { CHAT, textLoop } from "../chat/text.ts";
import { FIRST_BYTE, MaskedFrame } from "../generator/masked-frame.ts";
import { PROTOCOLS } from "../generator/protocols.ts";

const MOVING = ["x", "y", "vx", "vy", "angle"] as const;

/** RFC 6455, section 5.3. */
function unmasked(frame: Buffer): Buffer {
  const mask = frame.subarray(2, 6);
  return Buffer.from(frame.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
}

describe("masked frames", () => {
  test("have the payload they were made with", () => {
    const frame = new MaskedFrame(Buffer.from("hello"));
    expect(frame.bytes[0]).toBe(FIRST_BYTE.BINARY);
    expect(frame.bytes[1]).toBe(0x80 | 5);
    expect(unmasked(frame.bytes).toString()).toBe("hello");
  });

  test("are changed in place, at any offset of the mask", () => {
    const frame = new MaskedFrame(Buffer.from("hello world"));
    const before = frame.bytes;
    frame.write(6, Buffer.from("there"));
    frame.writeByte(0, "H".charCodeAt(0));
    expect(unmasked(frame.bytes).toString()).toBe("Hello there");
    expect(frame.bytes).toBe(before);
  });

  test("are short ones", () => {
    expect(() => new MaskedFrame(new Uint8Array(126))).toThrow(RangeError);
  });
});

describe("inputs", () => {
  test("to Rookery are numbered messages with the input as bytes [M2]", () => {
    const { payload, inputOffset, sequenceOffset = 0 } = PROTOCOLS.rookery.inputFrame(INPUT_BYTES, "bytes");
    const input = Uint8Array.from({ length: INPUT_BYTES }, (_, index) => index + 1);
    const frame = new MaskedFrame(payload);
    frame.write(inputOffset, input);
    frame.writeByte(sequenceOffset, 1);
    frame.writeByte(sequenceOffset + 1, 2);
    const value = decodeClientValue(unmasked(frame.bytes));
    expect([...value.slice(0, 4), Buffer.from(value[4] as Uint8Array)]).toEqual([
      0,
      258,
      0,
      0,
      Buffer.from(input),
    ]);
  });

  test("to socket.io are events as texts", () => {
    const { firstByte, inputFrame, eventStart } = PROTOCOLS["socket.io"];
    const { payload, inputOffset } = inputFrame(CHAT.messageBytes, "text");
    const [text = new Uint8Array()] = textLoop(1, CHAT.messageBytes);
    const frame = new MaskedFrame(payload, firstByte);
    frame.write(inputOffset, text);
    expect(frame.bytes[0]).toBe(FIRST_BYTE.TEXT);
    const sent = unmasked(frame.bytes).toString();
    expect(sent).toBe(`42${JSON.stringify([CHAT.event, Buffer.from(text).toString()])}`);
    expect(sent.startsWith(Buffer.from(eventStart ?? []).toString())).toBe(true);
  });

  test("to Rookery tell how many events have come, and may be texts [E2]", () => {
    const { payload, ...offsets } = PROTOCOLS.rookery.inputFrame(CHAT.messageBytes, "text");
    const { inputOffset, sequenceOffset = 0, eventsOffset = 0 } = offsets;
    const [text = new Uint8Array()] = textLoop(1, CHAT.messageBytes);
    const frame = new MaskedFrame(payload);
    frame.write(inputOffset, text);
    frame.writeByte(sequenceOffset + 1, 1);
    frame.writeByte(eventsOffset, 3);
    frame.writeByte(eventsOffset + 1, 4);
    const value = decodeClientValue(unmasked(frame.bytes));
    expect(value).toEqual([0, 1, 772, 0, Buffer.from(text).toString()]);
  });

  test("to Colyseus have a type and a text in MessagePack", () => {
    const { payload, inputOffset } = PROTOCOLS.colyseus.inputFrame(CHAT.messageBytes, "text");
    expect(Buffer.from(payload.subarray(0, inputOffset))).toEqual(
      Buffer.from([13, 0xa4, ...Buffer.from(CHAT.event), 0xd9, CHAT.messageBytes]),
    );
    expect(payload.length - inputOffset).toBe(CHAT.messageBytes);
  });

  test("what rooms of Rookery send on begins as the counter of events expects [M1]", () => {
    const part = encodeServerValue([ServerMessage.EVENT, CHAT.event, "hello"]);
    const start = PROTOCOLS.rookery.eventStart ?? new Uint8Array();
    expect(Buffer.from(part.subarray(0, start.length))).toEqual(Buffer.from(start));
  });

  test("turn every pilot, one way or the other, as signed numbers", () => {
    const pilot = newPilot(0);
    applyInput(pilot, Uint8Array.of(0, 200, 0xfd, 0, 0, 0, 0, 0, 0), 1);
    expect(pilot).toEqual({ slot: 0, thrust: 200, turn: -3 });
  });
});

describe("the arena", () => {
  test("moves all five numbers of every player in every tick, and hits one in a hundred", () => {
    const inputs = inputLoop(64);
    const ticks = 1_000;
    for (let slot = 0; slot < ARENA.playersPerRoom; slot++) {
      const body = spawn(slot);
      const pilot = newPilot(slot);
      let hits = 0;
      let standstills = 0;
      for (let tick = 1; tick <= ticks; tick++) {
        const before = { ...body };
        applyInput(pilot, inputs[tick % inputs.length] ?? new Uint8Array(INPUT_BYTES));
        step(body, pilot, tick, 1000 / ARENA.ticksPerSecond);
        if (MOVING.some((name) => body[name] === before[name])) standstills += 1;
        if (body.score !== before.score) hits += 1;
      }
      expect({ hits, standstills }).toEqual({ hits: ticks / 100, standstills: 0 });
      expect(body.hp).toBeGreaterThan(0);
      expect(Math.abs(body.angle)).toBeLessThanOrEqual(Math.PI);
    }
  });
});
