/** What Rookery itself is looked at in, without anybody to compare it with: for profiles and for changes of its own. */
import type { Load } from "../generator/messages.ts";
import { CONTENDERS, type Contender } from "../servers/contenders.ts";
import { arenaLoad } from "./arena-load.ts";
import { chatLoad } from "./chat-load.ts";
import { worldLoad } from "./world-load.ts";

export type Subject = {
  /** Of the workload that it is taken from. */
  readonly workload: string;
  readonly name: string;
  readonly contender: Contender;
  readonly load: Load;
};

export const SUBJECTS: readonly Subject[] = [
  { workload: "w1", name: "W1", contender: CONTENDERS.rookery, load: arenaLoad(960) },
  { workload: "w2", name: "W2", contender: CONTENDERS.world, load: worldLoad(200) },
  { workload: "w3", name: "W3 at once", contender: CONTENDERS.chat, load: chatLoad(320) },
  { workload: "w3", name: "W3 in 50 ms", contender: CONTENDERS.chat50, load: chatLoad(320) },
];
