/**
 * One room on this worker: events come in from sessions, timers, ticks and the primary, wait in one queue, are
 * written down and applied in one place (`#step`), and what comes of them goes out in one place (`#settle`).
 *
 *   session -> enqueue -> [queue] -> #step -> RoomRecorder -> RoomRuntime.step -> #settle -> Publisher -> sessions
 */
import type { ErrorCode } from "../../shared/errors.ts";
import { encodeServerValue } from "../../shared/protocol/codec.ts";
import { ServerMessage } from "../../shared/protocol/wire.ts";
import { describe, type SchemaDescriptor, schemaHash } from "../../shared/schema/index.ts";
import type { CreateRoom, Passenger, UpgradeHead } from "../ipc/messages.ts";
import { markOf } from "../journal/step-mark.ts";
import { LIMITS } from "../limits.ts";
import { encodeCheckpoint, type OtherCode } from "../room/checkpoint.ts";
import { DeterminismCheck } from "../room/determinism.ts";
import type { PendingEffect } from "../room/effects.ts";
import type { RoomClass } from "../room/room-class.ts";
import { type RoomEvent, RoomFailure, type StepResult } from "../room/room-events.ts";
import { RoomRuntime } from "../room/room-runtime.ts";
import type { Transport } from "../transport/transport.ts";
import { EffectRunner } from "./effect-runner.ts";
import { EventQueue } from "./event-queue.ts";
import { Publisher } from "./publisher.ts";
import type { RoomRecorder, Saved } from "./recorder.ts";
import { type HostedCheckpoint, restoreRoom } from "./recovery.ts";
import { RoomPace } from "./room-pace.ts";
import type { LeftRoom, OpenedRoom } from "./room-recorder.ts";
import type { RoomServices } from "./room-services.ts";
import { type Heard, RoomSessions } from "./room-sessions.ts";
import type { Session, SessionOwner } from "./session.ts";
import type { RoomWelcome } from "./welcome.ts";

/** Gets the connections that go with the room; undefined if it has to stay. */
export type OnRelease = (connections: readonly Transport[] | undefined) => void;

/** How soon a room without ticks looks again whether a client that was skipped can take more. */
const CATCH_UP_MS = 100;

export class HostedRoom implements SessionOwner {
  readonly id: string;
  /** Settles when the room has ended and nothing of it is under way any more. */
  readonly ended: Promise<void>;
  readonly #create: CreateRoom;
  readonly #roomClass: RoomClass;
  readonly #services: RoomServices;
  readonly #runtime: RoomRuntime;
  readonly #publisher: Publisher;
  readonly #determinism: DeterminismCheck | undefined;
  readonly #effects: EffectRunner;
  readonly #sessions: RoomSessions;
  readonly #recorder: RoomRecorder | undefined;
  readonly #queue = new EventQueue();
  /** Ticks that wait for the next one. */
  readonly #ticks: RoomEvent[] = [];
  readonly #tag: number;
  /** Stands for this room while a step of it runs. */
  readonly #mark: Uint8Array;
  readonly #schema: {
    readonly descriptor: SchemaDescriptor;
    readonly hash: string;
  };
  readonly #end: () => void;
  readonly #pace: RoomPace;
  #phase: "open" | "disposing" | "ended" = "open";
  /** Why the room has closed, once it has. */
  #closeCode: ErrorCode = "ROOM_CLOSED";
  /** A client reads too slowly and was skipped: it must get what it missed, even if nothing more happens. */
  #isSomebodyBehind = false;
  /** The last epoch that began with the room set back to an earlier moment; 0: none. */
  #stepBackEpoch = 0;
  /** Who waits for the room to leave this worker. */
  #onRelease: OnRelease | undefined;

  /**
   * @param opened the room's journal, with what an earlier owner has left
   * @param survivors sessions whose connections have outlived that owner, and follow
   * @throws RoomFailure when the room's constructor or onCreate fails, or its code when it is applied again;
   * JournalDamaged, SchemaError
   */
  constructor(
    create: CreateRoom,
    roomClass: RoomClass,
    services: RoomServices,
    opened: OpenedRoom | undefined,
    survivors: ReadonlySet<string>,
  ) {
    this.id = create.roomId;
    this.#create = create;
    this.#roomClass = roomClass;
    this.#services = services;
    this.#tag = services.newTag();
    this.#mark = markOf(create.roomId);
    this.#runtime = new RoomRuntime(roomClass, create, services.log);
    const descriptor = describe(this.#runtime.schema);
    this.#schema = { descriptor, hash: schemaHash(descriptor) };
    if (services.checksDeterminism && roomClass.durability === "journal")
      this.#determinism = new DeterminismCheck(roomClass, create, Math.random);
    this.#publisher = new Publisher({
      runtime: this.#runtime,
      tag: this.#tag,
      hasTicks: roomClass.tickRate > 0,
      now: () => services.scheduler.now(),
      roomWelcome: () => this.#roomWelcome(),
      onOverflow: (session) => this.#sessions.expel(session, "SESSION_OVERFLOW"),
    });
    this.#effects = new EffectRunner(services.scheduler, (event) => this.#enqueue(event));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#sessions = new RoomSessions({
      roomId: this.id,
      roomClass,
      clients: this.#runtime.clients,
      services,
      owner: this,
      enqueue: (event) => this.#enqueue(event),
      forgetQueued: (sessionId) => this.#queue.forget(sessionId),
    });
    this.#recorder = opened?.recorder;
    // A room that crashed its last worker may do so again while it is taken up.
    services.mark?.begin(this.#mark);
    let begin: () => void;
    try {
      begin = opened?.left === undefined ? this.#begin(create) : this.#takeUp(opened.left, survivors);
    } finally {
      services.mark?.end();
    }
    this.#pace = new RoomPace(roomClass, this.#runtime.clock.nowMs, services, {
      onTick: (nowMs, dtMs, sends) => this.#tick(nowMs, dtMs, sends),
      onWake: (nowMs) => this.#wake(nowMs),
      onPace: (pace, stats) =>
        services.log.warn({ pace, ...stats }, "the load of its worker has changed the pace of the room"),
      isUrgent: () => this.#sessions.hasNewcomer || this.#queue.isHalfFull,
      nextWakeMs: () => this.#nextWakeMs(),
    });
    this.#pace.start();
    begin();
  }

  /** @returns what is to be done once the room is whole */
  #begin({ options }: CreateRoom): () => void {
    const created: RoomEvent = { type: "created", options };
    this.#recorder?.append(0, [created]);
    const result = this.#runtime.step(0, [created]);
    return () => this.#settle(result, "no");
  }

  /** The room goes on where its last owner has left it; its clock has stood still meanwhile. */
  #takeUp(left: LeftRoom, survivors: ReadonlySet<string>): () => void {
    const { codeVersion } = this.#code;
    const owner = { epoch: this.#create.epoch, codeVersion, schemaHash: this.#schema.hash };
    const restored = restoreRoom(left, this.#runtime, this.#sessions, owner);
    this.#stepBackEpoch = restored.stepBackEpoch;
    if (restored.isUnwritten) this.#recorder?.saveNow(this.#runtime.clock.nowMs, () => this.#checkpoint());
    return () => {
      if (restored.isDisposing) return this.#endAgain(left.recovered.isDisposed);
      this.#services.report({ type: "room-updated", roomId: this.id, ...this.#runtime.listing });
      this.#sessions.takeUp(survivors);
      for (const effect of this.#runtime.pendingEffects) this.#startEffect(effect);
      if (restored.isDisconnected) this.#close("ROOM_CLOSED");
      else this.#pace.armWake();
    };
  }

  /** What stands in its checkpoints, for the code that reads them. */
  get #code(): OtherCode {
    return { codeVersion: this.#services.journals?.codeVersion ?? "", schema: this.#schema.descriptor };
  }

  get hasEnded(): boolean {
    return this.#phase === "ended";
  }

  /** Who has a seat. */
  get sessionIds(): readonly string[] {
    return [...this.#sessions.all.keys()];
  }

  get clientCount(): number {
    return this.#sessions.all.size;
  }

  hasSession(sessionId: string): boolean {
    return this.#sessions.all.has(sessionId);
  }

  /** Takes a connection in: a new session, or one that comes back. */
  accept(transport: Transport, sessionId: string, passenger: Passenger, upgrade: UpgradeHead): void {
    if (this.#phase === "open") this.#sessions.accept(transport, sessionId, passenger, upgrade);
    else transport.close(this.#closeCode);
  }

  /**
   * Asks a client whose connection has outlived the room's last owner where its stream can be read again.
   *
   * @returns the message to send; undefined when the session is not there or has another connection
   */
  resumeMessage(sessionId: string, nonce: number): Uint8Array | undefined {
    const client = this.#runtime.clients.get(sessionId);
    if (this.#phase !== "open" || client === undefined || !this.#sessions.isAwaited(sessionId))
      return undefined;
    const { lastMessageSeq } = client;
    return this.assemble(encodeServerValue([ServerMessage.RESUME, nonce, this.#tag, lastMessageSeq]));
  }

  /** A connection that has outlived the room's last owner goes on. */
  adopt(transport: Transport, sessionId: string, heard: Heard): void {
    if (this.#phase === "open") this.#sessions.adopt(transport, sessionId, heard);
    else transport.close(this.#closeCode);
  }

  /** A connection that has outlived the room's last owner does not go on. */
  adoptionFailed(sessionId: string): void {
    if (this.#phase === "open") this.#sessions.adoptionFailed(sessionId);
  }

  /** The primary says that nobody holds a seat any more, or the server shuts down. */
  dispose(code: ErrorCode): void {
    if (this.#phase !== "open") return;
    if (code === "SERVER_SHUTTING_DOWN")
      this.#step(this.#pace.stepTimeMs, [...this.#queue.takeAll(), { type: "shutdown" }]);
    this.#close(code);
  }

  /**
   * The room is to go on at another worker: with its next step it is saved, and nothing more comes of it here.
   *
   * @param onRelease called behind that step, unless the room ends in it
   */
  release(onRelease: OnRelease): void {
    this.#onRelease = onRelease;
    if (this.#roomClass.tickRate === 0) this.#pace.deferStep();
  }

  #releaseIfAsked(): void {
    const onRelease = this.#onRelease;
    if (onRelease === undefined || this.#phase !== "open") return;
    this.#onRelease = undefined;
    onRelease(this.#isSettled && this.#isSaved() ? this.#leave() : undefined);
  }

  /** Nothing is under way that could not be taken up elsewhere. */
  get #isSettled(): boolean {
    return this.#queue.isEmpty && this.#effects.pendingCount === 0 && this.#sessions.areSettled;
  }

  /** Saves the room. @returns whether it stands in its journal, and need not be made again of its steps */
  #isSaved(): boolean {
    const recorder = this.#recorder;
    const isWritten = recorder?.savesLater === false && !this.#services.journals?.failed.has(this.id);
    return isWritten && recorder.saveNow(this.#runtime.clock.nowMs, () => this.#checkpoint());
  }

  #leave(): Transport[] {
    this.#phase = "ended";
    this.#pace.stop();
    this.#recorder?.close();
    const connections = this.#sessions.letGo();
    this.#end();
    return connections;
  }

  // What sessions ask and tell the room.

  get hasSteppedBack(): boolean {
    return this.#stepBackEpoch > 0;
  }

  onMessage(session: Session, seq: number, message: number | string, payload: unknown): boolean {
    if (this.#queue.isFull) return false;
    this.#enqueue({
      type: "message",
      sessionId: session.id,
      seq,
      message,
      payload,
    });
    return true;
  }

  onLost(session: Session): void {
    if (this.#phase === "open") this.#sessions.lost(session);
  }

  onLeave(session: Session): void {
    this.#enqueue({ type: "left", sessionId: session.id, consented: true });
  }

  roomTimeMs(): number {
    return this.#pace.roomTimeMs;
  }

  assemble(part: Uint8Array): Uint8Array {
    return this.#publisher.assemble([part]);
  }

  // Events in.

  #enqueue(event: RoomEvent): void {
    if (this.#phase === "ended") return;
    this.#queue.push(event);
    if (this.#roomClass.tickRate === 0 || this.#phase === "disposing") this.#pace.deferStep();
  }

  /** A tick that need not be sent is applied in one step with the next. */
  #tick(nowMs: number, dtMs: number, sends: boolean): void {
    this.#ticks.push({ type: "tick", dtMs });
    if (!sends) return;
    const ticks = this.#ticks.splice(0);
    this.#step(nowMs, [...this.#queue.takeForTick(), ...this.#dueTimers(nowMs), ...ticks]);
    this.#releaseIfAsked();
  }

  #wake(nowMs: number): void {
    const events = [...this.#queue.takeAll(), ...this.#dueTimers(nowMs)];
    const isDue = nowMs >= (this.#recorder?.dueMs ?? Number.POSITIVE_INFINITY);
    // A room that leaves takes the time along that has passed since its last step.
    const isLeaving = this.#onRelease !== undefined;
    if (events.length > 0 || isDue || isLeaving || this.#isSomebodyBehind) this.#step(nowMs, events);
    this.#releaseIfAsked();
  }

  #dueTimers(nowMs: number): RoomEvent[] {
    if (this.#phase !== "open") return [];
    return this.#runtime.timers.due(nowMs).map((timerId) => ({ type: "timer", timerId }));
  }

  /** For its next timer, its next checkpoint, and clients that were skipped. */
  #nextWakeMs(): number | undefined {
    if (this.#phase !== "open") return undefined;
    const catchUpMs = this.#isSomebodyBehind ? this.#runtime.clock.nowMs + CATCH_UP_MS : undefined;
    const wakesMs = [this.#runtime.timers.nextDueMs, this.#recorder?.dueMs, catchUpMs];
    const nextMs = Math.min(...wakesMs.map((wakeMs) => wakeMs ?? Number.POSITIVE_INFINITY));
    return nextMs < Number.POSITIVE_INFINITY ? nextMs : undefined;
  }

  /**
   * The one point where events are applied: they are written down before, or saved with what came of them after, and
   * only then is anything sent.
   */
  #step(nowMs: number, events: readonly RoomEvent[]): void {
    if (this.#phase === "ended") return;
    this.#pace.stepsAt(nowMs);
    const { scheduler, load, mark } = this.#services;
    const startMs = scheduler.now();
    try {
      if (events.length > 0) this.#record(nowMs, events);
      mark?.begin(this.#mark);
      const result = this.#runtime.step(nowMs, events);
      mark?.end();
      const tookMs = scheduler.now() - startMs;
      this.#checkDeterminism(nowMs, events, result);
      this.#publisher.keep(result, this.#sessions.all);
      this.#sessions.note(result);
      const { hasSteppedBack } = this;
      const save = () => this.#checkpoint();
      const isGoingOn = this.#phase === "open" && !result.disconnected;
      const step = { nowMs, isEmpty: events.length === 0, result, hasSteppedBack };
      const saved = isGoingOn ? this.#recorder?.applied(step, save) : undefined;
      this.#settle(result, saved ?? "no");
      if (this.#phase === "open") this.#recorder?.sent(tookMs, save);
    } catch (error) {
      if (!(error instanceof RoomFailure)) throw error;
      mark?.end();
      this.#fail(error);
    } finally {
      load.add(scheduler.now() - startMs);
    }
  }

  #checkDeterminism(nowMs: number, events: readonly RoomEvent[], result: StepResult): void {
    const difference = this.#determinism?.observe(this.#runtime, nowMs, events, result);
    if (difference === undefined) return;
    const { path, room, copy } = difference;
    this.#services.log.error(
      { path, room: String(room), copy: String(copy), event: events.at(-1)?.type },
      "the room is no function of its events: restored and given the same ones, it differs",
    );
  }

  #record(nowMs: number, events: readonly RoomEvent[]): void {
    try {
      this.#recorder?.append(nowMs, events);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new RoomFailure(events[0]?.type ?? "tick", error);
    }
  }

  #checkpoint(): Uint8Array {
    this.#services.mark?.begin(this.#mark);
    try {
      return encodeCheckpoint<HostedCheckpoint>({
        code: this.#code,
        stepBackEpoch: this.#stepBackEpoch,
        runtime: this.#runtime.save(),
        sessions: this.#sessions.save(),
      });
    } finally {
      this.#services.mark?.end();
    }
  }

  /** The one point where what came of a step leaves the room. */
  #settle(result: StepResult, saved: Saved): void {
    this.#isSomebodyBehind = this.#publisher.publish(result, this.#sessions.all, saved);
    this.#sessions.settle(result);
    for (const effect of result.effects) this.#startEffect(effect);
    if (result.listingChanged)
      this.#services.report({
        type: "room-updated",
        roomId: this.id,
        ...this.#runtime.listing,
      });
    if (result.disconnected) this.#close("ROOM_CLOSED");
    if (this.#phase === "disposing") this.#finishWhenSettled();
    else this.#pace.armWake();
  }

  #startEffect(effect: PendingEffect): void {
    this.#effects.start(effect, this.#runtime.effectHooks(effect.name));
  }

  /** What of the room stands in each WELCOME. */
  #roomWelcome(): RoomWelcome {
    const { roomId, roomType, code, epoch } = this.#create;
    return {
      roomId,
      roomType,
      code,
      epoch,
      reconnectMs: this.#roomClass.reconnectMs,
      worker: this.#services.worker,
      tag: this.#tag,
      tickRate: this.#roomClass.tickRate,
      savesLater: this.#recorder?.savesLater ?? false,
      stepBackEpoch: this.#stepBackEpoch,
      messages: this.#runtime.messageNames,
      schemaHash: this.#schema.hash,
      schema: this.#schema.descriptor,
    };
  }

  // The end.

  #fail(failure: RoomFailure): void {
    this.#services.log.error({ event: failure.event, err: failure.cause }, failure.message);
    this.#phase = "disposing";
    this.#disconnectAll("ROOM_ERROR");
    this.#finish();
  }

  #close(code: ErrorCode): void {
    if (this.#phase !== "open") return;
    this.#phase = "disposing";
    this.#pace.stop();
    this.#disconnectAll(code);
    // What clients still wanted is void; what effects have brought is not.
    const results = this.#queue.takeAll().filter(({ type }) => type === "effect");
    const left: RoomEvent[] = [...this.#runtime.clients].map(({ sessionId }) => ({
      type: "left",
      sessionId,
      consented: false,
    }));
    this.#step(this.#pace.stepTimeMs, [...results, ...left, { type: "dispose" }]);
  }

  /** The last owner has died while the room ended: it goes on ending. @param hasEnded only its primary had not heard */
  #endAgain(hasEnded: boolean): void {
    this.#phase = "disposing";
    this.#pace.stop();
    if (hasEnded) return this.#finish();
    for (const effect of this.#runtime.pendingEffects) this.#startEffect(effect);
    this.#finishWhenSettled();
  }

  #disconnectAll(code: ErrorCode): void {
    this.#closeCode = code;
    this.#sessions.endAll(code);
  }

  /** Effects that `onDispose` started, such as saving a score, still get their results. */
  #finishWhenSettled(): void {
    if (this.#effects.pendingCount === 0 && this.#queue.isEmpty) return this.#finish();
    this.#effects.abortAfter(LIMITS.disposeEffectsMs);
  }

  #finish(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#pace.stop();
    this.#effects.abort();
    this.#sessions.forgetAll();
    this.#recorder?.dispose();
    this.#services.report({ type: "room-disposed", roomId: this.id });
    this.#end();
  }
}
