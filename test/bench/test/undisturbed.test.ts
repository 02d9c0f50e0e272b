import { expect, test } from "vitest";
import type { Arrangement, Sample } from "../measure/sample.ts";
import { undisturbed } from "../measure/undisturbed.ts";
import { CONTENDERS } from "../servers/contenders.ts";
import { arenaLoad } from "../workloads/arena-load.ts";

const ARRANGEMENT: Arrangement = {
  contender: CONTENDERS.rookery,
  load: arenaLoad(320),
  timing: { warmUpMs: 1, windowMs: 1 },
};

function sampleWith(numbers: Partial<Sample>): Sample {
  return {
    clients: 320,
    cpuUsPerUpdate: 20,
    updatesPerClientPerSecond: 20,
    bytesPerClientPerSecond: 8_000,
    bytesPerUpdate: 400,
    rssKbPerClient: 30,
    intervalMs: { p50: 50, p99: 52 },
    generatorBusy: 0.1,
    othersCores: 0,
    ...numbers,
  };
}

/** @returns what came of a row of tries, and what was said of each */
async function tryAll(tries: readonly (Sample | Error)[]): Promise<{ taken: Sample; said: string[] }> {
  const said: string[] = [];
  const rest = tries.values();
  const taken = await undisturbed(
    ARRANGEMENT,
    (sentence) => said.push(sentence),
    async () => {
      const next = rest.next().value;
      if (next instanceof Error || next === undefined) throw next;
      return next;
    },
  );
  return { taken, said };
}

test("a quiet sample is taken once", async () => {
  const quiet = sampleWith({});
  const { taken, said } = await tryAll([quiet, sampleWith({})]);
  expect(taken).toBe(quiet);
  expect(said).toEqual(["rookery, 320 clients: 20.00 us an update, 400 bytes, 20.00 Hz, p99 52.0 ms"]);
});

test("a disturbed one is taken again", async () => {
  const quiet = sampleWith({ othersCores: 0.1 });
  const { taken, said } = await tryAll([sampleWith({ othersCores: 1.3 }), quiet]);
  expect(taken).toBe(quiet);
  expect(said[0]).toContain("(other processes used 1.3 cores)");
});

test("of three disturbed ones the least disturbed counts", async () => {
  const best = sampleWith({ othersCores: 0.5 });
  const { taken } = await tryAll([sampleWith({ othersCores: 1 }), best, sampleWith({ othersCores: 2 })]);
  expect(taken).toBe(best);
});

test("failures are tried again, and the last one is thrown when nothing else comes", async () => {
  const quiet = sampleWith({});
  const { taken, said } = await tryAll([new Error("no join"), quiet]);
  expect(taken).toBe(quiet);
  expect(said[0]).toBe("rookery, 320 clients: no join");
  await expect(tryAll([new Error("first"), new Error("second"), new Error("third")])).rejects.toThrow(
    "third",
  );
});

test("a load generator without time to spare is told of", async () => {
  const { said } = await tryAll([sampleWith({ generatorBusy: 0.95 })]);
  expect(said[0]).toContain("(the load generator had no time left)");
});
