/**
 * The events a room's code runs in answer to, and what comes of them. Every event goes through
 * `HostedRoom.#step`, which writes it down before it is applied; every output leaves after.
 */
import type { Ack } from "../../shared/protocol/wire.ts";
import type { StateChange } from "../../shared/schema/index.ts";
import type { Client } from "./client.ts";
import type { PendingEffect } from "./effects.ts";

export type RoomEvent =
  | {
      readonly type: "created";
      readonly options: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: "joined";
      readonly sessionId: string;
      readonly options: Readonly<Record<string, unknown>>;
      /** What `static onAuth` returned. */
      readonly auth: unknown;
    }
  | {
      readonly type: "message";
      readonly sessionId: string;
      readonly seq: number;
      /** Name, or index into the room's message names. */
      readonly message: number | string;
      readonly payload: unknown;
    }
  | { readonly type: "tick"; readonly dtMs: number }
  | { readonly type: "timer"; readonly timerId: number }
  | { readonly type: "dropped"; readonly sessionId: string }
  | {
      readonly type: "returned";
      readonly sessionId: string;
      /** Of the resume token it came back with; 0: with its ticket, or its connection has outlived its owner. */
      readonly tokenGeneration: number;
    }
  | {
      readonly type: "left";
      readonly sessionId: string;
      readonly consented: boolean;
    }
  | {
      readonly type: "effect";
      readonly key: string;
      readonly result: { readonly value: unknown } | { readonly error: string };
    }
  | { readonly type: "shutdown" }
  | { readonly type: "dispose" };

/** A message for clients: encoded once, whoever it goes to. */
export type Emission = {
  readonly part: Uint8Array;
  /** Whom it goes to; undefined: everybody with a seat at that time. */
  readonly to: ReadonlySet<Client> | undefined;
};

export type Arrival = {
  readonly client: Client;
  /** Index of the first emission that is for it: what was broadcast before it joined is not. */
  readonly emissionsFrom: number;
  /** Of the resume token it came with; 0: it came with its ticket, or its connection has outlived its owner. */
  readonly tokenGeneration: number;
};

/** What one step has brought about. */
export type StepResult = {
  readonly change: StateChange;
  readonly emissions: readonly Emission[];
  /** Clients of whom messages were applied, with the last one's sequence. */
  readonly acks: readonly Ack[];
  /** None of them is more than `ACK_ADVANCE_MAX` above the client's last. */
  readonly acksAreNear: boolean;
  /** Clients who took their seat, or came back to it, in this step: they get the whole state. */
  readonly arrived: readonly Arrival[];
  /** Clients who were dropped, with how long their seat is kept. */
  readonly dropped: readonly {
    readonly client: Client;
    readonly reconnectMs: number;
  }[];
  readonly left: readonly Client[];
  /** Clients whom the room told to leave: to be closed, and to come back as `left`. */
  readonly kicked: readonly Client[];
  readonly effects: readonly PendingEffect[];
  readonly listingChanged: boolean;
  /** The room asked to end. */
  readonly disconnected: boolean;
};

/** A room's own code failed: the room ends, its neighbours go on. */
export class RoomFailure extends Error {
  readonly event: RoomEvent["type"] | "migrate";

  constructor(event: RoomEvent["type"] | "migrate", cause: unknown) {
    super(`the room failed in "${event}"`, { cause });
    this.name = "RoomFailure";
    this.event = event;
  }
}
