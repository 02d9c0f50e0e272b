/**
 * Clients that stop reading, among many that do not, on one worker: each costs bounded memory, nobody else's ticks wait
 * for it, and when it reads again it is brought up to date with one merged STATE.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../../server/limits.ts";
import { handshakeHead } from "../../support/raw-client.ts";
import { CRATE_BYTES } from "../../support/rooms/freight.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { FreightClient, freightPath } from "./freight-client.ts";
import { LeanClient } from "./lean-client.ts";

const MIB = 2 ** 20;
const PING_INTERVAL_MS = 1_000;
const SAMPLE_INTERVAL_MS = 100;

/** Rooms with 400 KB in each tick: within two seconds the kernel has all it holds for a client that does not read. */
const FAT_ROOMS = 4;
const CRATES = 400;
const STALLED = 100;
const FAT_READERS = 8;
/** Rooms of many, with a few bytes in each tick. */
const THIN_ROOMS = 10;
const THIN_READERS = 792;

const BASELINE_TICKS = 30;
/** What a reader gets during the stall, 12 MB: far more than the kernel holds for a client, 4 MiB and somewhat more. */
const STALL_STATES = 30;
/** So many begin to read again at once: this process has to take in what the kernel has held for them. */
const BATCH = 25;
/** States that they get before they leave: the merged one, and some that all others get as well. */
const STATES_AFTER = 3;

const STALLED_BYTES_MAX = 1.5 * MIB;
/** What readers got and they were not sent, which a queue would have held, is so many times as much. */
const UNSENT_FACTOR_MIN = 3;
/** The others' intervals may grow by so much: on two cores, the 99th percentile says much of what else runs there. */
const P50_FACTOR_MAX = 1.5;
const P99_FACTOR_MAX = 6;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ WORKERS: "1" });
});
afterAll(async () => {
  await server.stop();
});

/** Of the worker, in bytes. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${server.workerPids[0]}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

function statesAfter({ ticks }: FreightClient, tick: number): number {
  return ticks.length - 1 - ticks.findLastIndex((own) => own <= tick);
}

/** Intervals between the states of each client, of all clients together, second by second. */
class Intervals {
  #seconds: number[][] = [];
  #beganMs = 0;

  begin(): void {
    this.#seconds = [];
    this.#beganMs = performance.now();
  }

  /** @returns percentiles of a usual second since `begin`, in milliseconds: others use this machine as well */
  usual(): { readonly p50Ms: number; readonly p99Ms: number } {
    const usual = (share: number) => {
      const ofSeconds = Object.values(this.#seconds).map((second) => percentile(second, share));
      return percentile(ofSeconds, 0.5);
    };
    return { p50Ms: usual(0.5), p99Ms: usual(0.99) };
  }

  /** @returns to be called at each state of one client */
  ofOne(): () => void {
    let lastMs: number | undefined;
    return () => {
      const nowMs = performance.now();
      const second = Math.floor((nowMs - this.#beganMs) / 1_000);
      this.#seconds[second] ??= [];
      if (lastMs !== undefined) this.#seconds[second].push(nowMs - lastMs);
      lastMs = nowMs;
    };
  }
}

/** Looks at the worker's memory again and again. */
class Residents implements Disposable {
  #bytes: number[] = [];
  readonly #timer = setInterval(() => this.#bytes.push(residentBytes()), SAMPLE_INTERVAL_MS);

  /** @returns what it was since the last call */
  take(): number[] {
    const bytes = this.#bytes;
    this.#bytes = [];
    return bytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Clients that go on pinging whatever else they do. */
class Pinging implements Disposable {
  readonly #clients: FreightClient[] = [];
  readonly #timer = setInterval(() => {
    for (const client of this.#clients) client.ping();
  }, PING_INTERVAL_MS);

  add(client: FreightClient): void {
    this.#clients.push(client);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/**
 * @param ticks of the room, all of them
 * @param merged tick of the first state that the client got when it read again
 * @returns those that it was not sent before: the last ones without a break, behind what the kernel has held
 */
function skippedTicks(client: FreightClient, ticks: readonly number[], merged: number): readonly number[] {
  const told = ticks.slice(ticks.indexOf(client.ticks[0] ?? 0), ticks.indexOf(merged));
  const held = client.ticks.slice(0, client.ticks.indexOf(merged));
  expect(held).toEqual(told.slice(0, held.length));
  return told.slice(held.length);
}

describe.concurrent("clients that do not read", () => {
  test("[S10] 100 among 900 cost bounded memory and nobody's ticks, and catch up with one STATE", async () => {
    const { port } = server;
    const intervals = new Intervals();
    using residents = new Residents();
    using pinging = new Pinging();
    using crowd = new DisposableStack();
    using clients = new DisposableStack();
    await Promise.all(
      Array.from({ length: THIN_READERS }, async (_, index) => {
        const head = handshakeHead(freightPath(`thin ${index % THIN_ROOMS}`, 0));
        const client = new LeanClient(port, head, intervals.ofOne());
        crowd.defer(() => client.socket.destroy());
        await client.until(() => client.messages > 0, "WELCOME");
      }),
    );
    const fatPath = (index: number) => freightPath(`fat ${index % FAT_ROOMS}`, CRATES);
    const fatReaders = await Promise.all(
      Array.from({ length: FAT_READERS }, (_, index) =>
        FreightClient.join(port, fatPath(index), intervals.ofOne()),
      ),
    );
    for (const client of fatReaders) {
      pinging.add(client);
      clients.defer(() => client.destroy());
    }
    const [reader] = fatReaders as [FreightClient];

    const firstTick = reader.tick;
    intervals.begin();
    residents.take();
    await reader.until(() => reader.tick >= firstTick + BASELINE_TICKS, "states before the stall");
    const before = intervals.usual();
    const residentBefore = percentile(residents.take(), 0.5);

    // They have read little so far, so the kernel has seen no reason to hold many megabytes for each.
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, async (_, index) => {
        const client = await FreightClient.join(port, fatPath(index));
        client.stopReading();
        pinging.add(client);
        return clients.adopt(client, () => client.destroy());
      }),
    );
    const readerOf = (index: number) => fatReaders[index % FAT_ROOMS] as FreightClient;
    intervals.begin();
    await Promise.all(
      stalled.map(async ({ tick }, index) => {
        const other = readerOf(index);
        await other.until(() => statesAfter(other, tick) >= STALL_STATES, "states during the stall");
      }),
    );
    const during = intervals.usual();
    const grownBytes = (Math.max(...residents.take()) - residentBefore) / STALLED;
    expect(grownBytes).toBeLessThan(STALLED_BYTES_MAX);
    expect(during.p50Ms).toBeLessThan(P50_FACTOR_MAX * before.p50Ms);
    expect(during.p99Ms).toBeLessThan(P99_FACTOR_MAX * before.p99Ms);
    const endTicks = fatReaders.map(({ tick }) => tick);

    // The crowd has seen what it was here for. The others must be done before they are taken for gone.
    crowd.dispose();
    for (const client of fatReaders) client.hashesFrom = 0;
    for (let from = 0; from < STALLED; from += BATCH) {
      await Promise.all(
        stalled.slice(from, from + BATCH).map(async (client, index) => {
          client.hashesFrom = readerOf(from + index).tick + 1;
          client.readAgain();
          await client.until(() => client.hashes.size >= STATES_AFTER, "states after the stall");
          client.stopReading();
        }),
      );
    }

    await Promise.all(
      stalled.map(async (client, index) => {
        const other = readerOf(index);
        await other.until(() => other.tick >= client.tick, "the same state for one that has read all along");
      }),
    );

    const unsentBytes = stalled.map((client, index) => {
      const { ticks, hashes } = readerOf(index);
      const [merged = 0] = client.hashes.keys();
      const skipped = skippedTicks(client, ticks, merged);
      expect(client.snapshots).toBe(1);
      for (const [tick, hash] of client.hashes) expect([tick, hashes.get(tick)]).toEqual([tick, hash]);
      client.expectComplete();
      const endTick = endTicks[index % FAT_ROOMS] ?? 0;
      return skipped.filter((tick) => tick <= endTick).length * CRATES * CRATE_BYTES;
    });
    const unsentMean = unsentBytes.reduce((sum, bytes) => sum + bytes) / STALLED;
    expect(unsentMean).toBeGreaterThan(UNSENT_FACTOR_MIN * STALLED_BYTES_MAX);
  });

  test("[L1] one that goes on not reading is cut off, and may come back to all that it has missed", async () => {
    using pinging = new Pinging();
    using clients = new DisposableStack();
    const join = async () => {
      const client = await FreightClient.join(server.port, freightPath("given up", CRATES));
      return clients.adopt(client, () => client.destroy());
    };
    const reader = await join();
    const stalled = await join();
    stalled.stopReading();
    const stalledMs = performance.now();
    for (const client of [reader, stalled]) pinging.add(client);
    const { tick } = stalled;
    await reader.until(() => statesAfter(reader, tick) >= STALL_STATES, "states during the stall");
    const { sessionId } = stalled.welcome;
    await reader.until(() => reader.events.includes(sessionId), "the end of the connection");
    expect(performance.now() - stalledMs).toBeGreaterThan(LIMITS.unreadMs);
    pinging[Symbol.dispose]();
    stalled.readAgain();
    await stalled.until(() => stalled.isClosed, "the end of the connection");

    reader.hashesFrom = 0;
    const again = clients.adopt(await stalled.resumed(), (client) => client.destroy());
    expect(again.welcome).toMatchObject({ sessionId, resumed: true });
    await reader.until(() => reader.tick >= again.tick, "the tick of the one who came back");
    expect(again.hashes.get(again.tick)).toBe(reader.hashes.get(again.tick));
    expect(again.events).toContain(sessionId);
    again.expectComplete();
  });
});
