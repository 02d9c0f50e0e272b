/**
 * Runs one room's code: `step` applies events in order and returns all that came of them. It has no socket, clock
 * or timer of its own, so the same events always give the same states and the same messages.
 */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../shared/errors.ts";
import { encodeServerValue } from "../../shared/protocol/codec.ts";
import { assertPlain } from "../../shared/protocol/plain.ts";
import { ACK_ADVANCE_MAX, type Ack, ServerMessage } from "../../shared/protocol/wire.ts";
import {
  type EntitySchema,
  entity,
  NO_CHANGE,
  type PlainEntity,
  type StateChange,
  StateEncoder,
} from "../../shared/schema/index.ts";
import { createRandom, type Random, restoreRandom } from "../../shared/sim/random.ts";
import { LIMITS } from "../limits.ts";
import { quote } from "../quote.ts";
import type { OtherCode, RuntimeCheckpoint } from "./checkpoint.ts";
import { Client, type ClientList, Clients } from "./client.ts";
import { type AnyEffect, type PendingEffect, RoomEffects } from "./effects.ts";
import { Interest } from "./interest.ts";
import { InvalidPayload, MessageTable } from "./messages.ts";
import { constructRoom, type Room, type RoomClock, type RoomLog } from "./room.ts";
import type { RoomClass } from "./room-class.ts";
import { type Arrival, type Emission, type RoomEvent, RoomFailure, type StepResult } from "./room-events.ts";
import { RoomTimers } from "./timers.ts";

/** How the room appears to those who look for one. */
export type Listing = {
  readonly locked: boolean;
  readonly isPrivate: boolean;
  readonly autoDispose: boolean;
  readonly metadata: unknown;
};

/** What `Room` delegates to. */
export interface RoomApi {
  readonly roomId: string;
  readonly code: string;
  readonly state: unknown;
  readonly clients: ClientList;
  readonly clock: RoomClock;
  readonly log: RoomLog;
  readonly listing: Listing;
  random(): number;
  broadcast(type: string, payload: unknown, except: Client | Iterable<Client> | undefined): void;
  setListing(change: Partial<Listing>): void;
  allowReconnection(client: Client, milliseconds: number): void;
  disconnect(): void;
}

export type RoomIdentity = {
  readonly roomId: string;
  readonly code: string;
  readonly seed: number;
};

/** A step under way; it becomes its own result. */
type MutableStep = {
  change: StateChange;
  emissions: Emission[];
  /** Clients of whom messages were applied, each once. */
  touched: Client[];
  acks: Ack[];
  acksAreNear: boolean;
  arrived: Arrival[];
  dropped: { client: Client; reconnectMs: number }[];
  left: Client[];
  kicked: Client[];
  effects: PendingEffect[];
  listingChanged: boolean;
  disconnected: boolean;
};

function emptyStep(): MutableStep {
  return {
    change: NO_CHANGE,
    emissions: [],
    touched: [],
    acks: [],
    acksAreNear: true,
    arrived: [],
    dropped: [],
    left: [],
    kicked: [],
    effects: [],
    listingChanged: false,
    disconnected: false,
  };
}

const NoState = entity({});

export class RoomRuntime implements RoomApi {
  readonly roomId: string;
  readonly code: string;
  readonly log: RoomLog;
  readonly schema: EntitySchema;
  #encoder: StateEncoder<EntitySchema>;
  #interest: Interest | undefined;
  readonly clients = new Clients();
  readonly timers: RoomTimers;
  readonly #messages: MessageTable;
  readonly #effects: RoomEffects;
  readonly #room: Room;
  readonly #reconnectMs: number;
  readonly #clock = { nowMs: 0, tick: 0 };
  #random: Random;
  readonly #slots: boolean[] = [];
  #listing: Listing;
  #step = emptyStep();
  /** The client whose `onDrop` is running, with how long its seat is kept. */
  #dropping: { readonly client: Client; reconnectMs: number } | undefined;

  constructor(roomClass: RoomClass, identity: RoomIdentity, log: RoomLog) {
    this.roomId = identity.roomId;
    this.code = identity.code;
    this.log = log;
    this.schema = roomClass.state ?? NoState;
    this.#encoder = new StateEncoder(this.schema);
    this.#interest = this.encoder.spatial && new Interest(this.encoder.spatial);
    this.timers = new RoomTimers(() => this.#clock.nowMs);
    this.#effects = new RoomEffects(identity.roomId, (effect) => this.#step.effects.push(effect));
    this.#random = createRandom(identity.seed);
    this.#reconnectMs = roomClass.reconnectMs;
    this.#listing = {
      locked: false,
      isPrivate: false,
      autoDispose: roomClass.autoDispose,
      metadata: null,
    };
    try {
      this.#room = constructRoom(this, () => new roomClass());
    } catch (error) {
      throw new RoomFailure("created", error);
    }
    for (const [name, timer] of Object.entries(this.#room.timers)) timer.bind(name, this.timers);
    for (const [name, effect] of Object.entries(this.#room.effects)) effect.bind(name, this.#effects);
    this.#messages = new MessageTable(this.#room.messages);
  }

  /** @throws DataCloneError when the room's `data` holds what cannot be cloned */
  save(): RuntimeCheckpoint {
    return {
      ...this.#clock,
      random: this.#random.save(),
      state: this.#encoder.serialize(),
      data: this.#room.data,
      custom: this.#room.save?.(),
      clients: [...this.clients].map(({ sessionId, slot, auth, isDropped, lastMessageSeq, view }) => ({
        sessionId,
        slot,
        auth,
        isDropped,
        lastMessageSeq,
        view,
      })),
      timers: this.timers.save(),
      effects: this.#effects.save(),
      listing: this.#listing,
    };
  }

  /**
   * Takes up the state of a checkpoint, in a runtime that has not been stepped.
   *
   * @param other what saved it, if that was other code; then the room's `migrate` runs
   * @throws SchemaError when the state is not of the schema that it is said to be of; RoomFailure
   */
  restore(checkpoint: RuntimeCheckpoint, other?: OtherCode): void {
    this.#clock.nowMs = checkpoint.nowMs;
    this.#clock.tick = checkpoint.tick;
    this.#random = restoreRandom(checkpoint.random);
    const carried = other && StateEncoder.carryOver(this.schema, checkpoint.state, other.schema);
    this.#encoder = carried?.encoder ?? StateEncoder.restore(this.schema, checkpoint.state);
    this.#interest = this.#encoder.spatial && new Interest(this.#encoder.spatial);
    this.#listing = checkpoint.listing;
    for (const { sessionId, slot, auth, isDropped, lastMessageSeq, view } of checkpoint.clients) {
      const client = new Client(this, sessionId, slot, auth);
      Object.assign(client, { isDropped, lastMessageSeq, ackedSeq: lastMessageSeq, view });
      this.clients.add(client);
      this.#slots[slot] = true;
    }
    for (let slot = 0; slot < this.#slots.length; slot++) this.#slots[slot] ??= false;
    this.timers.restore(checkpoint.timers);
    const { count, pending } = checkpoint.effects;
    const known = pending.filter(({ name }) => Object.hasOwn(this.#room.effects, name));
    if (known.length < pending.length)
      this.log.warn({ pending }, "effects were under way that this code does not have");
    this.#effects.restore({ count, pending: known });
    this.#room.data = checkpoint.data;
    if (checkpoint.custom !== undefined) this.#room.restore?.(checkpoint.custom);
    if (other !== undefined && carried !== undefined) this.#migrate(other.codeVersion, carried.before);
  }

  #migrate(codeVersion: string, state: PlainEntity): void {
    try {
      synchronous("migrate", this.#room.migrate?.({ codeVersion, state }));
    } catch (error) {
      throw new RoomFailure("migrate", error);
    }
    // Nobody has been sent the state yet, so nobody needs to hear of the change.
    this.encoder.commit();
    this.interest?.update();
  }

  /** The replicated state. */
  get encoder(): StateEncoder<EntitySchema> {
    return this.#encoder;
  }

  /** Who sees what of the state's spatial maps, if it has any. */
  get interest(): Interest | undefined {
    return this.#interest;
  }

  /** Clients may name a message by its place in here. */
  get messageNames(): readonly string[] {
    return this.#messages.names;
  }

  /** Effects that have no result yet. */
  get pendingEffects(): readonly PendingEffect[] {
    return this.#effects.pending;
  }

  /**
   * Applies events in order.
   *
   * @param nowMs room time; never less than at the last step
   * @throws RoomFailure when the room's own code fails; the room must not be stepped again
   */
  step(nowMs: number, events: readonly RoomEvent[]): StepResult {
    this.#clock.nowMs = nowMs;
    for (const event of events) {
      try {
        this.#apply(event);
      } catch (error) {
        throw new RoomFailure(event.type, error);
      }
    }
    const step = this.#step;
    this.#step = emptyStep();
    for (const client of step.touched) {
      const { slot, lastMessageSeq, ackedSeq } = client;
      step.acks.push({ slot, seq: lastMessageSeq });
      if (lastMessageSeq - ackedSeq > ACK_ADVANCE_MAX) step.acksAreNear = false;
      client.ackedSeq = lastMessageSeq;
    }
    step.change = this.encoder.commit();
    this.interest?.update();
    return step;
  }

  #apply(event: RoomEvent): void {
    const room = this.#room;
    switch (event.type) {
      case "created":
        return synchronous("onCreate", room.onCreate?.(event.options));
      case "tick":
        this.#clock.tick += 1;
        return synchronous("onTick", room.onTick?.(event.dtMs));
      case "message":
        return this.#applyMessage(event);
      case "joined":
        return this.#applyJoined(event);
      case "dropped":
        return this.#applyDropped(event.sessionId);
      case "returned": {
        const client = this.clients.get(event.sessionId);
        if (client === undefined) return;
        this.#step.arrived.push({ client, emissionsFrom: 0, tokenGeneration: event.tokenGeneration });
        if (!client.isDropped) return;
        client.isDropped = false;
        return synchronous("onReconnect", room.onReconnect?.(forHook(client)));
      }
      case "left": {
        const client = this.clients.get(event.sessionId);
        if (client === undefined) return;
        this.clients.delete(client.sessionId);
        this.#slots[client.slot] = false;
        this.#step.left.push(client);
        return synchronous("onLeave", room.onLeave?.(forHook(client), event.consented));
      }
      case "timer": {
        const timer = this.timers.take(event.timerId);
        if (timer === undefined) return;
        const callback = room.timers[timer.name]?.callback as ((payload: unknown) => unknown) | undefined;
        return synchronous(`timers.${timer.name}`, callback?.(timer.payload));
      }
      case "effect":
        return this.#applyEffect(event);
      case "shutdown":
        return synchronous("onShutdown", room.onShutdown?.());
      case "dispose":
        return synchronous("onDispose", room.onDispose?.());
    }
  }

  #applyJoined(event: Extract<RoomEvent, { type: "joined" }>): void {
    let slot = this.#slots.indexOf(false);
    if (slot < 0) slot = this.#slots.length;
    this.#slots[slot] = true;
    const client = new Client(this, event.sessionId, slot, event.auth);
    this.clients.add(client);
    this.#step.arrived.push({
      client,
      emissionsFrom: this.#step.emissions.length,
      tokenGeneration: 0,
    });
    synchronous("onJoin", this.#room.onJoin?.(forHook(client), event.options));
  }

  #applyMessage(event: Extract<RoomEvent, { type: "message" }>): void {
    const client = this.clients.get(event.sessionId);
    if (client === undefined) return;
    assert(event.seq > client.lastMessageSeq, "a session passes on each message once, and in order");
    if (client.lastMessageSeq === client.ackedSeq) this.#step.touched.push(client);
    client.lastMessageSeq = event.seq;
    const handler = this.#messages.find(event.message);
    if (handler === undefined) {
      const sentence = `The room has no message ${quote(String(event.message))}.`;
      return this.#refuse(client, event.seq, "MESSAGE_UNKNOWN", sentence);
    }
    try {
      synchronous(handler.hook, handler.definition.apply(client, event.payload));
    } catch (error) {
      if (!(error instanceof InvalidPayload)) throw error;
      this.#refuse(client, event.seq, "MESSAGE_INVALID", error.message);
    }
  }

  /** Tells a client that a message of its was not applied. */
  #refuse(client: Client, seq: number, code: ErrorCode, sentence: string): void {
    this.send(client, "$error", { code, message: sentence, seq });
  }

  #applyDropped(sessionId: string): void {
    const client = this.clients.get(sessionId);
    if (client === undefined || client.isDropped) return;
    client.isDropped = true;
    this.#dropping = { client, reconnectMs: this.#reconnectMs };
    this.#step.dropped.push(this.#dropping);
    try {
      synchronous("onDrop", this.#room.onDrop?.(forHook(client)));
    } finally {
      this.#dropping = undefined;
    }
  }

  #applyEffect(event: Extract<RoomEvent, { type: "effect" }>): void {
    const effect = this.#effects.take(event.key);
    if (effect === undefined) return;
    const hooks = this.#room.effects[effect.name]?.hooks as
      | {
          done?: (result: unknown, input: unknown) => unknown;
          failed?: (error: Error, input: unknown) => unknown;
        }
      | undefined;
    if ("value" in event.result)
      synchronous(`effects.${effect.name}.done`, hooks?.done?.(event.result.value, effect.input));
    else
      synchronous(
        `effects.${effect.name}.failed`,
        hooks?.failed?.(new Error(event.result.error), effect.input),
      );
  }

  /** What to run for an effect that a step has started. */
  effectHooks(name: string): AnyEffect["hooks"] {
    const effect = this.#room.effects[name];
    assert(effect, "only effects the room declares can be started");
    return effect.hooks;
  }

  // What the room's code may do, by way of Room and Client.

  get state(): unknown {
    return this.encoder.root;
  }

  get clock(): RoomClock {
    return this.#clock;
  }

  get listing(): Listing {
    return this.#listing;
  }

  random(): number {
    return this.#random.next();
  }

  send(client: Client, type: string, payload: unknown): void {
    this.#emit(type, payload, new Set([client]));
  }

  kick(client: Client, reason: string | undefined): void {
    if (reason !== undefined) this.send(client, "$error", { code: "KICKED", message: reason, seq: 0 });
    this.#step.kicked.push(client);
  }

  broadcast(type: string, payload: unknown, except: Client | Iterable<Client> | undefined): void {
    if (except === undefined) return this.#emit(type, payload, undefined);
    const receivers = new Set<Client>(this.clients);
    for (const client of except instanceof Client ? [except] : except) receivers.delete(client);
    this.#emit(type, payload, receivers);
  }

  #emit(type: string, payload: unknown, to: ReadonlySet<Client> | undefined): void {
    const part = encodeServerValue([ServerMessage.EVENT, type, payload ?? null]);
    this.#step.emissions.push({ part, to });
  }

  setListing(change: Partial<Listing>): void {
    if ("metadata" in change) {
      // It goes to the primary, and what cannot be sent there must fail here, in the room's own code.
      assertPlain(change.metadata);
      const bytes = JSON.stringify(change.metadata ?? null).length;
      if (bytes > LIMITS.metadataBytesMax)
        throw new RangeError(`metadata has ${bytes} bytes, at most ${LIMITS.metadataBytesMax}`);
    }
    this.#listing = { ...this.#listing, ...change };
    this.#step.listingChanged = true;
  }

  allowReconnection(client: Client, milliseconds: number): void {
    if (this.#dropping?.client !== client)
      throw new Error("allowReconnection is for the client whose onDrop is running.");
    if (!(milliseconds >= 0 && milliseconds <= LIMITS.reconnectMsMax)) {
      throw new RangeError(`A seat is kept for 0 to ${LIMITS.reconnectMsMax} ms, not ${milliseconds}.`);
    }
    this.#dropping.reconnectMs = milliseconds;
  }

  disconnect(): void {
    this.#step.disconnected = true;
  }
}

/** Hooks declare their clients with the type that `onAuth` returns, which the runtime cannot know. */
function forHook(client: Client): Client<never> {
  return client as Client<never>;
}

function synchronous(hook: string, returned: unknown): void {
  if (typeof returned !== "object" || returned === null || !("then" in returned)) return;
  // The promise may fail later, when nobody looks: the error below is the one that counts.
  if (returned instanceof Promise) returned.catch(() => undefined);
  throw new TypeError(`${hook} returned a promise. Hooks are synchronous: use static onAuth or an effect.`);
}
