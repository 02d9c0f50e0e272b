/** One hosted room on simulated time, with connections in memory, and all that it reports to the primary. */
import type { UpgradeHead, WorkerToPrimary } from "../../../server/ipc/messages.ts";
import { KeyedHash } from "../../../server/keyed-hash.ts";
import type { RoomLog } from "../../../server/room/room.ts";
import type { RoomClass } from "../../../server/room/room-class.ts";
import { createHostedRoom } from "../../../server/worker/create-room.ts";
import type { HostedRoom } from "../../../server/worker/hosted-room.ts";
import type { RoomServices } from "../../../server/worker/room-services.ts";
import { StepLoad } from "../../../server/worker/step-load.ts";
import { Survivors } from "../../../server/worker/survivors.ts";
import { TickScheduler } from "../../../server/worker/tick-scheduler.ts";
import { encodePayload } from "../../../shared/protocol/codec.ts";
import { ClientMessage } from "../../../shared/protocol/wire.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { Table } from "./rooms.ts";

export const TAG = 0xc0ffee;
const TOKEN_HASH = new KeyedHash(new Uint8Array(32).fill(7));
export const TICK_MS = 1000 / Table.tickRate;

type Logged = { readonly fields: object; readonly sentence: string };
type JoinWith = {
  options?: Record<string, unknown>;
  auth?: unknown;
  schemaHash?: string;
  eventsReceived?: number;
};

export class RoomHarness {
  readonly time = new SimulatedTime(1_000);
  /** Of the event loop, as the scheduler is told. */
  utilization = 0;
  readonly ticks = new TickScheduler(this.time, () => this.utilization);
  readonly reports: WorkerToPrimary[] = [];
  readonly errors: Logged[] = [];
  readonly services: RoomServices;
  readonly room: HostedRoom;
  /** The author's room. */
  readonly table: Table;

  constructor(roomClass: RoomClass = Table) {
    this.services = this.#services();
    this.room = this.create(roomClass, "room-1");
    this.table = Table.last;
  }

  /** Another room of the same worker. */
  create(roomClass: RoomClass, roomId: string, options: Record<string, unknown> = {}): HostedRoom {
    const identity = { roomId, roomType: "table", code: "CODE", seed: 1, epoch: 3 };
    return createHostedRoom({ ...identity, options }, roomClass, this.services);
  }

  /** A connection that redeems the session's ticket. */
  join(
    sessionId: string,
    { options = {}, auth, schemaHash, eventsReceived = 0 }: JoinWith = {},
  ): MemoryTransport {
    const transport = new MemoryTransport();
    const passenger = {
      kind: "join",
      options,
      auth: auth === undefined ? undefined : encodePayload(auth),
    } as const;
    this.room.accept(transport, sessionId, passenger, head(schemaHash, eventsReceived));
    return transport;
  }

  /** A connection that comes back to its session. */
  resume(sessionId: string, resumeToken: string, eventsReceived = 0): MemoryTransport {
    const transport = new MemoryTransport();
    const passenger = { kind: "resume", resumeToken } as const;
    this.room.accept(transport, sessionId, passenger, head(undefined, eventsReceived));
    return transport;
  }

  /** Clients who have joined and been welcomed. */
  async seated(...sessionIds: string[]): Promise<MemoryTransport[]> {
    const transports = sessionIds.map((sessionId) => this.join(sessionId));
    await this.tick();
    return transports;
  }

  async tick(count = 1): Promise<void> {
    await this.time.advance(count * TICK_MS);
  }

  /** Reports of these types as `<type> <session>`, in order. */
  reported(...types: WorkerToPrimary["type"][]): string[] {
    return this.reports
      .filter(({ type }) => types.includes(type))
      .map((report) => ("sessionId" in report ? `${report.type} ${report.sessionId}` : report.type));
  }

  #services(): RoomServices {
    const log: RoomLog = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields, sentence) => void this.errors.push({ fields, sentence }),
    };
    return {
      worker: 1,
      scheduler: this.time,
      ticks: this.ticks,
      load: new StepLoad(this.time),
      survivors: new Survivors(),
      defer: (callback) => void this.time.setTimeout(callback, 0),
      tokenHash: TOKEN_HASH,
      checksDeterminism: false,
      journals: undefined,
      mark: undefined,
      newTag: () => TAG,
      report: (message) => void this.reports.push(message),
      log,
    };
  }
}

function head(schemaHash: string | undefined, eventsReceived: number): UpgradeHead {
  return { key: "", rest: new Uint8Array(0), schemaHash, eventsReceived };
}

/** Sends the room a message over a connection, with this sequence. */
export function say(
  transport: MemoryTransport,
  seq: number,
  name: string,
  payload: unknown = null,
  eventsReceived = 0,
): void {
  transport.receive([ClientMessage.MESSAGE, seq, eventsReceived, name, payload]);
}
