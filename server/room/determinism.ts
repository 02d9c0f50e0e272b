/**
 * Finds what makes a room differ from its own replay: state kept outside `state` and `data`, `Math.random`,
 * `Date.now`. Now and then it restores a copy of the room from a checkpoint, gives both the same events for a while,
 * and names the first field in which they differ. For development and tests: it costs a second room.
 */
import type { EntitySchema, Field } from "../../shared/schema/index.ts";
import { decodeCheckpoint, encodeCheckpoint, type RuntimeCheckpoint } from "./checkpoint.ts";
import type { RoomLog } from "./room.ts";
import type { RoomClass } from "./room-class.ts";
import type { RoomEvent, StepResult } from "./room-events.ts";
import { type RoomIdentity, RoomRuntime } from "./room-runtime.ts";

/** A copy starts in one of so many steps, on average, while there is none. */
const STEPS_BETWEEN_COPIES = 100;
/** For so many steps a copy runs beside the room. */
const COPY_STEPS = 50;

/** A log that nobody reads. */
export const SILENT: RoomLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Where a room and its copy differ. */
export type Difference = {
  /** Such as `state.players.ann.x` or `data.round`. */
  readonly path: string;
  readonly room: unknown;
  readonly copy: unknown;
};

export class DeterminismCheck {
  readonly #roomClass: RoomClass;
  readonly #identity: RoomIdentity;
  readonly #random: () => number;
  #copy: RoomRuntime | undefined;
  #stepsLeft = 0;

  /** @param random decides when copies are made; at least 0 and below 1 */
  constructor(roomClass: RoomClass, identity: RoomIdentity, random: () => number) {
    this.#roomClass = roomClass;
    this.#identity = identity;
    this.#random = random;
  }

  /**
   * To be called after each step of the room.
   *
   * @returns the first difference that this step has shown; the copy is given up then
   */
  observe(
    room: RoomRuntime,
    nowMs: number,
    events: readonly RoomEvent[],
    result: StepResult,
  ): Difference | undefined {
    if (this.#copy === undefined) {
      if (this.#random() * STEPS_BETWEEN_COPIES < 1) this.#copyOf(room);
      return undefined;
    }
    const difference = this.#compare(room, this.#copy, nowMs, events, result);
    this.#stepsLeft -= 1;
    if (difference !== undefined || this.#stepsLeft === 0) this.#copy = undefined;
    return difference;
  }

  #copyOf(room: RoomRuntime): void {
    this.#copy = restoredCopy(room, this.#roomClass, this.#identity);
    this.#stepsLeft = COPY_STEPS;
  }

  #compare(
    room: RoomRuntime,
    copy: RoomRuntime,
    nowMs: number,
    events: readonly RoomEvent[],
    result: StepResult,
  ): Difference | undefined {
    let repeated: StepResult;
    try {
      repeated = copy.step(nowMs, events);
    } catch (error) {
      return { path: "the step", room: "went well", copy: error };
    }
    const inState = firstDifference(room, copy);
    if (inState !== undefined) return inState;
    const sent = result.emissions.map(({ part }) => part);
    const sentAgain = repeated.emissions.map(({ part }) => part);
    return differenceOf(sent, sentAgain, "messages");
  }
}

/** A new runtime, restored from a checkpoint of this one. */
export function restoredCopy(room: RoomRuntime, roomClass: RoomClass, identity: RoomIdentity): RoomRuntime {
  const copy = new RoomRuntime(roomClass, identity, SILENT);
  copy.restore(decodeCheckpoint<RuntimeCheckpoint>(encodeCheckpoint(room.save())));
  return copy;
}

/** @returns the first field in which two runtimes of one room type differ */
export function firstDifference(room: RoomRuntime, copy: RoomRuntime): Difference | undefined {
  const { state: roomState, ...roomRest } = room.save();
  const { state: copyState, ...copyRest } = copy.save();
  if (!Buffer.from(roomState).equals(copyState)) {
    const a = plainState(room.schema, room.state);
    const b = plainState(copy.schema, copy.state);
    return differenceOf(a, b, "state") ?? { path: "state", room: "other entity ids", copy: "" };
  }
  return differenceOf(roomRest, copyRest, "");
}

/** The replicated state as plain objects, keyed as the author wrote it. */
export function plainState(schema: EntitySchema, live: unknown): object {
  const values = live as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(schema.fields).map(([name, field]) => [name, plainField(field, values[name])]),
  );
}

function plainField(field: Field, value: unknown): unknown {
  switch (field.kind) {
    case "map":
      return new Map(
        Array.from(value as Iterable<[string, unknown]>, ([key, entity]) => [
          key,
          plainState(field.of, entity),
        ]),
      );
    case "list":
      return [...(value as Iterable<unknown>)];
    case "owner":
      return plainField(field.of, value);
    case "ref":
      return value === undefined ? undefined : "an entity";
    case "optional":
      return field.of.kind === "ref" ? plainField(field.of, value) : value;
    default:
      return value;
  }
}

/** Compares plain data, Maps, Sets and bytes included. */
function differenceOf(a: unknown, b: unknown, path: string): Difference | undefined {
  if (Object.is(a, b)) return undefined;
  const isComposite = typeof a === "object" && typeof b === "object" && a !== null && b !== null;
  if (!isComposite) return { path, room: a, copy: b };
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return Buffer.from(a).equals(b) ? undefined : { path, room: a, copy: b };
  }
  const ofA = membersOf(a);
  const ofB = membersOf(b);
  for (const key of new Set([...ofA.keys(), ...ofB.keys()])) {
    const inner = differenceOf(
      ofA.get(key),
      ofB.get(key),
      path === "" ? String(key) : `${path}.${String(key)}`,
    );
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function membersOf(value: object): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value;
  if (value instanceof Set) return new Map([...value].map((member) => [member, true]));
  return new Map(Object.entries(value));
}
