/**
 * Cuts the frames' time into inputs of whole milliseconds, none shorter or longer than the arena's rules allow, and
 * carries over what is left. After a pause, such as of a hidden page, the time is gone: the server lets nobody catch up.
 */
import { RULES } from "../../../../shared/games/arena/rules.ts";

/** No more than about 70 inputs a second, however fast the display: the server bounds messages. */
const SENT_MS_MIN = Math.max(14, RULES.inputMsMin);

export class InputClock {
  /** Time that no input covers yet. */
  #restMs = 0;

  /** A frame has begun. */
  add(elapsedMs: number): void {
    this.#restMs += elapsedMs;
    if (this.#restMs > RULES.inputBacklogMsMax) this.#restMs = 0;
  }

  /** @returns duration of the next input; undefined when it is too early for one */
  take(): number | undefined {
    const durationMs = Math.min(RULES.inputMsMax, Math.floor(this.#restMs));
    if (durationMs < SENT_MS_MIN) return undefined;
    this.#restMs -= durationMs;
    return durationMs;
  }

  get restMs(): number {
    return this.#restMs;
  }
}
