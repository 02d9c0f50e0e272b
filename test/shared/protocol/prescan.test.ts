import fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { describe, expect, test } from "vitest";
import { DEPTH_MAX, prescan, prescanValue } from "../../../shared/protocol/prescan.ts";
import { plainValue } from "./plain-values.ts";
import { expectError, fromHex } from "./support.ts";

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true });

/** `depth` arrays of one element around `core`. */
function nested(depth: number, core = "c0"): Uint8Array {
  return fromHex("91".repeat(depth) + core);
}

describe("prescan", () => {
  test("passes whatever plain value an independent packer writes, and finds its end", () => {
    fc.assert(
      fc.property(plainValue, fc.uint8Array({ maxLength: 8 }), (value, rest) => {
        const packed = new Uint8Array(packr.pack(value));
        prescan(packed);
        const followed = new Uint8Array([...packed, ...rest]);
        expect(prescanValue(followed, 0, followed.length)).toBe(packed.length);
      }),
      { numRuns: 500 },
    );
  });

  test("refuses every proper prefix of a value", () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        const packed = new Uint8Array(packr.pack(value));
        for (let length = 0; length < Math.min(packed.length, 200); length += 1) {
          expectError(() => prescan(packed.subarray(0, length)), "PROTOCOL_ERROR", /cut short|larger than/);
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["nil, false, true", "c0 c2 c3"],
    ["fixints", "00 7f e0 ff"],
    ["uint 8 to 64", "ccff cdffff ceffffffff cfffffffffffffffff"],
    ["int 8 to 64", "d080 d18000 d280000000 d38000000000000000"],
    ["floats", "ca00000000 cb0000000000000000"],
    ["strings", "a0 a161 d90161 da000161 db0000000161"],
    ["byte strings", "c400 c40101 c5000101 c60000000101"],
    ["arrays", "90 91c0 dc0001c0 dd00000001c0"],
    ["maps", "80 81a161c0 de0001a161c0 df00000001a161c0"],
  ])("knows the headers of %s", (_name, hex) => {
    for (const value of hex.split(" ")) prescan(fromHex(value));
  });

  test("allows 16 levels and refuses 17", () => {
    prescan(nested(DEPTH_MAX));
    expectError(() => prescan(nested(DEPTH_MAX + 1)), "PROTOCOL_ERROR", /nested more than 16 deep/);
    expectError(() => prescan(nested(16_000)), "PROTOCOL_ERROR", /nested more than 16 deep/);
  });

  test("counts the depth of siblings one by one", () => {
    const siblings = fromHex(`dc0064${"91c0".repeat(100)}`);
    prescan(siblings);
    prescan(nested(DEPTH_MAX - 2, `93${"91c0".repeat(3)}`));
    expectError(() => prescan(nested(DEPTH_MAX - 1, "9291c091c0")), "PROTOCOL_ERROR", /nested/);
  });

  test.each([
    "dd00000002c0",
    "ddffffffffc0",
    "dcffffc0",
    "df00000001c0",
    "dfffffffffc0c0",
    "deffff",
    "8fc0",
    "9fc0",
  ])("refuses the count of %s, larger than the bytes that follow", (hex) => {
    expectError(() => prescan(fromHex(hex)), "PROTOCOL_ERROR", /count is larger/);
  });

  test.each([
    "dbffffffff61",
    "c6ffffffff00",
    "d9ff",
    "c4ff00",
    "bf61",
    "da00",
    "c5",
    "cf00",
    "cd00",
    "ca000000",
    "",
  ])("refuses %s, which is cut short", (hex) => {
    expectError(() => prescan(fromHex(hex)), "PROTOCOL_ERROR", /cut short/);
  });

  test.each([
    "c70001",
    "c8000001",
    "c90000000001",
    "d40000",
    "d6ff00000000",
    "d7ff0000000000000000",
    "d8",
    "d50000",
  ])("refuses the extension type %s", (hex) => {
    expectError(() => prescan(fromHex(hex)), "PROTOCOL_ERROR", /[Ee]xtension/);
    expectError(() => prescan(fromHex(`92c0${hex}`)), "PROTOCOL_ERROR", /[Ee]xtension/);
  });

  test("refuses 0xc1 and trailing bytes", () => {
    expectError(() => prescan(fromHex("c1")), "PROTOCOL_ERROR", /0xc1/);
    expectError(() => prescan(fromHex("91c1")), "PROTOCOL_ERROR", /0xc1/);
    expectError(() => prescan(fromHex("c0c0")), "PROTOCOL_ERROR", /follow/);
    expectError(() => prescan(fromHex("91c0c0")), "PROTOCOL_ERROR", /follow/);
  });

  test("walks values back to back and does not look past the limit", () => {
    const bytes = fromHex("01 a161 9201a162 ffff".replaceAll(" ", ""));
    expect(prescanValue(bytes, 0, 7)).toBe(1);
    expect(prescanValue(bytes, 1, 7)).toBe(3);
    expect(prescanValue(bytes, 3, 7)).toBe(7);
    expectError(() => prescanValue(bytes, 3, 6), "PROTOCOL_ERROR", /cut short/);
    expectError(() => prescanValue(bytes, 7, 7), "PROTOCOL_ERROR", /cut short/);
  });

  test("is not put off by what it refused before", () => {
    expectError(() => prescan(nested(DEPTH_MAX + 1)), "PROTOCOL_ERROR");
    expectError(() => prescan(fromHex("9f9f")), "PROTOCOL_ERROR");
    prescan(nested(DEPTH_MAX));
  });
});
