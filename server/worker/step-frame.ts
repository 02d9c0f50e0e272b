/** What one step has for clients, encoded once for all of them, each part when it is first needed. */
import { encodeAcks, encodeServerValue } from "../../shared/protocol/codec.ts";
import { type Ack, ServerMessage } from "../../shared/protocol/wire.ts";
import type { StepResult } from "../room/room-events.ts";
import type { RoomRuntime } from "../room/room-runtime.ts";
import { MessageWriter } from "./message-writer.ts";
import type { Saved } from "./recorder.ts";

const SAVED = encodeServerValue([ServerMessage.SAVED]);

/** Type, tick, time, acknowledgements and patch. */
const STATE_VALUES = 5;

/** Shared by all rooms of the process: each part is taken at once. */
const writer = new MessageWriter();

export type StateType = typeof ServerMessage.STATE | typeof ServerMessage.SNAPSHOT;

export class StepFrame {
  readonly step: StepResult;
  /** Events of this step that go to everybody. */
  readonly broadcastCount: number;
  /** There is a STATE, even for clients for whom nothing has changed. */
  readonly hasState: boolean;
  readonly #runtime: RoomRuntime;
  readonly #saved: Saved;
  readonly #tag: number;
  #state: Uint8Array | undefined;
  #snapshot: Uint8Array | undefined;
  #shared: Uint8Array | undefined;
  #acks: Uint8Array | undefined;
  #head: { readonly type: StateType; readonly bytes: Uint8Array } | undefined;

  /** @param tag trailer of the room's messages */
  constructor(step: StepResult, runtime: RoomRuntime, hasTicks: boolean, saved: Saved, tag: number) {
    this.step = step;
    this.#runtime = runtime;
    this.#saved = saved;
    this.#tag = tag;
    this.hasState = hasTicks || !step.change.isEmpty || step.acks.length > 0;
    this.broadcastCount = step.emissions.reduce((count, { to }) => (to === undefined ? count + 1 : count), 0);
  }

  get hasContent(): boolean {
    return this.hasState || this.broadcastCount > 0 || this.#saved === "now";
  }

  stateParts(): Uint8Array[] {
    if (!this.hasState) return this.newlySavedPart();
    const { acks, acksAreNear, change } = this.step;
    this.#state ??= this.statePart(ServerMessage.STATE, change.patch, encodeAcks(acks, acksAreNear ? 1 : 2));
    return [this.#state, ...this.savedPart()];
  }

  /** Goes with any state: it says that all of it is saved. */
  savedPart(): Uint8Array[] {
    return this.#saved === "no" ? [] : [SAVED];
  }

  /** Goes alone to clients who have the state already. */
  newlySavedPart(): Uint8Array[] {
    return this.#saved === "now" ? [SAVED] : [];
  }

  snapshotPart(): Uint8Array {
    this.#snapshot ??= this.statePart(
      ServerMessage.SNAPSHOT,
      this.#runtime.encoder.snapshot(),
      this.allAcks(),
    );
    return this.#snapshot;
  }

  /** The WebSocket frame for all who have nothing of their own. */
  shared(): Uint8Array {
    if (this.#shared !== undefined) return this.#shared;
    const stateParts = this.stateParts();
    writer.begin();
    for (const part of stateParts) writer.part(part);
    for (const { part, to } of this.step.emissions) if (to === undefined) writer.part(part);
    this.#shared = writer.takeFrame(this.#tag);
    return this.#shared;
  }

  allAcks(): Uint8Array {
    if (this.#acks === undefined) {
      const acks: Ack[] = [];
      for (const { slot, lastMessageSeq } of this.#runtime.clients) acks.push({ slot, seq: lastMessageSeq });
      this.#acks = encodeAcks(acks, 2);
    }
    return this.#acks;
  }

  /** A STATE or SNAPSHOT up to what each client has its own of: acknowledgements and patch. */
  stateHead(type: StateType): Uint8Array {
    // Of the last type: nearly all of a step's are STATE.
    if (this.#head?.type !== type) {
      this.#writeHead(type);
      this.#head = { type, bytes: writer.takePart() };
    }
    return this.#head.bytes;
  }

  statePart(type: StateType, patch: Uint8Array, acks: Uint8Array): Uint8Array {
    this.#writeHead(type);
    writer.byteString(acks);
    writer.byteString(patch);
    return writer.takePart();
  }

  #writeHead(type: StateType): void {
    const { tick, nowMs } = this.#runtime.clock;
    writer.begin();
    writer.array(STATE_VALUES);
    writer.uint(type);
    writer.uint(tick);
    writer.uint(Math.round(nowMs));
  }
}
