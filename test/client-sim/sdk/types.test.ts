/** What the compiler infers for users; checked by the type check, since nothing here does anything at run time. */
import type { ObjectSchema, StringSchema } from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import type { Client } from "../../../client-sim/sdk/client.ts";
import type { DynamicState, Room } from "../../../client-sim/sdk/index.ts";
import type { WebSocketConstructor } from "../../../client-sim/sdk/socket.ts";
import type { Mirror } from "../../../shared/schema/index.ts";
import type { MoveInput, TestState } from "./fake-server.ts";

type Chat = ObjectSchema<{ readonly text: StringSchema<undefined> }, undefined>;
type Schemas = { move: typeof MoveInput; chat: Chat };
type TypedRoom = Room<typeof TestState, Schemas>;

describe("types", () => {
  it("of the state follow from the schema given", () => {
    expectTypeOf<TypedRoom["state"]["phase"]>().toEqualTypeOf<number>();
    expectTypeOf<TypedRoom["mirror"]>().toEqualTypeOf<Mirror<typeof TestState>>();
    const playerX = (room: TypedRoom) => room.state.players.get("id")?.x;
    const playerName = (room: TypedRoom) => room.state.players.get("id")?.name;
    const playerAmmo = (room: TypedRoom) => room.state.players.get("id")?.ammo;
    expectTypeOf(playerX).returns.toEqualTypeOf<number | undefined>();
    expectTypeOf(playerName).returns.toEqualTypeOf<string | undefined>();
    expectTypeOf(playerAmmo).returns.toEqualTypeOf<number | undefined>();
    // @ts-expect-error there is no such field
    expectTypeOf<TypedRoom["state"]["score"]>().toBeUndefined();
    // @ts-expect-error the mirror is read only
    expectTypeOf((room: TypedRoom) => (room.state.phase = 1)).toBeFunction();
  });

  it("of the state are unknown without a schema", () => {
    expectTypeOf<Room["state"]>().toEqualTypeOf<DynamicState>();
  });

  it("of payloads follow from the messages given", () => {
    const send = (room: TypedRoom) => {
      room.send("move", { dx: 1, dy: 0, shoot: true });
      room.send("chat", { text: "hi" });
      // @ts-expect-error a field is missing
      room.send("move", { dx: 1, dy: 0 });
      // @ts-expect-error another type of field
      room.send("chat", { text: 1 });
      // @ts-expect-error the payload is missing
      room.send("chat");
      // @ts-expect-error there is no such message
      room.send("jump", {});
    };
    expectTypeOf(send).toBeFunction();
  });

  it("of payloads are free without messages", () => {
    const send = (room: Room) => [room.send("anything"), room.send("anything", { at: "all" })];
    expectTypeOf(send).returns.toEqualTypeOf<number[]>();
  });

  it("of a room follow from what it is joined with", () => {
    const join = (client: Client, state: typeof TestState, messages: Schemas) =>
      client.joinOrCreate("arena", {}, { state, messages });
    const joinUntyped = (client: Client) => client.join("arena");
    const joinState = (client: Client, state: typeof TestState) =>
      client.joinById("arena", "id", {}, { state });
    expectTypeOf(join).returns.resolves.toEqualTypeOf<TypedRoom>();
    expectTypeOf(joinUntyped).returns.resolves.toEqualTypeOf<Room>();
    expectTypeOf(joinState).returns.resolves.toEqualTypeOf<Room<typeof TestState>>();
  });

  it("take every WebSocket there is", () => {
    expectTypeOf<typeof globalThis.WebSocket>().toExtend<WebSocketConstructor>();
    expectTypeOf<typeof import("ws").WebSocket>().toExtend<WebSocketConstructor>();
  });
});
