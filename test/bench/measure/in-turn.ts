/** Lets several servers run in turn, A B C A B C ..., so that what else the machine does meets all of them alike. */
import type { Load } from "../generator/messages.ts";
import type { Row } from "../result.ts";
import type { Contender } from "../servers/contenders.ts";
import type { BenchContext } from "../workloads/workload.ts";
import { medianRow } from "./rows.ts";
import type { Sample } from "./sample.ts";
import { undisturbed } from "./undisturbed.ts";

/** A contender, or one that needs to know what was measured of those before it in the same round. */
export type Turn = Contender | ((round: ReadonlyMap<string, Sample>) => Contender);

/** @returns a row for each contender, in the order of `turns` */
export async function inTurn(
  turns: readonly Turn[],
  load: Load & { readonly roomSize?: number },
  { pairs, timing, progress }: BenchContext,
): Promise<Row[]> {
  const samples = new Map<string, Sample[]>();
  const { roomSize } = load;
  for (let pair = 1; pair <= pairs; pair++) {
    const round = new Map<string, Sample>();
    for (const turn of turns) {
      const contender = typeof turn === "function" ? turn(round) : turn;
      const say = (sentence: string) => progress(`round ${pair} of ${pairs}: ${sentence}`);
      const taken = await undisturbed({ contender, load, timing, ...(roomSize && { roomSize }) }, say);
      round.set(contender.name, taken);
      samples.set(contender.name, [...(samples.get(contender.name) ?? []), taken]);
    }
  }
  return Array.from(samples, ([name, taken]) => medianRow(name, taken));
}
