/** All cases, by the names they have on the command line. */
import { connectFour } from "./cases/connect-four.ts";
import { cut } from "./cases/cut.ts";
import { hang } from "./cases/hang.ts";
import { journal } from "./cases/journal.ts";
import { healthy, kill } from "./cases/kill.ts";
import { oom } from "./cases/oom.ts";
import { poison } from "./cases/poison.ts";
import { replay } from "./cases/replay.ts";
import { stalled } from "./cases/stalled.ts";
import type { ChaosCase } from "./chaos-case.ts";

export const cases: Readonly<Record<string, ChaosCase>> = {
  kill,
  cut,
  stalled,
  hang,
  oom,
  poison,
  healthy,
  "connect-four": connectFour,
  replay,
  journal,
};
