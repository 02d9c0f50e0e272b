/** The codecs by themselves: what one tick of a room of W1 costs to write down and to read. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CodecRequest, CodecTimes } from "../codec/messages.ts";
import { atLeast, type Bound } from "../result.ts";
import { median } from "../statistics.ts";
import type { Workload } from "./workload.ts";

const MAIN = fileURLToPath(new URL("../codec/main.ts", import.meta.url));
const TICKS = 4_000;
const MEASURE_MS = 120_000;
const TIMES_FASTER = { encode: 6, decode: 10 } as const;

export const codec: Workload = {
  name: "codec",
  about:
    "one tick of a room of W1 without a network: 32 players move, what has changed is encoded and decoded",
  run: async ({ pairs }) => {
    const times = await measure({ rounds: pairs, ticks: TICKS });
    const rows = times.map(({ name, bytes, encodeUs, decodeUs }) => [
      name,
      Math.round(bytes),
      median(encodeUs).toFixed(2),
      median(decodeUs).toFixed(2),
    ]);
    const columns = ["codec", "bytes", "mutate and encode us", "decode us"];
    const tables = [{ title: "CPU of a tick", columns, rows }];
    return { workload: "codec", pairs, rows: [], bounds: boundsOf(times), tables };
  },
};

function boundsOf([ours, ...others]: readonly CodecTimes[]): Bound[] {
  if (ours === undefined) throw new Error("no codec was measured");
  return others.flatMap(({ name, encodeUs, decodeUs }) => [
    atLeast(
      `times faster to encode than ${name}`,
      median(encodeUs) / median(ours.encodeUs),
      TIMES_FASTER.encode,
    ),
    atLeast(
      `times faster to decode than ${name}`,
      median(decodeUs) / median(ours.decodeUs),
      TIMES_FASTER.decode,
    ),
  ]);
}

async function measure(request: CodecRequest): Promise<CodecTimes[]> {
  const child = fork(MAIN, { timeout: MEASURE_MS, killSignal: "SIGKILL" });
  const answer = once(child, "message");
  const end = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the process of the codecs ended: ${signal ?? code}`);
  });
  child.send(request);
  const [times] = (await Promise.race([answer, end])) as [CodecTimes[]];
  // It ends by itself from here on.
  end.catch(() => undefined);
  return times;
}
