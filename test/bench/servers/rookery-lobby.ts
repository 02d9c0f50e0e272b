/** Rooms in which nothing happens: what joining costs, and what a room and a connection cost while they are idle. */
import { Room } from "../../../server/index.ts";
import { LOBBY_SEATS } from "../lobby.ts";

export class Lobby extends Room {
  static maxClients = LOBBY_SEATS;
}

/** Stays when its last client has left. */
export class LastingLobby extends Lobby {
  static autoDispose = false;
}
