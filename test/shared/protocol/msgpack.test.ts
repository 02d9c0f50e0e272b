/** The client's own MessagePack against the library that the server uses, both ways. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePayload, encodePayload } from "../../../shared/protocol/codec.ts";
import { pack, Unpacker } from "../../../shared/protocol/msgpack.ts";
import { prescan } from "../../../shared/protocol/prescan.ts";
import { plainValue } from "./plain-values.ts";
import { expectError, fromHex, toHex } from "./support.ts";

const unpack = (bytes: Uint8Array) => new Unpacker(bytes).next();

/** Lengths and numbers on both sides of where another form begins. */
const EDGES = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 65_535, 65_536];
const NUMBERS = [
  ...EDGES,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 64,
  0.5,
  1e300,
  Number.NaN,
  1 / 0,
].flatMap((number) => [number, -number, -number - 1]);

describe("packing", () => {
  test("writes what the library writes", () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        expect(toHex(pack(value))).toBe(toHex(encodePayload(value)));
      }),
      { numRuns: 500 },
    );
  });

  test.each(NUMBERS)("writes %d as the library does", (number) => {
    expect(toHex(pack(number))).toBe(toHex(encodePayload(number)));
  });

  test.each(EDGES)("writes %i of something as the library does", (length) => {
    const object = Object.fromEntries(Array.from({ length }, (_, i) => [String(i), true]));
    for (const value of ["a".repeat(length), new Uint8Array(length), new Array(length).fill(null), object]) {
      expect(Buffer.compare(pack(value), encodePayload(value))).toBe(0);
    }
  });

  test("leaves undefined out of objects and makes it nil elsewhere", () => {
    expect(toHex(pack({ a: undefined, b: [undefined] }))).toBe("81a16291c0");
    expect(toHex(pack(undefined))).toBe("c0");
  });

  test("writes strings as UTF-8, whatever is in them", () => {
    expect(toHex(pack("\ufeffé😀"))).toBe("a9efbbbfc3a9f09f9880");
    expect(toHex(pack("\ud800"))).toBe("a3efbfbd");
  });

  test("owns its bytes", () => {
    const first = pack([1, 2, 3]);
    expect(first.buffer.byteLength).toBe(first.length);
    pack("something else");
    expect(toHex(first)).toBe("93010203");
  });
});

describe("unpacking", () => {
  test("reads what the library and packing write", () => {
    fc.assert(
      fc.property(plainValue, (value) => {
        expect(unpack(encodePayload(value))).toEqual(value);
        expect(unpack(pack(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("reads every form of a number that the protocol allows, as the library does", () => {
    const forms = [
      "00",
      "7f",
      "ff",
      "e0",
      "ccff",
      "cdffff",
      "ceffffffff",
      "cf0020000000000000",
      "cfffffffffffffffff",
    ]
      .concat([
        "d080",
        "d18000",
        "d280000000",
        "d38000000000000000",
        "d3ffffffffffffffff",
        "d07f",
        "d300000000000000ff",
      ])
      .concat(["ca3fc00000", "cb3ff8000000000000", "cb7ff0000000000000"]);
    for (const hex of forms) expect(unpack(fromHex(hex)), hex).toBe(decodePayload(fromHex(hex)));
    expect(unpack(fromHex("d3ffffffffffffffff"))).toBe(-1);
    expect(unpack(fromHex("ceffffffff"))).toBe(0xffffffff);
  });

  test("reads every form of a length", () => {
    for (const hex of ["a161", "d90161", "da000161", "db0000000161"])
      expect(unpack(fromHex(hex)), hex).toBe("a");
    for (const hex of ["9105", "dc000105", "dd0000000105"]) expect(unpack(fromHex(hex)), hex).toEqual([5]);
    for (const hex of ["81a16105", "de0001a16105", "df00000001a16105"])
      expect(unpack(fromHex(hex)), hex).toEqual({ a: 5 });
    for (const hex of ["c40109", "c5000109", "c60000000109"])
      expect(unpack(fromHex(hex)), hex).toEqual(Uint8Array.of(9));
  });

  test("reads one value after the other, byte strings as views", () => {
    const bytes = fromHex("c402aabb93c0c2c3a0");
    const unpacker = new Unpacker(bytes);
    const view = unpacker.next() as Uint8Array;
    expect([unpacker.next(), unpacker.next()]).toEqual([[null, false, true], ""]);
    bytes.fill(1);
    expect([...view]).toEqual([1, 1]);
  });

  test("replaces what is not UTF-8, and keeps a byte order mark", () => {
    expect(unpack(fromHex("a3ff61ff"))).toBe("\ufffda\ufffd");
    expect(unpack(fromHex("a4efbbbf61"))).toBe("\ufeffa");
  });

  test("keeps names that mean something to JavaScript as mere names; of equal ones the last counts", () => {
    const value = unpack(fromHex("82a95f5f70726f746f5f5f81a17801a16105")) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__", "a"]);
    expect(unpack(fromHex("82a16101a16102"))).toEqual({ a: 2 });
  });

  test("refuses keys that are no strings", () => {
    expectError(() => unpack(fromHex("810102")), "PROTOCOL_ERROR", /key/);
  });

  test("of whatever bytes have passed the prescan, all or none are read", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        try {
          prescan(bytes);
        } catch {
          return;
        }
        const ended = new Uint8Array([...bytes, 0x2a]);
        const unpacker = new Unpacker(ended);
        try {
          unpacker.next();
        } catch (error) {
          expect(error).toMatchObject({ code: "PROTOCOL_ERROR" });
          return;
        }
        expect(unpacker.next()).toBe(0x2a);
      }),
      { numRuns: 2_000 },
    );
  });
});
