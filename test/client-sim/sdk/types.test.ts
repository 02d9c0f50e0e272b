/** What the compiler infers for users; checked by the type check, since nothing here does anything at run time. */
import type { ObjectSchema, StringSchema } from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import type { Client } from "../../../client-sim/sdk/client.ts";
import type { DynamicState, Interpolator, Predictor, Room } from "../../../client-sim/sdk/index.ts";
import type { WebSocketConstructor } from "../../../client-sim/sdk/socket.ts";
import type { InputOf, Mirror, View } from "../../../shared/schema/index.ts";
import type { MoveInput, Player, TestState } from "./fake-server.ts";

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

  it("of a prediction follow from what is read and which message carries its inputs", () => {
    const predict = (room: TypedRoom) =>
      room.predict({
        message: "move",
        read: ({ players }) => {
          const player = players.get("id");
          return player && { x: player.x, name: player.name };
        },
        step: (body, { dx }) => ({ ...body, x: body.x + dx }),
        numbers: ["x"],
      });
    expectTypeOf(predict).returns.toEqualTypeOf<
      Predictor<InputOf<typeof MoveInput>, { x: number; name: string }>
    >();
    const refuse = (room: TypedRoom) => {
      const read = () => ({ x: 1, name: "" });
      // @ts-expect-error there is no such message
      room.predict({ message: "jump", read, step: (body) => body });
      // @ts-expect-error a name cannot be blended
      room.predict({ message: "move", read, step: (body) => body, numbers: ["name"] });
      // @ts-expect-error the input has no such field
      room.predict({ message: "move", read, step: (body, { speed }) => ({ ...body, x: speed }) });
    };
    expectTypeOf(refuse).toBeFunction();
  });

  it("of an interpolation follow from the entities selected and the fields named", () => {
    const interpolate = (room: TypedRoom) =>
      room.interpolate(({ players }) => players, { numbers: ["x"], angles: ["hp"] });
    expectTypeOf(interpolate).returns.toEqualTypeOf<Interpolator<View<typeof Player>, "x" | "hp">>();
    const sampleOf = (interpolator: ReturnType<typeof interpolate>) => interpolator.sample("id");
    expectTypeOf(sampleOf).returns.toEqualTypeOf<{ readonly x: number; readonly hp: number } | undefined>();
    const refuse = (room: TypedRoom) => {
      // @ts-expect-error a name is no number
      room.interpolate(({ players }) => players, { numbers: ["name"] });
      // @ts-expect-error another owner's field may be absent
      room.interpolate(({ players }) => players, { numbers: ["ammo"] });
      // @ts-expect-error there is no such field
      room.interpolate(({ players }) => players, { numbers: ["speed"] });
    };
    expectTypeOf(refuse).toBeFunction();
  });

  it("take every WebSocket there is", () => {
    expectTypeOf<typeof globalThis.WebSocket>().toExtend<WebSocketConstructor>();
    expectTypeOf<typeof import("ws").WebSocket>().toExtend<WebSocketConstructor>();
  });
});
