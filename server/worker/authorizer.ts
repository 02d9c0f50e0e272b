/** Asks a room type's `static onAuth` whether a join may have a seat. */
import { RookeryError } from "../../shared/errors.ts";
import { encodePayload } from "../../shared/protocol/codec.ts";
import type { AuthRequest, Failure } from "../ipc/messages.ts";
import { LIMITS } from "../limits.ts";
import type { RoomLog } from "../room/room.ts";
import type { RoomClass } from "../room/room-class.ts";

/**
 * @returns what `onAuth` returned, encoded, or why the join is refused: a RookeryError it threw as it is, anything
 * else, and a falsy result, as UNAUTHORIZED
 */
export async function authorize(
  roomClass: RoomClass,
  request: AuthRequest,
  log: RoomLog,
): Promise<{ auth: Uint8Array } | { failure: Failure }> {
  const { roomType, token, options, address, origin } = request;
  const signal = AbortSignal.timeout(LIMITS.joinDeadlineMs);
  try {
    const user = await roomClass.onAuth?.(token, { roomType, options, address, origin, signal });
    if (!user) throw new RookeryError("UNAUTHORIZED");
    const auth = encodePayload(user);
    if (auth.byteLength <= LIMITS.authBytesMax) return { auth };
    throw new RangeError(`onAuth returned ${auth.byteLength} bytes, at most ${LIMITS.authBytesMax}`);
  } catch (error) {
    if (error instanceof RookeryError) return { failure: { code: error.code, message: error.message } };
    log.warn({ roomType, err: error }, "onAuth failed");
    return { failure: { code: "UNAUTHORIZED", message: new RookeryError("UNAUTHORIZED").message } };
  }
}
