/** A room without ticks that asks who comes: the token "let me in" opens it, and says the name of who holds it. */
import * as v from "valibot";
import type { Client } from "../../../server/room/client.ts";
import { message } from "../../../server/room/messages.ts";
import { type AuthContext, Room } from "../../../server/room/room.ts";
import { entity, u32 } from "../../../shared/schema/index.ts";

type User = { readonly name: string };

export const LobbyState = entity({ said: u32 }, "LobbyState");

export class Lobby extends Room<typeof LobbyState> {
  static state = LobbyState;
  static maxClients = 10;

  static async onAuth(token: string, context: AuthContext): Promise<User | false> {
    return token === "let me in" ? { name: String(context.options.name) } : false;
  }

  messages = {
    say: message(v.string(), (client: Client<User>, text) => {
      this.state.said += 1;
      this.broadcast("said", { name: client.auth.name, text });
    }),
  };
}
