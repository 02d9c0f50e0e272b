/**
 * A room as its player sees it: the live state, messages to the room and events from it. It outlives connections, and
 * when the session itself is lost it goes on with a new one (`onRejoin`), unless that is not wanted or not possible.
 */
import { type ErrorCode, isErrorCode, RookeryError } from "../../shared/errors.ts";
import {
  decodeInput,
  type EntitySchema,
  encodeInput,
  isInputSchema,
  type Mirror,
} from "../../shared/schema/index.ts";
import type { Scheduler } from "../../shared/time.ts";
import type { ClockSync } from "./clock-sync.ts";
import { type Entities, type Interpolated, type InterpolateOptions, Interpolator } from "./interpolator.ts";
import type { LinkPhase, LinkSetup } from "./link.ts";
import { Listeners, reportUncaught } from "./listeners.ts";
import { NumberFields } from "./number-fields.ts";
import { PlaybackClock } from "./playback-clock.ts";
import { type PredictOptions, Predictor } from "./predictor.ts";
import { errorOfLoss, type Loss } from "./retry-policy.ts";
import { Session, type StateInfo } from "./session.ts";
import { StateFeed } from "./state-feed.ts";
import type { MessageSchemas, PayloadArguments, PayloadOf, RoomOptions, StateOf } from "./types.ts";

export type ConnectionState = "connecting" | "open" | "reconnecting" | "closed";

/** The room's clock as estimated here. */
export type RoomClock = Pick<ClockSync, "now" | "rttMs">;

export type RoomSetup<S extends EntitySchema, M extends MessageSchemas> = {
  readonly link: LinkSetup;
  readonly options: RoomOptions<S, M>;
  /** By this session before the page was loaded. */
  readonly eventsReceived: number;
  /** Called once: the room has its first state, or cannot be joined. */
  readonly onSettled: (error?: RookeryError) => void;
};

const STATE_OF_PHASE = {
  joining: "connecting",
  open: "open",
  resuming: "reconnecting",
  rejoining: "reconnecting",
  ended: "closed",
} as const satisfies Record<LinkPhase, ConnectionState>;

/** The event by which the server itself says that it has not done what the client wanted. */
const REFUSAL = "$error";

type CloseArguments = [code: number, reason: ErrorCode | undefined];

export class Room<S extends EntitySchema = EntitySchema, M extends MessageSchemas = MessageSchemas> {
  readonly #session: Session<S>;
  readonly #messages: M | undefined;
  readonly #scheduler: Scheduler;
  readonly #left = Promise.withResolvers<number>();
  readonly #onSettled: (error?: RookeryError) => void;
  #isSettled = false;
  /** Calls that came with the first state, until the code that joined has had a chance to register its callbacks. */
  #held: (() => void)[] | undefined = [];

  readonly #report = (error: unknown): void => {
    if (this.#onError.size === 0) reportUncaught(error);
    else this.#onError.emit(error);
  };
  readonly #onError = new Listeners<[error: unknown]>(reportUncaught);
  /** What must not lag behind the state, as the users' own callbacks may at the start. */
  readonly #feed = new StateFeed(this.#report);
  #playback: PlaybackClock | undefined;
  readonly #onMessage = new Map<string, Listeners<[payload: unknown, type: string]>>();
  readonly #onState = new Listeners<[info: StateInfo]>(this.#report);
  readonly #onDrop = new Listeners<CloseArguments>(this.#report);
  readonly #onReconnect = new Listeners<[]>(this.#report);
  readonly #onStepBack = new Listeners<[]>(this.#report);
  readonly #onMove = new Listeners<[]>(this.#report);
  readonly #onRejoin = new Listeners<[]>(this.#report);
  readonly #onLeave = new Listeners<CloseArguments>(this.#report);

  /** Rooms come from a `Client`. */
  constructor(setup: RoomSetup<S, M>) {
    this.#scheduler = setup.link.scheduler;
    this.#messages = setup.options.messages;
    this.#onSettled = setup.onSettled;
    this.#session = new Session<S>(setup.link, setup.options.state, setup.eventsReceived, {
      onState: (info) => {
        this.#feed.tellState(info);
        this.#deliver(() => this.#onState.emit(info));
      },
      onEvent: (name, payload) => this.#deliver(() => this.#emitMessage(name, payload)),
      onBegun: () => this.#begin(),
      onResumed: () => this.#deliver(() => this.#onReconnect.emit()),
      onStepBack: () => {
        this.#feed.tellNewSession();
        this.#deliver(() => this.#onStepBack.emit());
      },
      onMoved: () => this.#deliver(() => this.#onMove.emit()),
      onDropped: ({ close, reason }) => this.#deliver(() => this.#onDrop.emit(close, reason)),
      onEnded: (loss) => this.#end(loss),
      onFault: this.#report,
    });
    this.#session.start();
  }

  get roomId(): string {
    return this.#session.welcome.roomId;
  }

  get roomType(): string {
    return this.#session.welcome.roomType;
  }

  /** Short code by which others join this room. */
  get code(): string {
    return this.#session.welcome.code;
  }

  get sessionId(): string {
    return this.#session.welcome.sessionId;
  }

  get slot(): number {
    return this.#session.welcome.slot;
  }

  /** Number of the server's worker that runs the room. */
  get worker(): number {
    return this.#session.welcome.worker;
  }

  /** Ticks per second; 0 for a room without ticks. */
  get tickRate(): number {
    return this.#session.welcome.tickRate;
  }

  /** Secret; `client.reconnect` takes it after a page reload. Each connection brings a new one. */
  get resumeToken(): string {
    return this.#session.welcome.resumeToken;
  }

  /** Goes with the resume token: events received in this session. */
  get eventsReceived(): number {
    return this.#session.eventsReceived;
  }

  get connectionState(): ConnectionState {
    return STATE_OF_PHASE[this.#session.phase];
  }

  /** Tick of the last state applied. */
  get tick(): number {
    return this.#session.tick;
  }

  /** Room time of the last state applied. */
  get roomTimeMs(): number {
    return this.#session.roomTimeMs;
  }

  get clock(): RoomClock {
    return this.#session.clock;
  }

  /** The live state. It is another object only after the server has changed its schema. */
  get state(): StateOf<S> {
    return this.mirror.state as StateOf<S>;
  }

  get mirror(): Mirror<S> {
    return this.#session.mirror;
  }

  /**
   * Sends a message, reliably: it is kept until the room has applied it, and sent again on the next connection of
   * the session.
   *
   * @returns its sequence number, to be compared with `ack` of `onState`
   * @throws RookeryError ROOM_CLOSED after the end, PAYLOAD_TOO_LARGE, SESSION_OVERFLOW when too much is waiting for
   * acknowledgement; SchemaError or TypeError for a payload that cannot be encoded
   */
  send<K extends keyof M & string>(type: K, ...[payload]: PayloadArguments<PayloadOf<M[K]>>): number {
    return this.#session.send(type, this.#encode(type, payload));
  }

  /**
   * Predicts the player's own body: what is sent through the predictor takes effect here at once, and states correct it.
   * It outlives connections, and begins anew with a new session and when the room steps back.
   *
   *     const me = room.predict({
   *       message: "move",
   *       read: ({ players }) => plainBodyOf(players.get(room.sessionId)),
   *       step: (body, input) => stepBody(body, input, input.durationMs),
   *       numbers: ["x", "y"],
   *     });
   *     me.send({ durationMs: 16, dx: 127, dy: 0 });
   *     draw(me.shown());
   */
  predict<K extends keyof M & string, B extends object>(
    options: PredictOptions<StateOf<S>, K, PayloadOf<M[K]>, B>,
  ): Predictor<PayloadOf<M[K]>, B> {
    return new Predictor({
      options,
      read: () => options.read(this.state),
      send: (input) => this.#sendInput(options.message, input),
      feed: this.#feed,
      scheduler: this.#scheduler,
    });
  }

  /**
   * Shows how entities move between states, a little in the past; all interpolators of a room show the same moment. It
   * outlives connections, and begins anew with a new session and when the room steps back.
   *
   *     const others = room.interpolate((state) => state.players, { numbers: ["x", "y"], angles: ["angle"] });
   *     for (const [id, { x, y, angle }, player] of others.entries()) draw(player.name, x, y, angle);
   *
   * @param select which entities, by key; called after each state
   */
  interpolate<E extends Interpolated<N | A>, N extends string, A extends string = never>(
    select: (state: StateOf<S>) => Entities<E>,
    { numbers, angles, snapDistance }: InterpolateOptions<N, A>,
  ): Interpolator<E, N | A> {
    this.#playback ??= new PlaybackClock(this.#feed, this.roomTimeMs, this.#scheduler.now());
    return new Interpolator({
      select: () => select(this.state),
      fields: new NumberFields(numbers, angles),
      snapDistance,
      playback: this.#playback,
      feed: this.#feed,
      scheduler: this.#scheduler,
      roomNow: () => this.clock.now(),
      roomTimeMs: this.roomTimeMs,
    });
  }

  /**
   * @param type of the room's events, or "*" for all
   * @returns stops listening
   */
  onMessage<P = unknown>(type: string, callback: (payload: P, type: string) => void): () => void {
    let listeners = this.#onMessage.get(type);
    if (listeners === undefined) {
      listeners = new Listeners(this.#report);
      this.#onMessage.set(type, listeners);
    }
    return listeners.add(callback as (payload: unknown, type: string) => void);
  }

  /** After each state that was applied, before the events that came with it. */
  onState(callback: (info: StateInfo) => void): () => void {
    return this.#onState.add(callback);
  }

  /** The connection was lost and the session may go on; `onReconnect`, `onRejoin` or `onLeave` follows. */
  onDrop(callback: (code: number, reason: ErrorCode | undefined) => void): () => void {
    return this.#onDrop.add(callback);
  }

  /** The session goes on: no message and no event is lost. */
  onReconnect(callback: () => void): () => void {
    return this.#onReconnect.add(callback);
  }

  /**
   * The room goes on in another worker, over the same connection and with nothing lost: the state is whole again.
   * `worker` is the new one's.
   */
  onMove(callback: () => void): () => void {
    return this.#onMove.add(callback);
  }

  /**
   * The room has gone back to an earlier moment, because its worker has died before it was saved, or because of other
   * code: its time and its ticks go back, and its events may come again. What was sent to it is sent again by itself.
   * `onMove` or `onReconnect` follows.
   */
  onStepBack(callback: () => void): () => void {
    return this.#onStepBack.add(callback);
  }

  /** A new session has begun, maybe in another room. What the old one had not acknowledged is lost. */
  onRejoin(callback: () => void): () => void {
    return this.#onRejoin.add(callback);
  }

  /** The end; `reason` is undefined for a close code that is not of the table of errors. */
  onLeave(callback: (code: number, reason: ErrorCode | undefined) => void): () => void {
    return this.#onLeave.add(callback);
  }

  /**
   * A callback threw; without a handler the error is reported as uncaught. Or the room says why it has not applied a
   * message (a RookeryError: MESSAGE_INVALID, MESSAGE_UNKNOWN) or sends the client away (KICKED), and nobody listens to
   * that by `onMessage("$error")`.
   */
  onError(callback: (error: unknown) => void): () => void {
    return this.#onError.add(callback);
  }

  /**
   * @returns the round trip in ms, measured now
   * @throws RookeryError TIMEOUT when there is no connection or it is lost meanwhile
   */
  ping(): Promise<number> {
    return this.#session.ping();
  }

  /** Leaves for good. @returns the close code, when the server has let go or has had time enough to */
  leave(): Promise<number> {
    this.#session.leave();
    return this.#left.promise;
  }

  #encode(type: string, payload: unknown): unknown {
    const schema = this.#messages?.[type];
    return isInputSchema(schema) ? encodeInput(schema, payload as never) : payload;
  }

  #sendInput<I>(type: string, input: I): { readonly seq: number; readonly input: I } {
    const schema = this.#messages?.[type];
    const payload = this.#encode(type, input);
    const seq = this.#session.send(type, payload);
    return { seq, input: isInputSchema(schema) ? (decodeInput(schema, payload as Uint8Array) as I) : input };
  }

  #begin(): void {
    if (!this.#isSettled) return this.#settle();
    this.#feed.tellNewSession();
    this.#deliver(() => this.#onRejoin.emit());
  }

  #settle(): void {
    this.#isSettled = true;
    this.#onSettled();
    this.#scheduler.setTimeout(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const call of held) call();
    }, 0);
  }

  #end(loss: Loss): void {
    if (!this.#isSettled) return this.#onSettled(errorOfLoss(loss));
    this.#left.resolve(loss.close);
    this.#deliver(() => this.#onLeave.emit(loss.close, loss.reason));
  }

  #deliver(call: () => void): void {
    if (this.#held === undefined) call();
    else this.#held.push(call);
  }

  #emitMessage(type: string, payload: unknown): void {
    const listeners = this.#onMessage.get(type);
    listeners?.emit(payload, type);
    this.#onMessage.get("*")?.emit(payload, type);
    if (type === REFUSAL && (listeners?.size ?? 0) === 0) this.#onError.emit(refusalOf(payload));
  }
}

function refusalOf(payload: unknown): RookeryError {
  const { code, message } = (payload ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return new RookeryError(isErrorCode(code) ? code : "PROTOCOL_ERROR", String(message));
}
