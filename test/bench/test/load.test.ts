import { describe, expect, test } from "vitest";
import { decodeClientValue } from "../../../shared/protocol/codec.ts";
import { applyInput, INPUT_BYTES, inputLoop } from "../arena/input.ts";
import { ARENA, newPilot, spawn, step } from "../arena/simulation.ts";
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
