/**
 * Every size, count and duration the server is bound by, with its unit in its name, and the relations between them
 * asserted at start. What an operator may change is in config.ts; what is here is part of the design.
 */
import assert from "node:assert/strict";

export const LIMITS = {
  /**
   * Connections that the system takes while the primary is busy; the system has a limit of its own for it
   * (net.core.somaxconn, 4,096 on Linux). A client beyond it waits a second for its next attempt.
   */
  listenBacklog: 4_096,
  // One connection.
  /** Largest WebSocket message a client may send. */
  messageBytesMax: 16 * 1024,
  /** Fragments one message may come in. */
  messageFragmentsMax: 16,
  /** Pieces of a message, as they come from the network, that wait for the rest of it. */
  messageChunksMax: 1_024,
  /** Pongs waiting for a client that pings and does not read. */
  pendingPongsMax: 8,
  /** Of a name that a client made up, in an error. */
  quotedCharactersMax: 40,
  /** Token bucket of a connection: sustained and burst. */
  messagesPerSecond: 120,
  messagesBurst: 240,
  bytesPerSecond: 64 * 1024,
  bytesBurst: 128 * 1024,
  /** And so much is taken from it for messages to come, which may be used behind a burst. */
  messagesPaidAhead: 15,
  bytesPaidAhead: 1024,
  /** What a client that has come back may send again on top of that: as much as it keeps. */
  resendMessagesMax: 1_024,
  resendBytesMax: 256 * 1024,
  /** A client that has not read for this long, so that updates could not be sent, is closed with SLOW_CLIENT. */
  unreadMs: 15_000,
  /** A connection that sends nothing at all for this long is closed; clients ping far more often. */
  clientSilenceMs: 30_000,
  /** How often connections are looked at for silence. */
  silenceCheckMs: 5_000,
  /** Time for a closing handshake before the socket is destroyed. */
  closeTimeoutMs: 2_000,

  // One session.
  /** Events kept for a client until it acknowledges them. */
  outboxEventsMax: 4_096,
  outboxBytesMax: 512 * 1024,
  /** Bytes of user data `onAuth` may return, encoded. */
  authBytesMax: 16 * 1024,
  /** Longest time a room may keep a dropped client's seat. */
  reconnectMsMax: 10 * 60_000,

  // One room.
  /** Events waiting for a room's next step; when it is full the sender's connection is closed. */
  roomQueueEventsMax: 8_192,
  /** Messages of one client applied in one tick; the rest waits for the next. */
  messagesPerClientPerTickMax: 32,
  roomClientsMax: 1_024,
  roomTimersMax: 4_096,
  roomEffectsMax: 256,
  metadataBytesMax: 4 * 1024,
  /** Time that effects still under way get when their room ends. */
  disposeEffectsMs: 5_000,

  /** A checkpoint is written when the steps since the last one took this long: somewhat less than a replay may cost. */
  checkpointStepMs: 8,
  /** With durability "checkpoint": how far a room may be set back when its worker dies. */
  checkpointIntervalMs: 1_000,

  /** For so long a worker that replaces another replays the rooms of others, in turns of so long. */
  rehearsalMs: 500,
  rehearsalTurnMs: 5,

  // Joining.
  /** The whole head of an HTTP request. */
  httpHeadMs: 5_000,
  httpHeadBytesMax: 16 * 1024,
  httpBodyBytesMax: 16 * 1024,
  /** How often the deadlines of requests are looked at. */
  httpCheckMs: 1_000,
  httpKeepAliveMs: 5_000,
  /** Connections that speak HTTP; WebSockets are counted apart. */
  httpConnectionsMax: 8_192,
  /** From the upgrade (or the request) to a seat; includes onAuth and creating the room. */
  joinDeadlineMs: 5_000,
  /** How long a ticket can be redeemed. */
  ticketTtlMs: 15_000,
  /** Joins under way in the primary at once; above it joins are refused with SERVER_BUSY. */
  joinsPendingMax: 4_096,
  /** Socket handles sent to one worker and not yet acknowledged. */
  handoffWindow: 8,
  /** The same of sockets that have outlived their worker: while they wait, their clients do. */
  adoptionWindow: 32,
  /** While a worker waits for so many clients of rooms that it has taken over, ticks wait for so long at most. */
  survivorsMany: 64,
  survivorsTickWaitMs: 250,
  /** What is thrown away of a client's stream at most until its RESYNC: more than it may send in that time. */
  resyncBytesMax: 512 * 1024,
  /** Handles of new connections waiting for that window, per worker. */
  handoffQueueMax: 2_048,

  // Supervision.
  heartbeatMs: 250,
  /** After a kill from outside, when other workers are there to take up the rooms. */
  replaceAfterMs: 1_000,
  /** From a worker that is ready to the first room that moves to it: until then it rehearses. */
  rebalanceAfterMs: 500,
  /** From a round of moves in which some rooms could not leave to the next. */
  rebalanceAgainMs: 4_000,
  /** How long a shutdown waits for a room that is between two workers. */
  moveMs: 1_000,
  restartBackoffMinMs: 100,
  restartBackoffMaxMs: 10_000,
  /** More than this many deaths within the window fails /readyz. */
  restartIntensityDeaths: 5,
  restartIntensityWindowMs: 60_000,
  /** Workers beside the others at once, each for one room that has crashed its worker. */
  isolatedWorkersMax: 4,
  /** Starts in a row that never became ready, with no other worker alive: the primary gives up. */
  startFailuresMax: 5,
  /** A worker that is not ready by then is killed. */
  workerStartMs: 20_000,
  /** Of each half of a worker's young heap, in MiB. */
  workerSemiSpaceMb: 8,
} as const;

/** Called by serve() once: a bad relation is a bug in this file. */
export function assertLimits(): void {
  assert(LIMITS.unreadMs <= LIMITS.clientSilenceMs, "who does not read is told apart from who says nothing");
  assert(LIMITS.messageBytesMax <= LIMITS.bytesBurst, "the largest message must fit the byte bucket");
  assert(LIMITS.joinDeadlineMs <= LIMITS.ticketTtlMs, "a ticket outlives the join that made it");
  assert(LIMITS.rehearsalMs <= LIMITS.rebalanceAfterMs, "a worker has rehearsed before it takes rooms");
  assert(LIMITS.heartbeatMs * 4 <= LIMITS.workerStartMs, "several heartbeats fit into a start");
}
