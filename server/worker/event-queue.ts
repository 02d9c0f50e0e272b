/**
 * Events that wait for a room's next step. One client cannot fill a tick: of each at most
 * `messagesPerClientPerTickMax` messages are applied in one, in order, and the rest waits.
 */
import { LIMITS } from "../limits.ts";
import type { RoomEvent } from "../room/room-events.ts";

export class EventQueue {
  #events: RoomEvent[] = [];

  /** Full for messages: what the server itself has to say (joined, dropped, left, ...) is bounded by the seats. */
  get isFull(): boolean {
    return this.#events.length >= LIMITS.roomQueueEventsMax;
  }

  /** At this rate it may soon be full. */
  get isHalfFull(): boolean {
    return this.#events.length >= LIMITS.roomQueueEventsMax / 2;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  push(event: RoomEvent): void {
    this.#events.push(event);
  }

  /** Removes what a session has in the queue. */
  forget(sessionId: string): void {
    this.#events = this.#events.filter((event) => !("sessionId" in event) || event.sessionId !== sessionId);
  }

  takeAll(): RoomEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  takeForTick(): RoomEvent[] {
    const events = this.takeAll();
    // The common case needs no counting.
    if (events.length <= LIMITS.messagesPerClientPerTickMax) return events;
    const counts = new Map<string, number>();
    const taken: RoomEvent[] = [];
    for (const event of events) {
      if (!("sessionId" in event)) {
        taken.push(event);
        continue;
      }
      const count = counts.get(event.sessionId) ?? 0;
      // Everything of a session behind its first message that waits must wait too, or it would overtake it.
      const waits =
        count > LIMITS.messagesPerClientPerTickMax ||
        (event.type === "message" && count === LIMITS.messagesPerClientPerTickMax);
      if (event.type === "message") counts.set(event.sessionId, count + 1);
      if (waits) this.#events.push(event);
      else taken.push(event);
    }
    return taken;
  }
}
