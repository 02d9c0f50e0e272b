/**
 * A journal that was cut, or changed at random: what comes back is the longest prefix that is whole, with the very state
 * it had, or nothing. Without a server, on the code that a worker restores with.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JournalDamaged } from "../../../server/journal/journal-errors.ts";
import { RULES } from "../../../shared/games/arena/rules.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import type { ChaosCase, RunOptions } from "../chaos-case.ts";
import { JournaledRoom } from "../journaled-room.ts";
import { below, mutate } from "../mutations.ts";
import { emptyOutcome, type Outcome } from "../outcome.ts";
import { Violations } from "../violations.ts";

const CUT_BYTES = 4_096;
/** Long enough for all cuts to be within one segment. */
const TICKS_TO_CUT = 80;
const TICKS_BETWEEN_CHECKPOINTS = 8;
const RUNS_PER_LINE = 2_500;

export const journal: ChaosCase = {
  about: "cuts a journal at each of its last 4,096 bytes, and changes it N times at random",
  usual: (clients = 4) => ({ times: 10_000, clients: Math.min(clients, RULES.playersMax), workers: 1 }),
  bounds: () => ({ roomsQuarantined: 0 }),
  run: async (options) => {
    const verdict = new Verdict();
    await inDirectory((directory) => cutEverywhere(directory, options, verdict));
    await inDirectory((directory) => changeAtRandom(directory, options, verdict));
    return verdict.outcome;
  },
};

type Found = "whole" | "prefix" | "none" | "refused";

class Verdict {
  readonly violations = new Violations();
  #wrongStates = 0;

  /** @returns what has come of the files as they are now */
  judge(room: JournaledRoom): { readonly found: Found; readonly index: number } {
    try {
      const restored = room.restore();
      if (restored === undefined) return { found: "none", index: 0 };
      const { index, hash } = restored;
      if (hash !== room.hashes[index]) this.#wrongStates += 1;
      return { found: index === room.index ? "whole" : "prefix", index };
    } catch (error) {
      if (!(error instanceof JournalDamaged))
        this.violations.add(`Restoring a changed journal has failed: ${String(error)}.`);
      return { found: "refused", index: 0 };
    }
  }

  get outcome(): Outcome {
    return { ...emptyOutcome(), divergences: this.#wrongStates, violations: this.violations.sentences };
  }
}

async function cutEverywhere(directory: string, options: RunOptions, verdict: Verdict): Promise<void> {
  const room = await JournaledRoom.begin(directory, options.clients, options.seed);
  room.play(TICKS_BETWEEN_CHECKPOINTS);
  room.checkpoint();
  const from = room.index;
  room.play(TICKS_TO_CUT);
  const path = join(directory, room.segment);
  const file = readFileSync(path);
  if (file.length - CUT_BYTES < (room.lengths[from + 1] ?? 0))
    throw new Error("The journal is too short to cut.");
  for (let length = file.length - 1; length >= file.length - CUT_BYTES; length--) {
    replaceFile(path, file.subarray(0, length));
    const whole = room.lengths.findLastIndex((end, index) => index > from && end <= length);
    const { index } = verdict.judge(room);
    if (index !== whole)
      verdict.violations.add("A journal that was cut came back shorter or longer than it is.");
  }
  options.progress(`cut at ${CUT_BYTES} places`);
}

async function changeAtRandom(directory: string, options: RunOptions, verdict: Verdict): Promise<void> {
  const { times, clients, seed, progress } = options;
  const room = await JournaledRoom.begin(directory, clients, seed);
  for (const next of ["checkpoint", "checkpoint", "changeOwner", "checkpoint", "changeOwner"] as const) {
    room.play(TICKS_BETWEEN_CHECKPOINTS);
    room[next]();
  }
  room.play(TICKS_BETWEEN_CHECKPOINTS);
  const files = readdirSync(directory).sort();
  const random = createRandom(seed);
  const counts: Record<Found, number> = { whole: 0, prefix: 0, none: 0, refused: 0 };
  for (let run = 1; run <= times; run++) {
    const path = join(directory, files[below(files.length, random)] ?? "");
    const file = readFileSync(path);
    replaceFile(path, mutate(file, random));
    counts[verdict.judge(room).found] += 1;
    replaceFile(path, file);
    if (run % RUNS_PER_LINE === 0 || run === times)
      progress(
        `${run} changes: ${counts.whole} times whole, ${counts.prefix} times a prefix, ` +
          `${counts.none} times no room, ${counts.refused} times refused`,
      );
  }
}

/** As a new file: some file systems write a file that is emptied and filled again to the disk at once. */
function replaceFile(path: string, content: Uint8Array): void {
  unlinkSync(path);
  writeFileSync(path, content);
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rookery-chaos-"));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
