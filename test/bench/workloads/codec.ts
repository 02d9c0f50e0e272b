/** The codecs by themselves: what one tick of a room of W1 costs to write down and to read. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CodecName, CodecRequest, CodecTimes } from "../codec/messages.ts";
import { atLeast } from "../result.ts";
import { median } from "../statistics.ts";
import type { Workload } from "./workload.ts";

const MAIN = fileURLToPath(new URL("../codec/main.ts", import.meta.url));
/** With fewer, the compiler is still at work when the measuring begins. */
const TICKS = 100_000;
const MEASURE_MS = 60_000;
const NAMES = ["rookery", "colyseus", "colyseus quantised"] as const;
const TIMES_FASTER = { encode: 6, decode: 10 } as const;

export const codec: Workload = {
  name: "codec",
  about:
    "one tick of a room of W1 without a network: 32 players move, what has changed is encoded and decoded",
  run: async ({ pairs }) => {
    const samples = new Map<CodecName, CodecTimes[]>(NAMES.map((name) => [name, []]));
    for (let pair = 0; pair < pairs; pair++) {
      for (const [name, taken] of samples) taken.push(await measure({ name, ticks: TICKS }));
    }
    const middle = (name: CodecName, of: keyof CodecTimes): number =>
      median((samples.get(name) ?? []).map((times) => times[of]));
    const rows = NAMES.map((name) => [
      name,
      Math.round(middle(name, "bytes")),
      middle(name, "encodeUs").toFixed(2),
      middle(name, "decodeUs").toFixed(2),
    ]);
    const timesFaster = (name: CodecName, of: "encodeUs" | "decodeUs"): number =>
      middle(name, of) / middle("rookery", of);
    const bounds = (["colyseus", "colyseus quantised"] as const).flatMap((name) => [
      atLeast(`times faster to encode than ${name}`, timesFaster(name, "encodeUs"), TIMES_FASTER.encode),
      atLeast(`times faster to decode than ${name}`, timesFaster(name, "decodeUs"), TIMES_FASTER.decode),
    ]);
    const columns = ["codec", "bytes", "mutate and encode us", "decode us"];
    return {
      workload: "codec",
      pairs,
      rows: [],
      bounds,
      tables: [{ title: "CPU of a tick", columns, rows }],
    };
  },
};

async function measure(request: CodecRequest): Promise<CodecTimes> {
  const child = fork(MAIN, { timeout: MEASURE_MS, killSignal: "SIGKILL" });
  const exit = once(child, "exit");
  const answer = once(child, "message") as Promise<[CodecTimes]>;
  child.send(request);
  const [times] = await Promise.race([
    answer,
    exit.then(([code, signal]) => {
      throw new Error(`the process of the codec ended: ${signal ?? code}`);
    }),
  ]);
  await exit;
  return times;
}
