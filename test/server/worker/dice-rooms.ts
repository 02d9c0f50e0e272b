/** Rooms of each durability that a test can look into, and how a client plays in them. */
import { LIMITS } from "../../../server/limits.ts";
import { Dice } from "../../support/rooms/dice.ts";
import { DiceClient } from "./dice-client.ts";
import { Owners } from "./owners.ts";

export const TICK_MS = 1_000 / Dice.tickRate;

export class Observed extends Dice {
  /** The room that was made last. */
  static last: Observed;
  /** What happens in the next ticks, besides. */
  static inTick = (): void => undefined;

  constructor() {
    super();
    Observed.last = this;
  }

  override onTick() {
    super.onTick();
    Observed.inTick();
  }
}
/** The same, without ticks. */
export class Cup extends Observed {
  static override tickRate = 0;
}
export class Written extends Observed {
  static override durability = "journal";
}
export class Unwritten extends Observed {
  static override durability = "none";
}

/** What the room has applied of a client's throws, in order. */
export const accountOf = (client: DiceClient) => Observed.last.data.get(client.sessionId);
export const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A room with one client, that has been welcomed. */
export async function seated(roomClass: typeof Dice) {
  const owners = new Owners();
  const room = owners.next(roomClass);
  const client = new DiceClient("ann");
  client.join(room);
  await owners.time.advance(2 * TICK_MS);
  client.read();
  return { owners, room, client };
}

/** The next tick takes so long that a checkpoint follows. */
export function slow(owners: Owners): void {
  Observed.inTick = () => {
    owners.lagMs += 2 * LIMITS.checkpointStepMs;
    Observed.inTick = () => undefined;
  };
}

/** One throw and one tick, again and again. */
export async function play({ time }: Owners, client: DiceClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    client.throw();
    await time.advance(TICK_MS);
    client.read();
  }
}
