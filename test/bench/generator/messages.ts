/** What the runner and the load generator say to each other, over Node's channel between processes. */

export type Protocol =
  | "rookery"
  | "rookery ticket"
  | "rookery create"
  | "colyseus"
  | "socket.io"
  | "floor"
  | "floor chat";

/** How an input travels: as bytes that only the room understands, or as a text. */
export type InputForm = "bytes" | "text";

export type Load = {
  readonly clients: number;
  readonly inputsPerSecond: number;
  readonly inputBytes: number;
  readonly inputForm?: InputForm;
  /** When clients send: spread evenly over the interval, one after the other (the default), or each at a time of its own. */
  readonly inputTimes?: "even" | "own";
  /**
   * What an update is: a whole message (the default), or what the room's code has sent, of which a message may have
   * several.
   */
  readonly updates?: "messages" | "events";
};

export type JoinRequest = Load & {
  readonly type: "join";
  readonly protocol: Protocol;
  readonly port: number;
  readonly roomType: string;
};

/** Many at once, as fast as they can. */
export type BurstRequest = {
  readonly count: number;
  /** So many are under way at the same time. */
  readonly atOnce: number;
};

export type ToGenerator =
  | JoinRequest
  | { readonly type: "measure"; readonly windowMs: number }
  /** More clients like those that have joined, which send nothing. */
  | ({ readonly type: "join more" } & BurstRequest)
  /** Clients like those that have joined, each of which leaves as soon as it has its seat. */
  | ({ readonly type: "come and go" } & BurstRequest);

export type Joined = {
  /** Undefined when the server does not tell. */
  readonly rooms: number | undefined;
};

/** What all clients together got in the window. */
export type Measured = {
  readonly seconds: number;
  readonly updates: number;
  readonly bytes: number;
  readonly intervalMs: { readonly p50: number; readonly p99: number };
  readonly inputsSent: number;
  /** Inputs that this process was too late for. */
  readonly inputsSkipped: number;
  /** Share of the time that this process was busy: near 1, it is what limits the load. */
  readonly busy: number;
  /** Connections that have ended since the join. */
  readonly lost: number;
};

export type FromGenerator =
  | ({ readonly type: "joined" } & Joined)
  | ({ readonly type: "measured" } & Measured)
  | { readonly type: "done"; readonly seconds: number }
  | { readonly type: "failed"; readonly reason: string };
