/**
 * The seat in a room across a reload of the page: what resumes the session is kept in the tab's own storage while the
 * page is away. It is taken out when it is read, so that a copy of the tab finds nothing.
 */
import type { Room } from "../../../sdk/index.ts";

export type Seat = { readonly resumeToken: string; readonly eventsReceived: number };

type SeatedRoom = Pick<Room, "resumeToken" | "eventsReceived" | "connectionState">;

/** After a longer absence nobody expects to be back in a game at once. */
const KEPT_MS = 60_000;

const keyOf = (roomType: string) => `rookery.seat.${roomType}`;

/** Remembers the seat whenever the page goes away. @returns stops doing so */
export function keepSeat(roomType: string, room: SeatedRoom): () => void {
  const save = () => {
    if (room.connectionState === "closed") return;
    const { resumeToken, eventsReceived } = room;
    sessionStorage.setItem(
      keyOf(roomType),
      JSON.stringify({ resumeToken, eventsReceived, leftAt: Date.now() }),
    );
  };
  addEventListener("pagehide", save);
  return () => removeEventListener("pagehide", save);
}

/** @returns the seat that was kept before the page was loaded again */
export function takeSeat(roomType: string): Seat | undefined {
  const kept = sessionStorage.getItem(keyOf(roomType));
  sessionStorage.removeItem(keyOf(roomType));
  if (kept === null) return undefined;
  const { resumeToken, eventsReceived, leftAt = 0 } = JSON.parse(kept) as Partial<Seat & { leftAt: number }>;
  if (Date.now() - leftAt > KEPT_MS) return undefined;
  return typeof resumeToken === "string" && typeof eventsReceived === "number"
    ? { resumeToken, eventsReceived }
    : undefined;
}
