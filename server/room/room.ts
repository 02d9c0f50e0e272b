/**
 * What a game author writes: a class that extends `Room`. Its hooks are synchronous and run one at a time, only in
 * answer to events (created, joined, message, tick, ...), so a room is a function of its events alone. Time,
 * randomness and timers therefore come from the room, and anything asynchronous is an effect.
 */
import type { EntitySchema, Live, PlainEntity } from "../../shared/schema/index.ts";
import type { Client, ClientList } from "./client.ts";
import type { AnyEffect } from "./effects.ts";
import type { MessageDefinition } from "./messages.ts";
import type { RoomApi } from "./room-runtime.ts";
import type { AnyTimer } from "./timers.ts";

/** What `static onAuth` gets to know of who joins. */
export type AuthContext = {
  readonly roomType: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Address of the client, behind trusted proxies the one they name. */
  readonly address: string;
  readonly origin: string | undefined;
  /** Aborts when the join's deadline passes. */
  readonly signal: AbortSignal;
};

/** A room's time. It stands still while the room is down. */
export type RoomClock = {
  /** Milliseconds since the room was created. */
  readonly nowMs: number;
  /** Number of the current tick; 0 before the first. */
  readonly tick: number;
};

/** Options of a join or a creation, as the client sent them: not to be trusted before they are checked. */
export type JoinOptions = Readonly<Record<string, unknown>>;

/** What `migrate` gets to know of the room as it was saved. */
export type SavedByOtherCode = {
  /** Version of the server's package then. */
  readonly codeVersion: string;
  /** The whole state under its old names: maps as Maps, lists as arrays, a ref as the key of its entity. */
  readonly state: PlainEntity;
};

/** A line of the room's log: an object of fields and a sentence. */
export type RoomLog = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
};

/** Set while a room is constructed, so that field initialisers of the author's class can already use `this.state`. */
let apiUnderConstruction: RoomApi | undefined;

/** @internal For RoomRuntime: runs `construct` with `api` as what the constructed room belongs to. */
export function constructRoom<T>(api: RoomApi, construct: () => T): T {
  const outer = apiUnderConstruction;
  apiUnderConstruction = api;
  try {
    return construct();
  } finally {
    apiUnderConstruction = outer;
  }
}

/**
 * Base class of all rooms.
 *
 * @typeParam S schema of the replicated state, as `typeof MyState`
 * @typeParam Data type of `this.data`, the server-only state
 */
export abstract class Room<S extends EntitySchema = EntitySchema, Data = unknown> {
  /** Schema of the replicated state; a room without one replicates nothing. */
  static readonly state?: EntitySchema;
  /** Ticks per second, 1 to 120; 0: no ticks, messages are applied on arrival. */
  static readonly tickRate: number = 0;
  /**
   * In a room without ticks: what comes in within so many milliseconds is applied at once and sent together, in one
   * message per client. 0: whatever comes in together.
   */
  static readonly flushMs: number = 0;
  /** Seats. */
  static readonly maxClients: number = 16;
  /** Seats up to which `joinOrCreate` and `join` choose a room, all by default; the rest is for joins by id or code. */
  static readonly maxMatched?: number;
  /** Names of options that must be equal for `joinOrCreate` and `join` to choose a room. */
  static readonly filterBy: readonly string[] = [];
  /** Whether the room ends when its last seat is given back. */
  static readonly autoDispose: boolean = true;
  /**
   * "journal": every event is written down before it is applied, and the room goes on in another worker when its own
   * dies. It must then be a function of its events. "checkpoint": it is saved every second, and goes on from there, which
   * its players see as a step back; anything may happen in it that `state`, `data` and `save` hold (`Math.random`, a
   * physics engine). "none": it is lost with its worker.
   */
  static readonly durability: string = "journal";
  /** With durability "journal": whether the whole journal is kept while the room lives, so that it can be replayed from its first step. */
  static readonly record: boolean = false;
  /** How long a dropped client's seat is kept, in milliseconds, unless `onDrop` says otherwise. */
  static readonly reconnectMs: number = 15_000;

  readonly #api: RoomApi;
  /** Server-only state; set it in `onCreate` or as a field. Plain data. */
  data!: Data;
  /** What clients may send, by name. Read once, when the room has been constructed. */
  messages: Readonly<Record<string, MessageDefinition>> = {};
  /** What happens later in room time, by name. */
  timers: Readonly<Record<string, AnyTimer>> = {};
  /** What happens outside the room (databases, HTTP), by name. */
  effects: Readonly<Record<string, AnyEffect>> = {};

  constructor() {
    if (apiUnderConstruction === undefined) {
      throw new Error("Rooms are created by the server, not with `new`: pass the class to serve({ rooms }).");
    }
    this.#api = apiUnderConstruction;
  }

  /** The room exists; `options` are those of the join that created it. */
  onCreate?(options: JoinOptions): void;
  /** A client has taken its seat. To refuse one, use `static onAuth`, or `client.leave()` here. */
  onJoin?(client: Client<never>, options: JoinOptions): void;
  /** A client's connection broke; its seat is kept (see `allowReconnection`). */
  onDrop?(client: Client<never>): void;
  /** A dropped client is back in its seat. */
  onReconnect?(client: Client<never>): void;
  /** A client has left for good. */
  onLeave?(client: Client<never>, consented: boolean): void;
  /** One step of the simulation, `dtMs` milliseconds after the last. */
  onTick?(dtMs: number): void;
  /** The server is shutting down: last words to the clients. */
  onShutdown?(): void;
  /** What `data` cannot hold, such as a physics world in WebAssembly, as bytes: part of every checkpoint. */
  save?(): Uint8Array;
  /** Takes up what `save` returned, after `state` and `data` are there again. */
  restore?(bytes: Uint8Array): void;
  /**
   * Runs once in a room that another version of the code has saved, after `state`, `data` and what `restore` takes up are
   * there: puts right what has changed meanwhile. Of the state all is there that has the same name and fits its type;
   * the rest has its defaults. `data` is as it was.
   */
  migrate?(from: SavedByOtherCode): void;
  /** The room is over; the last hook that runs. */
  onDispose?(): void;

  get roomId(): string {
    return this.#api.roomId;
  }

  /** Short code by which clients join this room (`joinByCode`). */
  get code(): string {
    return this.#api.code;
  }

  /** The replicated state. */
  get state(): Live<S> {
    return this.#api.state as Live<S>;
  }

  /** Everybody with a seat, dropped clients included. */
  get clients(): ClientList {
    return this.#api.clients;
  }

  get clock(): RoomClock {
    return this.#api.clock;
  }

  get log(): RoomLog {
    return this.#api.log;
  }

  /** @returns the next number of the room's seeded generator, at least 0 and below 1 */
  random(): number {
    return this.#api.random();
  }

  /**
   * Sends a message to every client.
   *
   * @param options.except a client, or several, that shall not get it
   */
  broadcast(
    type: string,
    payload?: unknown,
    options?: { readonly except?: Client | Iterable<Client> },
  ): void {
    this.#api.broadcast(type, payload, options?.except);
  }

  /** Nobody can join any more, not even by id. */
  lock(): void {
    this.#api.setListing({ locked: true });
  }

  unlock(): void {
    this.#api.setListing({ locked: false });
  }

  get locked(): boolean {
    return this.#api.listing.locked;
  }

  /** A private room is not listed and not matched; who knows its id or code can join. */
  setPrivate(isPrivate = true): void {
    this.#api.setListing({ isPrivate });
  }

  /** What `GET /rooms` says of this room; plain data of a few hundred bytes. Assign a new value to change it. */
  get metadata(): unknown {
    return this.#api.listing.metadata;
  }

  set metadata(metadata: unknown) {
    this.#api.setListing({ metadata });
  }

  /** Overrides `static autoDispose` for this room. */
  get autoDispose(): boolean {
    return this.#api.listing.autoDispose;
  }

  set autoDispose(autoDispose: boolean) {
    this.#api.setListing({ autoDispose });
  }

  /**
   * In `onDrop`: for how long the client's seat is kept.
   *
   * @param milliseconds 0 lets the client leave at once
   */
  allowReconnection(client: Client, milliseconds: number): void {
    this.#api.allowReconnection(client, milliseconds);
  }

  /** Ends the room after this step: all clients are closed with ROOM_CLOSED, then `onDispose` runs. */
  disconnect(): void {
    this.#api.disconnect();
  }
}
