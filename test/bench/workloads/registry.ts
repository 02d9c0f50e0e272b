/** All workloads, in the order in which they run. */
import { capacity } from "./capacity.ts";
import { codec } from "./codec.ts";
import { cores } from "./cores.ts";
import { journal } from "./journal.ts";
import { memory } from "./memory.ts";
import { profile } from "./profile.ts";
import { scale } from "./scale.ts";
import { w1 } from "./w1.ts";
import { w2 } from "./w2.ts";
import { w3 } from "./w3.ts";
import { w4 } from "./w4.ts";
import type { Workload } from "./workload.ts";

export const WORKLOADS: readonly Workload[] = [
  w1,
  w2,
  w3,
  w4,
  codec,
  capacity,
  journal,
  cores,
  scale,
  memory,
  profile,
];
