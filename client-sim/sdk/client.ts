/**
 * The way into rooms: one `Client` for a server, from which rooms are joined. The same code runs in browsers and in
 * Node.
 */
import type { JoinMode, JoinRequest, RoomListing } from "../../shared/protocol/wire.ts";
import type { EntitySchema } from "../../shared/schema/index.ts";
import { type Scheduler, systemScheduler } from "../../shared/time.ts";
import type { Http } from "./http.ts";
import { type JoinIntent, requestRooms, socketUrl } from "./join-request.ts";
import type { Credential, LinkSetup } from "./link.ts";
import { DelayedSocket, type NetworkConditions } from "./network-conditions.ts";
import { Room } from "./room.ts";
import type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
import type { MessageSchemas, RoomOptions } from "./types.ts";

export type ClientOptions = {
  /** Bearer token, given to the room's `onAuth`. */
  readonly token?: string | undefined;
  /** Default: the platform's. */
  readonly webSocket?: WebSocketConstructor | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly scheduler?: Scheduler | undefined;
  /** From 0 up to 1; spreads retries and jitter. */
  readonly random?: (() => number) | undefined;
  /** Makes the network worse than it is. */
  readonly conditions?: NetworkConditions | undefined;
  /** Join in the WebSocket handshake, without an HTTP request before it. */
  readonly direct?: boolean | undefined;
};

/** What the room's `onCreate` and `onJoin` get. */
export type JoinOptions = Readonly<Record<string, unknown>>;

/** Modes that lead to some room of the type, so that another one will do when the first is lost. */
const REJOINABLE: ReadonlySet<JoinMode> = new Set(["joinOrCreate", "create", "join"]);

export class Client {
  readonly #http: Http;
  readonly #openSocket: (url: string, protocols: string[]) => WebSocketLike;
  readonly #random: () => number;
  readonly #direct: boolean;

  /** @param url of the server, such as `https://play.example.org` */
  constructor(url: string, options: ClientOptions = {}) {
    const { conditions, random = Math.random, scheduler = systemScheduler } = options;
    const WebSocket: WebSocketConstructor = options.webSocket ?? globalThis.WebSocket;
    this.#http = {
      baseUrl: url.replace(/\/+$/, ""),
      token: options.token,
      fetch: options.fetch ?? globalThis.fetch,
      scheduler,
    };
    this.#openSocket = (address, protocols) => {
      const socket = new WebSocket(address, protocols);
      return conditions === undefined ? socket : new DelayedSocket(socket, conditions, scheduler, random);
    };
    this.#random = random;
    this.#direct = options.direct ?? false;
  }

  /**
   * Joins a room of this type, or creates one when none fits. This and the other ways to join resolve when the first
   * state is there, and reject with a RookeryError: what the server refused with, or TIMEOUT when it cannot be reached.
   */
  joinOrCreate<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    roomType: string,
    options: JoinOptions = {},
    roomOptions: RoomOptions<S, M> = {},
  ): Promise<Room<S, M>> {
    return this.#join(roomType, { mode: "joinOrCreate", options }, roomOptions);
  }

  /** Creates a room and joins it. */
  create<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    roomType: string,
    options: JoinOptions = {},
    roomOptions: RoomOptions<S, M> = {},
  ): Promise<Room<S, M>> {
    return this.#join(roomType, { mode: "create", options }, roomOptions);
  }

  /** Joins a room of this type that exists. */
  join<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    roomType: string,
    options: JoinOptions = {},
    roomOptions: RoomOptions<S, M> = {},
  ): Promise<Room<S, M>> {
    return this.#join(roomType, { mode: "join", options }, roomOptions);
  }

  joinById<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    roomType: string,
    roomId: string,
    options: JoinOptions = {},
    roomOptions: RoomOptions<S, M> = {},
  ): Promise<Room<S, M>> {
    return this.#join(roomType, { mode: "joinById", roomId, options }, roomOptions);
  }

  /** @param code the short one that `room.code` tells, in upper or lower case */
  joinByCode<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    roomType: string,
    code: string,
    options: JoinOptions = {},
    roomOptions: RoomOptions<S, M> = {},
  ): Promise<Room<S, M>> {
    return this.#join(roomType, { mode: "joinByCode", code, options }, roomOptions);
  }

  /**
   * Goes on with a session after the page was loaded again.
   *
   * @param resumeToken the last `room.resumeToken`
   * @param roomOptions with the last `room.eventsReceived`, so that the server knows which events are missing
   */
  reconnect<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas>(
    resumeToken: string,
    roomOptions: RoomOptions<S, M> & { readonly eventsReceived?: number } = {},
  ): Promise<Room<S, M>> {
    const url = socketUrl(this.#http.baseUrl);
    return this.#open(
      undefined,
      { url, offer: { resume: resumeToken } },
      roomOptions,
      roomOptions.eventsReceived,
    );
  }

  /** @returns the public rooms, of one type or of all */
  rooms(roomType?: string): Promise<RoomListing[]> {
    return requestRooms(this.#http, roomType);
  }

  #join<S extends EntitySchema, M extends MessageSchemas>(
    roomType: string,
    request: JoinRequest & { readonly mode: JoinMode },
    roomOptions: RoomOptions<S, M>,
  ): Promise<Room<S, M>> {
    return this.#open({ roomType, request }, undefined, roomOptions);
  }

  #open<S extends EntitySchema, M extends MessageSchemas>(
    intent: JoinIntent | undefined,
    credential: Credential | undefined,
    options: RoomOptions<S, M>,
    eventsReceived = 0,
  ): Promise<Room<S, M>> {
    const link: LinkSetup = {
      http: this.#http,
      openSocket: this.#openSocket,
      scheduler: this.#http.scheduler,
      random: this.#random,
      direct: this.#direct,
      intent,
      credential,
      rejoin: intent !== undefined && REJOINABLE.has(intent.request.mode) && (options.rejoin ?? true),
    };
    return new Promise((resolve, reject) => {
      const room: Room<S, M> = new Room({
        link,
        options,
        eventsReceived,
        onSettled: (error) => (error === undefined ? resolve(room) : reject(error)),
      });
    });
  }
}
