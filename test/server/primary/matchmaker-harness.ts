/**
 * A matchmaker on simulated time whose workers are in the test's hands: what it sends them is recorded, and they say
 * what the test has them say.
 */
import { expect } from "vitest";
import type { PrimaryToWorker, RoomTypeInfo } from "../../../server/ipc/messages.ts";
import { type Admission, type JoinCall, Matchmaker } from "../../../server/primary/matchmaker.ts";
import { LeastLoadSelector } from "../../../server/primary/selector/least-load.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";

export const NO_ROOMS = { planned: 0, creating: 0, open: 0, closing: 0 };
export const NO_SEATS = { reserved: 0, passed: 0, joined: 0 };
export const WALL_CLOCK_AT_START = 1_700_000_000_000;

/** A type whose rooms outlive their worker. */
export const JOURNALED: RoomTypeInfo = {
  name: "match",
  maxClients: 4,
  maxMatched: 4,
  filterBy: [],
  durability: "journal",
  hasAuth: false,
  autoDispose: true,
};

const ROOM_TYPES: readonly RoomTypeInfo[] = [
  {
    name: "open",
    maxClients: 2,
    maxMatched: 2,
    filterBy: ["mode"],
    durability: "none",
    hasAuth: false,
    autoDispose: false,
  },
  {
    name: "guarded",
    maxClients: 2,
    maxMatched: 2,
    filterBy: [],
    durability: "none",
    hasAuth: true,
    autoDispose: false,
  },
  {
    name: "arena",
    maxClients: 10,
    maxMatched: 10,
    filterBy: [],
    durability: "none",
    hasAuth: false,
    autoDispose: true,
  },
];

type Sent<Type extends PrimaryToWorker["type"]> = Extract<PrimaryToWorker, { type: Type }> & {
  readonly workerId: number;
};

export type Harness = ReturnType<typeof createHarness>;

export function createHarness({ workers = [1, 2], roomTypes = ROOM_TYPES } = {}) {
  const time = new SimulatedTime();
  const readyWorkers = new Set(workers);
  const sent: (PrimaryToWorker & { workerId: number })[] = [];
  const warnings: string[] = [];
  const notes: { fields: object; message: string }[] = [];
  /** Sessions with a retained socket, by room. */
  const sockets = new Map<string, string[]>();
  /** Rooms that cannot move now. */
  const busy = new Set<string>();
  const followed: { roomId: string; workerId: number }[] = [];
  const closedSockets: string[] = [];
  const kept: { roomId: string; connectionIds: number[] }[] = [];
  /** Types of the messages that were sent to workers, with the sockets that followed. */
  const order: string[] = [];
  /** Workers that can be started for one room alone. */
  const isolated: number[] = [];
  const idle: number[] = [];
  let ids = 0;
  const matchmaker = new Matchmaker({
    scheduler: time,
    random: createRandom(1).next,
    newId: () => `id${++ids}`,
    wallClock: () => WALL_CLOCK_AT_START + time.now(),
    selector: new LeastLoadSelector(),
    workers: () => [...readyWorkers].map((workerId) => ({ workerId, stats: undefined })),
    send: (workerId, message) => {
      sent.push({ workerId, ...message });
      order.push(message.type);
    },
    onRoomGone: () => undefined,
    isolate: () => isolated.shift(),
    onIdle: (workerId) => void idle.push(workerId),
    survivors: {
      of: (roomId) => sockets.get(roomId) ?? [],
      follow: (roomId, workerId) => {
        followed.push({ roomId, workerId });
        order.push("sockets");
      },
      keepOnly: (roomId, connectionIds) => void kept.push({ roomId, connectionIds: [...connectionIds] }),
      close: (roomId) => void closedSockets.push(roomId),
    },
    canMove: ({ roomId }) => !busy.has(roomId),
    log: {
      info: (fields, message) => notes.push({ fields, message }),
      warn: (_, message) => warnings.push(message),
    },
  });
  matchmaker.onWorkerReady(0, roomTypes);

  function sentOf<Type extends PrimaryToWorker["type"]>(type: Type): Sent<Type>[] {
    return sent.filter((message): message is Sent<Type> => message.type === type);
  }
  return {
    time,
    matchmaker,
    readyWorkers,
    warnings,
    sockets,
    busy,
    followed,
    closedSockets,
    kept,
    notes,
    order,
    isolated,
    idle,
    creates: () => sentOf("create-room"),
    authorizations: () => sentOf("authorize"),
    disposals: () => sentOf("dispose-room"),
    releases: () => sentOf("release-room"),

    join(roomType: string, call: Partial<JoinCall> = {}): Promise<Admission> {
      const request = {
        mode: "joinOrCreate" as const,
        options: {},
        token: "",
        address: "::1",
        origin: undefined,
      };
      const admission = matchmaker.join({ roomType, ...request, ...call });
      admission.catch(() => undefined); // a test looks at it when it comes to it
      return admission;
    },

    /** Answers every create-room and authorize so far that has no answer. */
    async answerAll(auth = new Uint8Array()): Promise<void> {
      for (;;) {
        await time.settle();
        const message = sent.shift();
        if (message === undefined) return;
        const { workerId } = message;
        if (message.type === "create-room") {
          const { roomId } = message;
          matchmaker.onWorkerMessage(workerId, {
            type: "room-created",
            roomId,
            failure: undefined,
            sessionIds: [],
          });
        } else if (message.type === "authorize") {
          const { requestId } = message;
          matchmaker.onWorkerMessage(workerId, { type: "authorized", requestId, result: { auth } });
        }
      }
    },

    loseWorker(workerId: number): void {
      readyWorkers.delete(workerId);
      matchmaker.onWorkerLost(workerId);
    },

    seats: () => matchmaker.stats().seats,
    rooms: () => matchmaker.stats().rooms,
  };
}

/** A client that has joined for good. */
export async function joined(harness: Harness, roomType = "open") {
  const join = harness.join(roomType);
  await harness.answerAll();
  const admission = await join;
  const { roomId, sessionId } = admission;
  harness.matchmaker.redeem(roomId, sessionId);
  harness.matchmaker.onWorkerMessage(admission.workerId, { type: "session-joined", roomId, sessionId });
  return admission;
}

export async function expectRefused(join: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(join).rejects.toMatchObject({ name: "RookeryError", code });
}

/** The code of the error that `action` throws. */
export function refusal(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "no error";
}
