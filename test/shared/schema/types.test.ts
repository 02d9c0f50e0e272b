/** The types a schema stands for. tsc checks them; the run time has little to add. */
import { expect, expectTypeOf, test } from "vitest";
import {
  bool,
  describe as describeSchema,
  entity,
  type Init,
  type InputOf,
  i8,
  input,
  type Live,
  type LiveList,
  type LiveMap,
  list,
  Mirror,
  type MirrorMap,
  map,
  optional,
  owner,
  quantised,
  ref,
  StateEncoder,
  string,
  u8,
  u16,
  type View,
} from "../../../shared/schema/index.ts";

/** For what only tsc shall look at. */
function typesOnly(_unused: () => unknown): void {}

const Player = entity({
  x: quantised(0, 2_000, 0.1),
  hp: u8,
  name: string,
  ready: bool,
  nick: optional(string),
  target: optional(ref(() => Player)),
  weapon: ref(() => Weapon),
  ammo: owner(u16),
  hand: owner(list(u8)),
});
const Weapon = entity({ kind: u8, holder: ref(() => Player) });
const State = entity({ phase: u8, board: list(bool), players: map(Player), weapons: map(Weapon) });

test("Live has writable fields and read-only collections", () => {
  type P = Live<typeof Player>;
  expectTypeOf<P["x"]>().toEqualTypeOf<number>();
  expectTypeOf<P["ready"]>().toEqualTypeOf<boolean>();
  expectTypeOf<P["nick"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<P["target"]>().toEqualTypeOf<P | undefined>();
  expectTypeOf<P["weapon"]>().toEqualTypeOf<Live<typeof Weapon> | undefined>();
  expectTypeOf<P["ammo"]>().toEqualTypeOf<number>();
  expectTypeOf<P["hand"]>().toEqualTypeOf<LiveList<number>>();
  expectTypeOf<Live<typeof State>["board"]>().toEqualTypeOf<LiveList<boolean>>();
  expectTypeOf<Live<typeof State>["players"]>().toEqualTypeOf<LiveMap<typeof Player>>();

  const { root } = new StateEncoder(State);
  const player = root.players.set("a", { name: "Ann" });
  expectTypeOf(player).toEqualTypeOf<P>();
  player.target = player;
  expectTypeOf(player.target.target?.weapon?.holder?.name).toEqualTypeOf<string | undefined>();
  // @ts-expect-error a field has its type
  typesOnly(() => (player.name = 5));
  // @ts-expect-error collections are changed, not replaced
  typesOnly(() => (root.players = new StateEncoder(State).root.players));
  // @ts-expect-error a ref has its entity
  typesOnly(() => (player.weapon = player));
});

test("Init may leave out anything, and invents nothing", () => {
  expectTypeOf<Record<string, never>>().toExtend<Init<typeof Player>>();
  expectTypeOf<{ board: Set<boolean>; players: { a: { x: number } } }>().toExtend<Init<typeof State>>();
  expectTypeOf<{ x: string }>().not.toExtend<Init<typeof Player>>();
  const { root } = new StateEncoder(State);
  // @ts-expect-error no such field
  expect(() => root.players.set("a", { speed: 1 })).toThrow(TypeError);
});

test("View is read-only, and private fields may be unknown", () => {
  type V = View<typeof Player>;
  expectTypeOf<V["x"]>().toEqualTypeOf<number>();
  expectTypeOf<V["target"]>().toEqualTypeOf<V | undefined>();
  expectTypeOf<V["ammo"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<V["hand"]>().toEqualTypeOf<readonly number[] | undefined>();
  expectTypeOf<View<typeof State>["board"]>().toEqualTypeOf<readonly boolean[]>();
  expectTypeOf<View<typeof State>["players"]>().toEqualTypeOf<MirrorMap<typeof Player>>();

  const mirror = new Mirror<typeof State>(describeSchema(State));
  expectTypeOf(mirror.state.players.get("a")).toEqualTypeOf<V | undefined>();
  mirror.state.players.onChange((player, key, fields) => {
    expectTypeOf(player).toEqualTypeOf<V>();
    expectTypeOf(key).toEqualTypeOf<string>();
    expectTypeOf(fields).toEqualTypeOf<readonly string[]>();
  });
  // @ts-expect-error the mirror only follows
  typesOnly(() => (mirror.state.phase = 1));
});

test("InputOf needs what is not optional", () => {
  const Move = input({ dx: i8, shoot: bool, say: optional(string) });
  type M = InputOf<typeof Move>;
  expectTypeOf<M["dx"]>().toEqualTypeOf<number>();
  expectTypeOf<M["shoot"]>().toEqualTypeOf<boolean>();
  expectTypeOf<M["say"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<{ dx: number; shoot: boolean }>().toExtend<M>();
  expectTypeOf<{ dx: number }>().not.toExtend<M>();
});

test("what is no field is refused", () => {
  // @ts-expect-error a number is no field
  typesOnly(() => entity({ x: 5 }));
  // @ts-expect-error lists hold plain values
  typesOnly(() => list(ref(() => Player)));
  // @ts-expect-error a map cannot be private
  typesOnly(() => owner(map(Player)));
});
