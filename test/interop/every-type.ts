/**
 * A room with every type of field there is. It changes something in every tick and tells each client, as plain data,
 * what that client should see now: so a client in another language is checked on more than its own opinion.
 */
import type { Client } from "../../server/room/client.ts";
import { message } from "../../server/room/messages.ts";
import { Room } from "../../server/room/room.ts";
import {
  bool,
  entity,
  f32,
  f64,
  i8,
  i16,
  i32,
  input,
  type Live,
  list,
  map,
  optional,
  owner,
  quantised,
  ref,
  string,
  u8,
  u16,
  u32,
} from "../../shared/schema/index.ts";

const Part = entity({ size: u8, price: owner(u32) }, "Part");

const Thing = entity(
  {
    /** Its key, since refs are shown by it. */
    key: string,
    at: quantised(-2, 1000, 0.1),
    next: ref(() => Thing),
    tags: list(string),
    mood: optional(i8),
    ammo: owner(u16),
    wish: owner(optional(string)),
    plans: owner(list(i16)),
    aim: owner(ref(() => Thing)),
    parts: map(Part),
  },
  "Thing",
);

/** More than 8 fields, so that a mask has more than one byte. */
const World = entity(
  {
    a: u8,
    b: u16,
    things: map(Thing),
    c: u32,
    d: i8,
    e: i16,
    f: i32,
    g: f32,
    h: f64,
    isLate: bool,
    text: string,
    heading: optional(quantised(-3.15, 3.15, 0.0001)),
    line: list(quantised(0, 10, 0.5)),
    leader: ref(() => Thing),
  },
  "World",
);

/** scenarios.py has the same. */
const Report = input({
  id: u32,
  offset: i16,
  ratio: f64,
  heading: quantised(-3.15, 3.15, 0.0001),
  isSure: bool,
  note: optional(string),
});

const PARTS_MAX = 3;

export class EveryType extends Room<typeof World> {
  static state = World;
  static tickRate = 20;
  #ticks = 0;

  messages = {
    report: message(Report, (client, report) => client.send("reported", report)),
  };

  onJoin({ sessionId }: Client) {
    this.state.things.set(sessionId, { key: sessionId });
  }

  onLeave({ sessionId }: Client) {
    this.state.things.delete(sessionId);
  }

  onTick() {
    const n = ++this.#ticks;
    const { state } = this;
    state.a = n % 256;
    if (n % 2 === 0) Object.assign(state, { b: 65_535 - n, d: -n % 128, g: n / 3, isLate: n % 4 === 0 });
    if (n % 3 === 0) Object.assign(state, { c: 2 ** 32 - n, e: -n * 9, f: -(2 ** 31) + n, h: this.random() });
    if (n % 5 === 0) state.heading = n % 2 === 0 ? undefined : this.random() * 6 - 3;
    if (n % 7 === 0) state.line.replace([n % 10, 0.5, this.random() * 10]);
    state.text = "ä€😀".repeat(n % 40);
    const things = [...state.things.values()];
    for (const thing of things) this.#changeThing(thing, things, n);
    state.leader = this.#oneOf(things);
    for (const client of this.clients) client.send("truth", truthFor(client.sessionId, state));
  }

  #changeThing(thing: Live<typeof Thing>, things: readonly Live<typeof Thing>[], n: number) {
    thing.at = this.random() * 1002 - 2;
    thing.next = this.#oneOf(things);
    if (n % 2 === 0) thing.tags.push(`tag ${n}`);
    if (n % 9 === 0) thing.tags.clear();
    if (n % 3 === 0) thing.mood = n % 2 === 0 ? undefined : -5;
    if (n % 4 === 0) Object.assign(thing, { ammo: n * 11, aim: this.#oneOf(things) });
    if (n % 5 === 0) thing.wish = n % 2 === 0 ? undefined : `wish ${n}`;
    if (n % 6 === 0) thing.plans.push(-n);
    const key = `part ${n % PARTS_MAX}`;
    if (this.random() < 0.3) thing.parts.delete(key);
    else thing.parts.set(key, { size: n % 256, price: n }, { owner: thing.key });
  }

  /** One of them or none. */
  #oneOf<T>(things: readonly T[]): T | undefined {
    return things[Math.floor(this.random() * (things.length + 1))];
  }
}

/** What a client should see: a ref as its entity's key, and no private fields but its own. */
function truthFor(sessionId: string, state: Live<typeof World>) {
  const { a, b, c, d, e, f, g, h, isLate, text, heading, line, leader, things } = state;
  return {
    ...{ a, b, c, d, e, f, g, h, isLate, text, heading, line: [...line], leader: leader?.key },
    things: Object.fromEntries(Array.from(things, ([key, thing]) => [key, thingFor(sessionId, thing)])),
  };
}

function thingFor(sessionId: string, thing: Live<typeof Thing>) {
  const { key, at, next, tags, mood, ammo, wish, plans, aim, parts } = thing;
  const isOwn = key === sessionId;
  return {
    ...{ key, at, next: next?.key, tags: [...tags], mood },
    ...(isOwn ? { ammo, wish, plans: [...plans], aim: aim?.key } : {}),
    parts: Object.fromEntries(
      Array.from(parts, ([partKey, { size, price }]) => [partKey, isOwn ? { size, price } : { size }]),
    ),
  };
}
