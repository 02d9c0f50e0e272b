/** The load of W3: each client says something 5 times a second, at times of its own. */
import { CHAT } from "../chat/text.ts";

export function chatLoad(clients: number) {
  return {
    clients,
    inputsPerSecond: CHAT.messagesPerSecond,
    inputBytes: CHAT.messageBytes,
    inputForm: "text",
    inputTimes: "own",
    updates: "events",
    roomSize: CHAT.seats,
  } as const;
}
