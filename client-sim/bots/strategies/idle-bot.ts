/** Watches: for room types whose messages the simulator does not know. */
import type { Player, Strategy } from "./strategy.ts";

/** @param roomType any that the server has, in which everybody sees the same */
export function idleBot(roomType: string): Strategy {
  return async ({ client, name }): Promise<Player> => {
    const room = await client.joinOrCreate(roomType, { name });
    return { room, comparesState: true, act: () => undefined };
  };
}
