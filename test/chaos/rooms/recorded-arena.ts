/** The arena, with its whole journal kept. */
import { Arena } from "../../../server/games/arena.ts";

export class RecordedArena extends Arena {
  static override readonly record = true;
}
