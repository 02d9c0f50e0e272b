/** What all players of a case have found together. */
import { DivergenceDetector } from "../../client-sim/bots/divergence.ts";
import { Durations } from "../../client-sim/bots/durations.ts";
import type { Outcome } from "./outcome.ts";
import { Violations } from "./violations.ts";

export class Tally {
  socketsKept = 0;
  socketsResumed = 0;
  inputsLost = 0;
  inputsDoubled = 0;
  eventsLost = 0;
  eventsDoubled = 0;
  ticksLost = 0;
  /** Ticks of which a room believes something else than it had told. */
  ticksChanged = 0;
  readonly pauseMs = new Durations();
  /** Of those whose room has moved from a worker that lives. */
  readonly movePauseMs = new Durations();
  readonly divergence = new DivergenceDetector();
  readonly violations = new Violations();

  /** @param roomsQuarantined what the server has put aside */
  outcome(roomsQuarantined: number): Outcome {
    const { p50, p99, max } = this.pauseMs.percentiles();
    return {
      socketsKept: this.socketsKept,
      socketsResumed: this.socketsResumed,
      pauseMs: { p50, p99, max },
      inputsLost: this.inputsLost,
      inputsDoubled: this.inputsDoubled,
      eventsLost: this.eventsLost,
      eventsDoubled: this.eventsDoubled,
      ticksLost: this.ticksLost,
      divergences: this.divergence.divergences + this.ticksChanged,
      roomsQuarantined,
      violations: this.violations.sentences,
    };
  }
}
