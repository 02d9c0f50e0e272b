/**
 * W3: people who talk, in rooms without ticks. An update is a message that has come to one of the 32 of its room; the
 * messages of one flush window share a frame. The floor tells what is left for a framework.
 */
import { inTurn } from "../measure/in-turn.ts";
import { atMost, type Bound, type Row, rowOf } from "../result.ts";
import { CONTENDERS } from "../servers/contenders.ts";
import { chatLoad } from "./chat-load.ts";
import type { Workload } from "./workload.ts";

const CLIENTS = [320] as const;

const { chat, chat10, chat50, colyseusChat, socketIoChat, floorChat, floorChat10, floorChat50 } = CONTENDERS;
const ALL = [chat, chat10, chat50, colyseusChat, socketIoChat, floorChat, floorChat10, floorChat50];
const LIMITS = [
  { contender: chat, limit: 0.75 },
  { contender: chat10, limit: 0.55 },
  { contender: chat50, limit: 0.18 },
] as const;

export const w3: Workload = {
  name: "w3",
  about:
    "rooms of 32 people, each of whom says 60 bytes 5 times a second; an update is one message delivered",
  run: async (context) => {
    const rows: Row[] = [];
    const bounds: Bound[] = [];
    for (const clients of context.clients ?? CLIENTS) {
      rows.push(...(await inTurn(ALL, chatLoad(clients), context)));
      for (const { contender, limit } of LIMITS) {
        const [ours, theirs] = [contender, colyseusChat].map(({ name }) => rowOf(rows, name, clients)) as [
          Row,
          Row,
        ];
        const ratio = ours.cpuUsPerUpdate / theirs.cpuUsPerUpdate;
        bounds.push(
          atMost(`CPU per message / Colyseus, ${contender.name} at ${clients} clients`, ratio, limit),
        );
      }
    }
    return { workload: "w3", pairs: context.pairs, rows, bounds };
  },
};
