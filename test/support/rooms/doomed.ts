/** A room that takes its worker with it when asked to, with last words in the log. Nothing of it is written down. */
import * as v from "valibot";
import { message } from "../../../server/room/messages.ts";
import { Room } from "../../../server/room/room.ts";
import { entity, u32 } from "../../../shared/schema/index.ts";

export const DoomedState = entity({ asked: u32 }, "DoomedState");
export const WAYS_TO_DIE = ["exit", "abort", "throw"] as const;
/** So many lines right before the end: more than a buffer that is written now and then would have let out. */
export const LAST_LINES = 200;

export class Doomed extends Room<typeof DoomedState> {
  static state = DoomedState;
  static durability = "none";

  messages = {
    die: message(v.picklist(WAYS_TO_DIE), (_client, way) => {
      for (let line = 1; line < LAST_LINES; line++) this.log.info({ line }, "dying");
      this.log.warn({ line: LAST_LINES, way }, "last words");
      if (way === "exit") process.exit(7);
      if (way === "abort") process.abort();
      // Outside the room, where nobody catches it.
      setImmediate(() => {
        throw new Error("thrown outside the room");
      });
    }),
  };
}
