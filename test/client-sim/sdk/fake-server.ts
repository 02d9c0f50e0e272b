/** The server of most tests of the client: its room is about nothing in particular. */
import {
  bool,
  entity,
  i8,
  input,
  type Live,
  map,
  owner,
  quantised,
  string,
  u8,
  u16,
} from "../../../shared/schema/index.ts";
import type { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeHost } from "./fake-host.ts";

export const Player = entity(
  { x: quantised(0, 2000, 0.1), hp: u8, name: string, ammo: owner(u16) },
  "Player",
);
export const TestState = entity({ phase: u8, players: map(Player) }, "TestState");
export const MoveInput = input({ dx: i8, dy: i8, shoot: bool });

export class FakeServer extends FakeHost<typeof TestState> {
  constructor(time: SimulatedTime) {
    super(time, TestState);
  }

  protected override enter(root: Live<typeof TestState>, sessionId: string, count: number): void {
    root.players.set(sessionId, { x: 10 * count, hp: 100, name: `player ${count}`, ammo: 7 });
  }
}
