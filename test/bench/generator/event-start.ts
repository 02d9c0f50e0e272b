/** By what the load generator counts events: the first bytes of what a room of Rookery sends as CHAT.event [M1]. */
import { ServerMessage } from "../../../shared/protocol/wire.ts";
import { CHAT } from "../chat/text.ts";
import { MSGPACK, shortText } from "./msgpack-bytes.ts";

/** Type, name and value. */
const VALUES = 3;

export const EVENT_START = Uint8Array.of(
  MSGPACK.ARRAY | VALUES,
  ServerMessage.EVENT,
  ...shortText(CHAT.event),
);
