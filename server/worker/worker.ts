/**
 * A worker: composition root of everything that runs rooms. It loads the authors' code, says that it is ready, and
 * does what the primary tells it.
 */
import { randomInt } from "node:crypto";
import { systemScheduler } from "../../shared/time.ts";
import { CODE_VERSION } from "../code-version.ts";
import type { Config } from "../config.ts";
import type { PrimaryLink, SocketHandle } from "../ipc/channel.ts";
import type { Durability, PrimaryToWorker, RoomTypeInfo } from "../ipc/messages.ts";
import { nodeFs } from "../journal/journal-fs.ts";
import { JournalSync } from "../journal/journal-sync.ts";
import { StepMark } from "../journal/step-mark.ts";
import { ValueWriter } from "../journal/value-writer.ts";
import { KeyedHash } from "../keyed-hash.ts";
import type { Logger } from "../logger.ts";
import { quote } from "../quote.ts";
import { loadRoomClass, type RoomClass, type RoomSource } from "../room/room-class.ts";
import { acceptUpgrade } from "../transport/accept.ts";
import { Adoption } from "../transport/adoption.ts";
import { authorize } from "./authorizer.ts";
import { Connections } from "./connections.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { rehearse } from "./rehearsal.ts";
import { RoomHost } from "./room-host.ts";
import { StepLoad } from "./step-load.ts";
import { Survivors } from "./survivors.ts";
import { TickScheduler } from "./tick-scheduler.ts";

export type WorkerOptions = {
  readonly sources: Readonly<Record<string, RoomSource>>;
  readonly primary: PrimaryLink;
  /** The worker's number, from 0. */
  readonly worker: number;
  readonly config: Config;
  /** Before it has rooms, it replays those of others. */
  readonly rehearses?: boolean;
  /** Makes the secrets of resume tokens; the same in all workers. */
  readonly tokenKey: Uint8Array;
  readonly log: Logger;
  /** Nothing of the worker is under way any more. */
  readonly onDrained?: () => void;
};

/**
 * Starts the worker's part of a process.
 *
 * @param worker its number, from 0
 * @throws TypeError or RangeError when a room type cannot be loaded
 */
export async function startWorker({
  sources,
  primary,
  worker,
  rehearses = false,
  config,
  tokenKey,
  log,
  onDrained = () => undefined,
}: WorkerOptions): Promise<void> {
  const roomClasses = new Map<string, RoomClass>();
  for (const [type, source] of Object.entries(sources))
    roomClasses.set(type, await loadRoomClass(type, source));

  const load = new StepLoad(systemScheduler);
  const ticks = new TickScheduler(systemScheduler, eventLoopUtilization());
  const defer = (callback: () => void) => void setImmediate(callback);
  const connections = new Connections({
    scheduler: systemScheduler,
    defer,
    onClosed: (connectionIds) => primary.send({ type: "connections-closed", connectionIds }),
  });
  const services = {
    worker,
    scheduler: systemScheduler,
    ticks,
    load,
    survivors: new Survivors(),
    defer,
    tokenHash: new KeyedHash(tokenKey),
    checksDeterminism: config.isDevelopment,
    mark: StepMark.open(config.dataDirectory, process.pid),
    journals: {
      dataDirectory: config.dataDirectory,
      codeVersion: CODE_VERSION,
      failed: new Set<string>(),
      services: {
        fs: nodeFs,
        sync: new JournalSync(nodeFs, config.journalFsyncMs, systemScheduler),
        writer: new ValueWriter(),
      },
    },
    newTag,
    report: (message: Parameters<PrimaryLink["send"]>[0]) => primary.send(message),
  };
  const host = new RoomHost(roomClasses, services, log);

  function onMessage(message: PrimaryToWorker, handle: SocketHandle | undefined): void {
    switch (message.type) {
      case "create-room":
        return host.create(message, message.survivors);
      case "release-room":
        return host.release(message.roomId, (transports) => connections.letGo(transports));
      case "dispose-room":
        return host.dispose(message.roomId);
      case "accept":
        return accept(message, handle);
      case "adopt":
        return adopt(message, handle);
      case "authorize":
        return void answerAuthorize(message);
      case "drain":
        return void drain();
    }
  }

  function accept(
    message: Extract<PrimaryToWorker, { type: "accept" }>,
    handle: SocketHandle | undefined,
  ): void {
    primary.send({ type: "accepted", connectionId: message.connectionId });
    if (handle === undefined) {
      connections.closed(message.connectionId);
      return host.connectionLost(message);
    }
    const transport = acceptUpgrade(handle, message.upgrade);
    connections.add(message.connectionId, transport);
    host.accept(transport, message);
  }

  function adopt(
    message: Extract<PrimaryToWorker, { type: "adopt" }>,
    handle: SocketHandle | undefined,
  ): void {
    const { connectionId } = message;
    primary.send({ type: "accepted", connectionId });
    const nonce = newTag();
    const resume = host.resumeMessage(message, nonce);
    const fail = () => {
      connections.closed(connectionId);
      host.adoptionFailed(message);
    };
    if (handle === undefined) return fail();
    if (resume === undefined) {
      handle.close();
      return connections.closed(connectionId);
    }
    new Adoption(handle, {
      resume,
      nonce,
      timeoutMs: config.resyncTimeoutMs,
      scheduler: systemScheduler,
      onResynced: (transport, heard) => {
        connections.add(connectionId, transport);
        host.adopt(transport, message, heard);
      },
      onFailed: fail,
    });
  }

  async function answerAuthorize({
    requestId,
    request,
  }: Extract<PrimaryToWorker, { type: "authorize" }>): Promise<void> {
    const roomClass = roomClasses.get(request.roomType);
    const result =
      roomClass === undefined
        ? {
            failure: {
              code: "ROOM_TYPE_UNKNOWN" as const,
              message: `There is no room type ${quote(request.roomType)}.`,
            },
          }
        : await authorize(roomClass, request, log);
    primary.send({ type: "authorized", requestId, result });
  }

  async function drain(): Promise<void> {
    log.info({ rooms: host.roomCount, clients: host.clientCount }, "draining");
    await host.drain();
    ticks.stop();
    await connections.allClosed();
    onDrained();
    primary.send({ type: "drained" });
  }

  startHeartbeat(systemScheduler, primary, () => ({
    rooms: host.roomCount,
    clients: host.clientCount,
    tickLoad: load.take(),
    roomsUnrecorded: services.journals.failed.size,
  }));
  primary.onMessage(onMessage);
  primary.send({
    type: "ready",
    roomTypes: [...roomClasses].map(([name, roomClass]) => describeType(name, roomClass)),
  });
  if (!rehearses) return;
  await rehearse({
    dataDirectory: config.dataDirectory,
    roomClasses,
    codeVersion: CODE_VERSION,
    now: () => systemScheduler.now(),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    isOver: () => host.roomCount > 0,
  });
}

/** @returns gives the share of the time since its last call in which this process' event loop was not idle */
function eventLoopUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** A number that nobody can guess, of 32 bits: each client message that repeats one is looked for among few bytes. */
function newTag(): number {
  return randomInt(2 ** 32);
}

function describeType(name: string, roomClass: RoomClass): RoomTypeInfo {
  const { maxClients, maxMatched = maxClients, filterBy, autoDispose, durability } = roomClass;
  return {
    name,
    maxClients,
    maxMatched,
    filterBy,
    autoDispose,
    durability: durability as Durability,
    hasAuth: roomClass.onAuth !== undefined,
  };
}
