/**
 * Every message between the primary and its workers, in one place. Both are discriminated unions on `type`; who
 * handles them switches exhaustively. Buffers travel as they are (advanced serialization), socket handles beside
 * the message.
 */
import type { ErrorCode } from "../../shared/errors.ts";

export type Durability = "journal" | "checkpoint" | "none";

/** What the primary must know of a room type. Workers load the author's code and report it; the primary never does. */
export type RoomTypeInfo = {
  readonly name: string;
  readonly maxClients: number;
  /** Seats up to which joins are matched into a room; the rest is for those who know its id or code. */
  readonly maxMatched: number;
  /** Names of the options that must be equal for a client to be matched into a room. */
  readonly filterBy: readonly string[];
  /** The type has a `static onAuth`, to be asked before a seat commits. */
  readonly hasAuth: boolean;
  /** "none": the room dies with its worker. The others survive it, "checkpoint" as it was a moment before. */
  readonly durability: Durability;
  /** The primary disposes of a room as soon as it has no seat left, reserved ones included. */
  readonly autoDispose: boolean;
};

/** What a worker needs to answer a WebSocket handshake whose head the primary has read and checked. */
export type UpgradeHead = {
  /** Sec-WebSocket-Key. */
  readonly key: string;
  /** Bytes that came after the head. */
  readonly rest: Uint8Array;
  /** From the client's offer: hash of the schema it has, and how many events of the session. */
  readonly schemaHash: string | undefined;
  readonly eventsReceived: number;
};

/** Who comes with a connection. */
export type Passenger =
  | {
      readonly kind: "join";
      readonly options: Readonly<Record<string, unknown>>;
      /** What onAuth returned, encoded; absent when the type has no onAuth. */
      readonly auth: Uint8Array | undefined;
    }
  | { readonly kind: "resume"; readonly resumeToken: string };

/** What `onAuth` gets to know of the request; no headers that carry secrets. */
export type AuthRequest = {
  readonly roomType: string;
  readonly token: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly address: string;
  readonly origin: string | undefined;
};

/** Of a room that nobody has run before. */
export const FIRST_EPOCH = 1;

export type CreateRoom = {
  readonly roomId: string;
  readonly roomType: string;
  readonly code: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Seed of the room's random generator. */
  readonly seed: number;
  /** Grows by one each time another worker takes the room over. From the second on, the room is in its journal. */
  readonly epoch: number;
};

export type PrimaryToWorker =
  | ({
      readonly type: "create-room";
      /** Sessions whose sockets have outlived the room's last owner: for each there follows an `adopt`. */
      readonly survivors: readonly string[];
    } & CreateRoom)
  | {
      readonly type: "authorize";
      readonly requestId: number;
      readonly request: AuthRequest;
    }
  /** Comes with a socket handle. Answered by `accepted`, then by `session-joined` or `session-left`. */
  | {
      readonly type: "accept";
      readonly connectionId: number;
      readonly roomId: string;
      readonly sessionId: string;
      readonly upgrade: UpgradeHead;
      readonly passenger: Passenger;
    }
  /** Comes with the handle of a socket that has outlived its worker, after `create-room`. Answered by `accepted`. */
  | {
      readonly type: "adopt";
      readonly connectionId: number;
      readonly roomId: string;
      readonly sessionId: string;
    }
  /** Nobody holds a seat any more (only the primary knows). Answered by `room-disposed`. */
  | { readonly type: "dispose-room"; readonly roomId: string }
  /**
   * The room is to go on at another worker. Answered by `room-released`, or by `room-created` if it cannot leave now; a
   * room that ends before says only that.
   */
  | { readonly type: "release-room"; readonly roomId: string }
  /** No new rooms or joins; rooms are told, sockets closed with SERVER_SHUTTING_DOWN, then `drained`. */
  | { readonly type: "drain" };

/** A failure that crosses a process boundary. */
export type Failure = { readonly code: ErrorCode; readonly message: string };

export type WorkerStats = {
  readonly rooms: number;
  readonly clients: number;
  /** Share of one core that room steps took since the last heartbeat, 0..1. */
  readonly tickLoad: number;
  readonly eventLoopDelayMs: number;
  /** Rooms whose journal cannot be written at present: a death would lose them. */
  readonly roomsUnrecorded: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** User and system CPU time of the process since its start. */
  readonly cpuMs: number;
};

export type WorkerToPrimary =
  | { readonly type: "ready"; readonly roomTypes: readonly RoomTypeInfo[] }
  | { readonly type: "heartbeat"; readonly stats: WorkerStats }
  | {
      readonly type: "room-created";
      readonly roomId: string;
      readonly failure: Failure | undefined;
      /** Who has a seat in it: nobody in a new room, those its journal knows in one that was taken over. */
      readonly sessionIds: readonly string[];
    }
  | {
      readonly type: "room-updated";
      readonly roomId: string;
      readonly locked: boolean;
      readonly isPrivate: boolean;
      readonly autoDispose: boolean;
      readonly metadata: unknown;
    }
  /** The room has ended, by itself, by an error or because it was told to. */
  | { readonly type: "room-disposed"; readonly roomId: string }
  /** The room stands in its journal, and nothing more comes of it here. Another worker can take it over. */
  | {
      readonly type: "room-released";
      readonly roomId: string;
      /** Connections that can go with it. The worker has let go of them, and they are open. */
      readonly connectionIds: readonly number[];
    }
  | {
      readonly type: "authorized";
      readonly requestId: number;
      readonly result: { readonly auth: Uint8Array } | { readonly failure: Failure };
    }
  /** The handle has arrived: the primary may send the next, and retains its copy or closes it. */
  | { readonly type: "accepted"; readonly connectionId: number }
  /** Connections that were accepted or adopted and are no more: the primary closes its copies. */
  | { readonly type: "connections-closed"; readonly connectionIds: readonly number[] }
  | {
      readonly type: "session-joined";
      readonly roomId: string;
      readonly sessionId: string;
    }
  /** The seat is free again, whether the session ever joined or not. Idempotent. */
  | {
      readonly type: "session-left";
      readonly roomId: string;
      readonly sessionId: string;
    }
  | { readonly type: "drained" };
