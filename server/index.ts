/** What authors of games import. */
export { type ErrorCode, RookeryError } from "../shared/errors.ts";
export * from "../shared/schema/fields.ts";
export { type InputOf, input } from "../shared/schema/input.ts";
export type { Live } from "../shared/schema/types.ts";
export type { Client, ClientList, ClientView } from "./room/client.ts";
export { type EffectContext, effect } from "./room/effects.ts";
export { message } from "./room/messages.ts";
export {
  type AuthContext,
  type JoinOptions,
  Room,
  type RoomClock,
  type RoomLog,
  type SavedByOtherCode,
} from "./room/room.ts";
export { timer } from "./room/timers.ts";
export { type ServeOptions, serve } from "./serve.ts";
