import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outbox } from "../../../shared/protocol/outbox.ts";

const LIMITS = { itemsMax: 8, bytesMax: 100 };

function item(length: number, mark = 0): Uint8Array {
  return new Uint8Array(length).fill(mark);
}

/** The plainest outbox: every item ever sent, and how many are acknowledged. */
class Model {
  readonly sent: Uint8Array[] = [];
  acknowledged = 0;

  get kept(): Uint8Array[] {
    return this.sent.slice(this.acknowledged);
  }

  get bytes(): number {
    return this.kept.reduce((sum, { length }) => sum + length, 0);
  }
}

const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ push: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ acknowledge: fc.integer({ min: -10, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ after: fc.integer({ min: -12, max: 3 }) }) },
);

describe("Outbox", () => {
  test("does what a plain list does, after any history", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const outbox = new Outbox(LIMITS);
        const model = new Model();
        for (const step of commands) {
          if ("push" in step) {
            const next = item(step.push, model.sent.length);
            const fits = model.kept.length < LIMITS.itemsMax && model.bytes + next.length <= LIMITS.bytesMax;
            if (fits) model.sent.push(next);
            expect(outbox.push(next)).toBe(fits ? model.sent.length : undefined);
          } else if ("acknowledge" in step) {
            const upTo = model.sent.length + step.acknowledge;
            const wasSent = upTo >= 0 && upTo <= model.sent.length;
            if (wasSent) model.acknowledged = Math.max(model.acknowledged, upTo);
            expect(outbox.acknowledge(upTo)).toBe(wasSent);
          } else {
            const number = model.sent.length + step.after;
            const isKept = number >= model.acknowledged && number <= model.sent.length;
            expect(outbox.after(number)).toEqual(isKept ? model.sent.slice(number) : undefined);
          }
          expect(outbox.last).toBe(model.sent.length);
          expect(outbox.size).toBe(model.kept.length);
          expect(outbox.bytes).toBe(model.bytes);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("numbers items from 1", () => {
    const outbox = new Outbox(LIMITS);
    expect(outbox.last).toBe(0);
    expect(outbox.push(item(1))).toBe(1);
    expect(outbox.push(item(1))).toBe(2);
  });

  test("is full at its limit of items, and of bytes, and takes more once acknowledged", () => {
    const outbox = new Outbox({ itemsMax: 2, bytesMax: 10 });
    outbox.push(item(1));
    outbox.push(item(1));
    expect(outbox.push(item(0))).toBeUndefined();
    outbox.acknowledge(1);
    expect(outbox.push(item(10))).toBeUndefined();
    expect(outbox.push(item(9))).toBe(3);
    expect(outbox.bytes).toBe(10);
  });

  test("continues the numbers of a session that began elsewhere", () => {
    const outbox = new Outbox(LIMITS, 41);
    expect(outbox.push(item(3))).toBe(42);
    expect(outbox.after(41)).toHaveLength(1);
    expect(outbox.after(40)).toBeUndefined();
    expect(outbox.acknowledge(42)).toBe(true);
    expect(outbox.size).toBe(0);
  });

  test("goes on behind a number that it does not know", () => {
    const outbox = new Outbox(LIMITS);
    outbox.push(item(3));
    outbox.skipTo(41);
    expect([outbox.last, outbox.size, outbox.bytes]).toEqual([41, 0, 0]);
    expect(outbox.push(item(2, 7))).toBe(42);
    expect(outbox.after(41)).toEqual([item(2, 7)]);
    expect(outbox.after(40)).toBeUndefined();
  });

  test.each([Number.NaN, 0.5, -1, Number.POSITIVE_INFINITY])("knows no item numbered %d", (number) => {
    const outbox = new Outbox(LIMITS);
    outbox.push(item(1));
    expect(outbox.acknowledge(number)).toBe(false);
    expect(outbox.after(number)).toBeUndefined();
    expect(outbox.size).toBe(1);
  });

  test("what `after` gave does not change with later acknowledgements", () => {
    const outbox = new Outbox(LIMITS);
    outbox.push(item(1, 1));
    outbox.push(item(1, 2));
    const missed = outbox.after(0);
    outbox.acknowledge(2);
    expect(missed).toEqual([item(1, 1), item(1, 2)]);
  });
});
