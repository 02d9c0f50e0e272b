/**
 * What travels on a WebSocket between client and worker, as types. PROTOCOL.md is the specification; rule numbers
 * in comments refer to it. The codec is in codec.ts.
 */
import type { SchemaDescriptor } from "../schema/descriptor.ts";

/** The subprotocol a client offers and the server chooses. */
export const SUBPROTOCOL = "rookery.v1";
export const PROTOCOL_VERSION = 1;

/** Of the tag that ends every server message. */
export const TRAILER_BYTES = 4;

/** First element of every server-to-client value. */
export const ServerMessage = {
  WELCOME: 0,
  STATE: 1,
  SNAPSHOT: 2,
  EVENT: 3,
  PONG: 4,
  OWN: 5,
  RESUME: 6,
  SAVED: 7,
} as const;
/** First element of every client-to-server value. */
export const ClientMessage = { MESSAGE: 0, PING: 1, LEAVE: 2, ACK: 3, RESYNC: 4 } as const;

/** Everything a client must know to play, sent first on every connection. */
export type Welcome = {
  readonly roomId: string;
  readonly roomType: string;
  /** Short code by which others join this room. */
  readonly code: string;
  readonly sessionId: string;
  /** The client's number in the acknowledgement tables of STATE and SNAPSHOT. */
  readonly slot: number;
  /** True when this connection continues a session that was live before. */
  readonly resumed: boolean;
  /** Secret; opens this session on a new connection, which brings a new one. */
  readonly resumeToken: string;
  /** For how long after a lost connection the server keeps the seat, unless the room decides otherwise. */
  readonly reconnectMs: number;
  /** Grows by one each time another owner takes the room over. */
  readonly epoch: number;
  /** Number of the worker that runs the room, from 0: for people who want to see where they play. */
  readonly worker: number;
  /** The trailer of every message of this room and epoch. */
  readonly tag: number;
  /** Ticks per second; 0 for a room without ticks. */
  readonly tickRate: number;
  /** Number of the next EVENT on this connection; events are counted, not numbered on the wire. */
  readonly nextEvent: number;
  /** Sequence of the last client message applied (0: none); up to it, messages may be forgotten. */
  readonly ack: number;
  /** What STATE acknowledges is part of the state, but may be forgotten only when SAVED comes [A6]. */
  readonly savesLater: boolean;
  /** The last epoch that began with the room set back to an earlier moment [R6]; 0: none. */
  readonly stepBackEpoch: number;
  /** Names of the room's messages; a client may send an index into this list instead of the name. */
  readonly messages: readonly string[];
  readonly schemaHash: string;
  /** Null when the client offered the same `schema.<hash>`. */
  readonly schema: SchemaDescriptor | null;
};

/** One row of an acknowledgement table: the last message of a client's that is part of this state. */
export type Ack = { readonly slot: number; readonly seq: number };
/** A client who has the last state knows its acknowledgement up to here: one byte of it is enough to tell a later one. */
export const ACK_ADVANCE_MAX = 127;

export type ServerValue =
  | readonly [type: typeof ServerMessage.WELCOME, version: number, welcome: Welcome]
  | readonly [
      type: typeof ServerMessage.STATE | typeof ServerMessage.SNAPSHOT,
      tick: number,
      roomTimeMs: number,
      acks: Uint8Array,
      patch: Uint8Array,
    ]
  | readonly [type: typeof ServerMessage.EVENT, name: string, payload: unknown]
  | readonly [type: typeof ServerMessage.PONG, clientTimeMs: number, roomTimeMs: number]
  | readonly [type: typeof ServerMessage.OWN, patch: Uint8Array]
  | readonly [type: typeof ServerMessage.RESUME, nonce: number, tag: number, ack: number]
  | readonly [type: typeof ServerMessage.SAVED];

export type ClientValue =
  | readonly [
      type: typeof ClientMessage.MESSAGE,
      seq: number,
      eventsReceived: number,
      message: number | string,
      payload: unknown,
    ]
  | readonly [type: typeof ClientMessage.PING, clientTimeMs: number, eventsReceived: number]
  | readonly [type: typeof ClientMessage.LEAVE]
  | readonly [type: typeof ClientMessage.ACK, eventsReceived: number]
  | Resync;

/** `schemaHash` is empty when the client has no schema. */
export type Resync = readonly [
  type: typeof ClientMessage.RESYNC,
  nonce: number,
  eventsReceived: number,
  schemaHash: string,
];

/** How a client says what it wants when it joins, over HTTP or in the handshake. */
export const JOIN_MODES = ["joinOrCreate", "create", "join", "joinById", "joinByCode"] as const;
export type JoinMode = (typeof JOIN_MODES)[number];

/** Body of POST /join/<type>. */
export type JoinRequest = {
  readonly mode?: JoinMode;
  readonly options?: Record<string, unknown>;
  readonly roomId?: string;
  readonly code?: string;
};

/** Answer to POST /join/<type>. */
export type JoinAnswer = {
  readonly ticket: string;
  readonly roomId: string;
  readonly sessionId: string;
  /** WebSocket address to redeem the ticket at. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
};

/** One row of GET /rooms. */
export type RoomListing = {
  readonly roomId: string;
  readonly type: string;
  readonly clients: number;
  readonly maxClients: number;
  readonly locked: boolean;
  readonly metadata: unknown;
};
