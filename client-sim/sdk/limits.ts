/**
 * Every duration, size and count the client is bound by, with its unit in its name. The server has limits of its own;
 * those named here as its counterparts must stay below them.
 */
export const CLIENT_LIMITS = {
  // Joining.
  /** Overall: from the call to the first state, retries included. */
  joinDeadlineMs: 15_000,
  joinAttemptsMax: 5,
  /** One HTTP request. */
  requestMs: 10_000,

  // Coming back.
  /** Bounds of the backoff between attempts; the actual delay is drawn between 0 and the bound. */
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
  /** A connection that lasted this long starts the backoff over. */
  stableMs: 10_000,
  /** Added to the time for which the server keeps the seat, since it sees the loss later than the client may. */
  resumeGraceMs: 5_000,
  /** How long to look for a new room after the session has ended. */
  rejoinMs: 60_000,

  // One connection.
  pingMs: 2_000,
  /** Pings at the start of a connection, for the clock. */
  burstPings: 8,
  burstPingMs: 100,
  /** The same when another owner of the room has taken the connection over: it has many to answer then. */
  movedBurstPingMs: 400,
  /** A server that says nothing for so long is lost; it answers each ping. */
  silenceMs: 10_000,
  /** How long a server may take to answer LEAVE. */
  leaveMs: 2_000,

  // Messages.
  /** The server closes a connection that sends larger ones. */
  messageBytesMax: 16 * 1024,
  /** Sent and not yet acknowledged by the server; a full outbox refuses to send. */
  outboxMessagesMax: 1_024,
  outboxBytesMax: 256 * 1024,
  /** Events received and not acknowledged for so long are acknowledged on their own. */
  ackMs: 1_000,
  /** Or as soon as there are so many: half of what the server keeps for a session. */
  ackEvents: 2_048,
  ackBytes: 256 * 1024,

  // Prediction.
  /** Inputs ahead of the server: at 60 a second for some 4 s. Then the player stands still until the server answers. */
  predictedInputsMax: 256,
  /** Within this time what is drawn moves over to a corrected prediction. */
  correctionMs: 100,
} as const;
