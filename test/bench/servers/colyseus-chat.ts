/** The rooms of W3 and W4, as a user of Colyseus writes them: without state, so without patches. */
import { type Client, Room } from "@colyseus/core";
import { CHAT } from "../chat/text.ts";
import { LOBBY_SEATS } from "../lobby.ts";

export class Lobby extends Room {
  maxClients = LOBBY_SEATS;
  patchRate = null;
}

export class Chat extends Room {
  maxClients = CHAT.seats;
  patchRate = null;

  onCreate() {
    this.onMessage(CHAT.event, (_client: Client, text: string) => this.broadcast(CHAT.event, text));
  }
}
