/** W3's rooms, as a user of Rookery writes them: without ticks, and with the flush windows that are compared. */
import { maxLength, pipe, string } from "valibot";
import { message, Room } from "../../../server/index.ts";
import { CHAT } from "../chat/text.ts";

const CHARACTERS_MAX = 200;

/** What is said is sent on at once. */
export class Chat extends Room {
  static maxClients = CHAT.seats;

  messages = {
    say: message(pipe(string(), maxLength(CHARACTERS_MAX)), (_client, text) => {
      this.broadcast(CHAT.event, text);
    }),
  };
}

/** What is said within 10 ms shares a frame. */
export class Chat10 extends Chat {
  static flushMs = 10;
}

export class Chat50 extends Chat {
  static flushMs = 50;
}
