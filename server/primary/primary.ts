/**
 * The primary: composition root of everything that is there once. It owns the public port, the room directory, the
 * seats and the supervision of workers. It never sees a game message and never runs an author's code.
 */
import { randomInt } from "node:crypto";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { RookeryError } from "../../shared/errors.ts";
import { TokenBucket } from "../../shared/protocol/token-bucket.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol/wire.ts";
import { systemScheduler } from "../../shared/time.ts";
import type { Config } from "../config.ts";
import { clientDescriptors } from "../descriptor-limit.ts";
import type { SocketHandle } from "../ipc/channel.ts";
import type { WorkerToPrimary } from "../ipc/messages.ts";
import { listRooms, openDataDirectory, quarantineRoom, removeRoomFiles } from "../journal/data-directory.ts";
import { systemProbe } from "../journal/lease.ts";
import { takeMark } from "../journal/step-mark.ts";
import { LIMITS } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { ConnectionCounts } from "./connection-counts.ts";
import { type Accept, Handoff } from "./handoff.ts";
import { createHttpServer } from "./http.ts";
import { type JoinCall, Matchmaker } from "./matchmaker.ts";
import { Pages } from "./pages.ts";
import { randomIds } from "./random-ids.ts";
import { RetainedSockets } from "./retained-sockets.ts";
import { LeastLoadSelector } from "./selector/least-load.ts";
import { Supervisor } from "./supervisor.ts";
import { Tickets } from "./tickets.ts";
import { Upgrades } from "./upgrade.ts";
import type { WorkerEvents, WorkerPort } from "./worker-process.ts";
import type { Death } from "./worker-slot.ts";

const PAGES_DIRECTORY = fileURLToPath(new URL("../../client-sim/web/dist", import.meta.url));

export type Primary = {
  readonly port: number;
  /** Tells rooms and clients, ends the workers, closes the port. */
  drain(): Promise<void>;
};

/** What the kernel sends a process for its own doing. A SIGKILL from outside is not the room's. */
const CRASH_SIGNALS: ReadonlySet<string> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGTRAP",
]);

function isCrash({ code, signal, wasSilent }: Death): boolean {
  if (wasSilent) return true;
  return signal === null ? code !== null && code !== 0 : CRASH_SIGNALS.has(signal);
}

export type PrimaryOptions = {
  readonly config: Config;
  readonly log: Logger;
  readonly startWorker: (slot: number, rehearses: boolean, events: WorkerEvents) => WorkerPort;
  /** No worker can be started. */
  readonly onGiveUp: () => void;
};

/** @throws DataDirectoryInUse, and what listening fails with, such as EADDRINUSE */
export async function startPrimary({ config, log, startWorker, onGiveUp }: PrimaryOptions): Promise<Primary> {
  const lease = openDataDirectory({
    directory: config.dataDirectory,
    scheduler: systemScheduler,
    probe: systemProbe,
    onLost: (error) => {
      log.fatal({ err: error }, "DATA_DIR was taken over by another server");
      onGiveUp();
    },
  });
  forgetEarlierRooms(config.dataDirectory, log);
  const ports = new Map<number, { readonly port: WorkerPort; readonly handoff: Handoff }>();
  const maxClients = Math.min(config.maxClients, clientDescriptors());
  if (maxClients < config.maxClients) {
    log.warn(
      { maxClients, configured: config.maxClients },
      "MAX_CLIENTS is above the limit of open files (ulimit -n)",
    );
  }
  const connections = new ConnectionCounts({
    total: maxClients,
    perAddress: config.maxConnectionsPerAddress,
  });
  const sockets = new RetainedSockets();
  const tickets = new Tickets(config.ticketSecret, Date.now);
  const joins = new TokenBucket({ perSecond: config.joinsPerSecond, burst: config.joinsPerSecond });
  const startedAtMs = Date.now();
  let isDraining = false;

  const supervisor = new Supervisor({
    workers: Math.max(1, config.workers),
    scheduler: systemScheduler,
    random: Math.random,
    hangTimeoutMs: config.hangTimeoutMs,
    drainTimeoutMs: config.drainTimeoutMs,
    fork: (slot, rehearses) => {
      const port = startWorker(slot, rehearses, events);
      const handoff = new Handoff(port, ({ connectionId, roomId, sessionId }, handle) => {
        if (!port.leavesCopies) return;
        if (config.retainSockets) sockets.retain({ connectionId, roomId, sessionId, handle });
        else handle.close();
      });
      ports.set(port.id, { port, handoff });
      return port;
    },
    onReady: (workerId, roomTypes) => {
      log.info({ workerId, workerPid: ports.get(workerId)?.port.pid }, "worker ready");
      matchmaker.onWorkerReady(workerId, roomTypes);
    },
    onEnding: (workerId) => matchmaker.onWorkerEnding(workerId),
    onLost: (workerId, death) => {
      const pid = ports.get(workerId)?.port.pid;
      const untaken = ports.get(workerId)?.handoff.lost() ?? [];
      ports.delete(workerId);
      const steppedRoomId = pid === undefined ? undefined : takeMark(config.dataDirectory, pid);
      matchmaker.onWorkerLost(workerId, isCrash(death) ? steppedRoomId : undefined);
      for (const { message, handle } of untaken) notTaken(message, handle);
      // Those of rooms that go on have been passed on, or wait for a worker.
      for (const connectionId of connections.ofWorker(workerId)) {
        const roomId = sockets.roomOf(connectionId);
        if (roomId === undefined || !matchmaker.hasRoom(roomId)) connectionClosed(connectionId);
      }
    },
    onGiveUp,
    log,
  });

  const matchmaker = new Matchmaker({
    scheduler: systemScheduler,
    // Nobody shall guess the code of a private room.
    random: () => randomInt(2 ** 32) / 2 ** 32,
    newId: randomIds(),
    wallClock: Date.now,
    selector: new LeastLoadSelector(),
    workers: () => supervisor.ready(),
    onRoomGone: (roomId, how) => {
      if (how === "ended") removeRoomFiles(config.dataDirectory, roomId);
      else keepAside(roomId);
    },
    send: (workerId, message) => ports.get(workerId)?.port.send(message),
    isolate: () => supervisor.isolate(),
    onIdle: (workerId) => supervisor.retire(workerId),
    canMove: ({ roomId, workerId }) => {
      const worker = ports.get(workerId);
      const keepsSockets = config.retainSockets && worker?.port.leavesCopies === true;
      return keepsSockets && !worker.handoff.isPassingTo(roomId);
    },
    survivors: {
      of: (roomId) => sockets.ofRoom(roomId).map(({ sessionId }) => sessionId),
      follow: (roomId, workerId) => {
        for (const { handle, ...socket } of sockets.ofRoom(roomId)) {
          connections.passed(socket.connectionId, workerId);
          ports.get(workerId)?.handoff.passOn({ type: "adopt", ...socket }, handle);
        }
      },
      keepOnly: (roomId, connectionIds) => sockets.keepOnly(roomId, connectionIds),
      close: (roomId) => {
        for (const { connectionId } of sockets.ofRoom(roomId)) connectionClosed(connectionId);
      },
    },
    log,
  });

  const events: WorkerEvents = {
    onMessage,
    onExit: (workerId, code, signal) => supervisor.onExit(workerId, code, signal),
    onDisconnect: (workerId) => supervisor.onDisconnect(workerId),
  };

  function onMessage(workerId: number, message: WorkerToPrimary): void {
    switch (message.type) {
      case "ready":
      case "heartbeat":
      case "drained":
        return supervisor.onMessage(workerId, message);
      case "accepted":
        return ports.get(workerId)?.handoff.accepted(message.connectionId);
      case "connections-closed":
        for (const connectionId of message.connectionIds) connectionClosed(connectionId);
        return;
      case "room-created":
      case "room-updated":
      case "room-disposed":
      case "room-released":
      case "authorized":
      case "session-joined":
      case "session-left":
        return matchmaker.onWorkerMessage(workerId, message);
    }
  }

  /** A worker has died before it took a new connection. */
  function notTaken(message: Accept, handle: SocketHandle): void {
    const { connectionId, passenger } = message;
    connections.passed(connectionId, undefined);
    if (passenger.kind === "resume") return void upgrades.passAgain(message, passenger.resumeToken, handle);
    handle.close();
    connections.closed(connectionId);
  }

  function connectionClosed(connectionId: number): void {
    connections.closed(connectionId);
    sockets.release(connectionId);
  }

  async function join(call: JoinCall) {
    if (!joins.take(1, performance.now())) throw new RookeryError("SERVER_BUSY");
    return await matchmaker.join(call);
  }

  function keepAside(roomId: string): void {
    try {
      quarantineRoom(config.dataDirectory, roomId);
    } catch (error) {
      log.error({ err: error, roomId }, "the files of a room that failed cannot be put aside");
    }
  }

  const isRecording = () => supervisor.ready().every(({ stats }) => (stats?.roomsUnrecorded ?? 0) === 0);
  const isReady = () => !isDraining && supervisor.status().isReady && isRecording();
  const http = createHttpServer({
    config,
    log,
    pages: new Pages(PAGES_DIRECTORY, log),
    join,
    issueTicket: (admission) => tickets.issue(admission),
    rooms: (type) => matchmaker.list(type),
    info,
    isReady,
    killWorkerOf: config.isDevelopment ? killWorkerOf : undefined,
  });
  const upgrades = new Upgrades({
    config,
    log,
    connections,
    join,
    verifyTicket: (ticket) => tickets.verify(ticket),
    whenOpen: (id) => matchmaker.whenOpen(id),
    redeem: ({ roomId, sessionId }) => ({ roomId, sessionId, ...matchmaker.redeem(roomId, sessionId) }),
    resume: (sessionId, resumeToken) => ({
      ...matchmaker.resume(sessionId),
      sessionId,
      passenger: { kind: "resume", resumeToken },
    }),
    pass: (workerId, message, handle) => {
      const isPassed = ports.get(workerId)?.handoff.pass(message, handle) ?? false;
      if (!isPassed && message.passenger.kind === "join")
        matchmaker.handoffFailed(message.roomId, message.sessionId);
      return isPassed;
    },
  });
  http.on("upgrade", (request, socket, head) => void upgrades.onUpgrade(request, socket, head));

  /** What anybody may know of the server: for its start page. */
  function info() {
    const { workers } = supervisor.status();
    return {
      name: "rookery",
      protocol: PROTOCOL_VERSION,
      roomTypes: matchmaker.roomTypes(),
      workers: workers.filter(({ state }) => state === "ready").length,
      clients: connections.total,
      uptimeS: Math.floor((Date.now() - startedAtMs) / 1000),
      isDevelopment: config.isDevelopment,
    };
  }

  /** To see rooms go on without it. @throws RookeryError ROOM_NOT_FOUND, SERVER_BUSY or BAD_REQUEST */
  function killWorkerOf(roomId: string): object {
    if (config.workers === 0) {
      throw new RookeryError("BAD_REQUEST", "With WORKERS=0 there is no worker process to kill.");
    }
    const port = ports.get(matchmaker.workerOf(roomId))?.port;
    if (port === undefined) throw new RookeryError("SERVER_BUSY", "The room is between two workers.");
    log.warn({ roomId, workerId: port.id, workerPid: port.pid }, "worker is killed on request");
    port.kill("SIGKILL");
    return { workerPid: port.pid };
  }

  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen({ port: config.port, host: config.host, backlog: LIMITS.listenBacklog }, resolve);
  });
  const { port } = http.address() as AddressInfo;
  log.info(
    { port, host: config.host, url: `http://localhost:${port}`, workers: config.workers },
    "listening",
  );
  supervisor.start();

  return {
    port,
    drain: async () => {
      isDraining = true;
      log.info({ clients: connections.total }, "shutting down");
      await matchmaker.drain();
      await supervisor.drain();
      http.close();
      http.closeAllConnections();
      lease.release();
      log.info("stopped");
    },
  };
}

/** A primary that died has taken the seats with it: nobody could come back to the rooms it has left. */
function forgetEarlierRooms(dataDirectory: string, log: Logger): void {
  const roomIds = listRooms(dataDirectory);
  for (const roomId of roomIds) removeRoomFiles(dataDirectory, roomId);
  if (roomIds.length > 0) log.warn({ rooms: roomIds.length }, "rooms of an earlier server are gone");
}
