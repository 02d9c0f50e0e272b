/** A client as its room sees it: a seat with somebody in it, connected or dropped. */

/** What a client asks of the room it sits in. */
export interface ClientOwner {
  send(client: Client, type: string, payload: unknown): void;
  kick(client: Client, reason: string | undefined): void;
}

/** A circle, in the coordinates of the state's spatial maps. */
export type ClientView = { readonly x: number; readonly y: number; readonly radius: number };

/** @typeParam Auth what `static onAuth` returned for it */
export class Client<Auth = unknown> {
  readonly sessionId: string;
  /** Small number of the seat, reused after the client has left. */
  readonly slot: number;
  readonly auth: Auth;
  /** The connection is broken, the seat is kept. */
  isDropped = false;
  /** Sequence of the last message of this client that the room has applied. */
  lastMessageSeq = 0;
  /** The same as of the end of the last step: as long as both are equal, none has been applied in this one. */
  ackedSeq = 0;
  readonly #owner: ClientOwner;
  #view: ClientView | undefined;

  constructor(owner: ClientOwner, sessionId: string, slot: number, auth: Auth) {
    this.#owner = owner;
    this.sessionId = sessionId;
    this.slot = slot;
    this.auth = auth;
  }

  /**
   * What this client sees of the state's spatial maps; undefined, as at first: nothing. Set it in `onJoin` and
   * move it with the player. What else is in the state, all clients see.
   *
   * @throws RangeError for numbers that are not finite, and a radius below 0
   */
  get view(): ClientView | undefined {
    return this.#view;
  }

  set view(view: ClientView | undefined) {
    if (
      view &&
      !(Number.isFinite(view.x) && Number.isFinite(view.y) && view.radius >= 0 && view.radius < Infinity)
    ) {
      throw new RangeError(`a view has finite x, y and radius, not ${view.x}, ${view.y} and ${view.radius}`);
    }
    this.#view = view && { x: view.x, y: view.y, radius: view.radius };
  }

  /** Sends a message to this client alone: reliable, in order, also across a lost connection. */
  send(type: string, payload?: unknown): void {
    this.#owner.send(this, type, payload);
  }

  /**
   * Makes the client leave; `onLeave` follows.
   *
   * @param reason a sentence for the player
   */
  leave(reason?: string): void {
    this.#owner.kick(this, reason);
  }
}

/** Everybody with a seat, in the order of joining. */
export interface ClientList extends Iterable<Client> {
  readonly size: number;
  get(sessionId: string): Client | undefined;
  has(sessionId: string): boolean;
}

/** The seats of one room. */
export class Clients implements ClientList {
  readonly #bySession = new Map<string, Client>();

  get size(): number {
    return this.#bySession.size;
  }

  get(sessionId: string): Client | undefined {
    return this.#bySession.get(sessionId);
  }

  has(sessionId: string): boolean {
    return this.#bySession.has(sessionId);
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#bySession.values();
  }

  add(client: Client): void {
    this.#bySession.set(client.sessionId, client);
  }

  delete(sessionId: string): void {
    this.#bySession.delete(sessionId);
  }
}
