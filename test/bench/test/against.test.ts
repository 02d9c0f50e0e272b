import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { OptionsError } from "../../../shared/command-line.ts";
import { against } from "../against.ts";
import type { Contender } from "../servers/contenders.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SHORT = { pairs: 2, timing: { warmUpMs: 100, windowMs: 1_000 }, clients: [128] };

test("two checkouts are under load at the same time, and are compared round by round", async () => {
  const rounds: string[] = [];
  const context = { ...SHORT, progress: (sentence: string) => void rounds.push(sentence) };
  const { workload, pairs, tables } = await against(ROOT, ["w1"], context);
  expect([workload, pairs]).toEqual(["against", 2]);
  expect(rounds.map((sentence) => sentence.replace(/: .*/, ""))).toEqual([
    "W1, 128 clients, round 1 of 2",
    "W1, 128 clients, round 2 of 2",
  ]);
  const [row = []] = tables?.[0]?.rows ?? [];
  expect(row).toHaveLength(tables?.[0]?.columns.length ?? 0);
  const [name, here, there, ratio, lowest, highest] = row;
  expect(name).toBe("W1, 128 clients");
  expect(Math.min(Number(here), Number(there))).toBeGreaterThan(0);
  expect(Number(ratio)).toBeCloseTo((Number(lowest) + Number(highest)) / 2, 2);
});

test("each time belongs to its checkout, whichever of the two starts first", async () => {
  const order: string[] = [];
  const measure = async (both: readonly Contender[]) => {
    order.push(...both.map(({ file }) => file));
    // The round's number, and twice as much elsewhere.
    return both.map(({ file }) => (file.startsWith("/elsewhere/") ? 2 : 1) * (order.length / 2));
  };
  const context = { ...SHORT, pairs: 3, progress: () => undefined };
  const { tables } = await against("/elsewhere", ["w1"], context, measure);
  const [here, there] = ["", "/elsewhere/"].map((root) => `${root || ROOT}test/bench/servers/rookery.ts`);
  expect(order).toEqual([here, there, there, here, here, there]);
  expect(tables?.[0]?.rows).toEqual([["W1, 128 clients", "2.00", "4.00", "0.500", "0.500", "0.500"]]);
});

test("there must be something to compare", async () => {
  const none = against(ROOT, ["codec"], { ...SHORT, progress: () => undefined });
  await expect(none).rejects.toThrow(OptionsError);
});
