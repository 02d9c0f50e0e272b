/** The server this page came from, and what the page's address asks of it. */
import { Client, type NetworkConditions } from "../../../sdk/index.ts";

const query = new URLSearchParams(location.search);

/** Code or id of the room that a link invites to. */
export const invitedCode = query.get("room") ?? undefined;
export const invitedRoomId = query.get("id") ?? undefined;

/** `?latency=100&jitter=20` makes the network worse than it is. */
function conditionsOfAddress(): NetworkConditions | undefined {
  const latencyMs = Number(query.get("latency") ?? 0);
  const jitterMs = Number(query.get("jitter") ?? 0);
  return latencyMs > 0 || jitterMs > 0 ? { latencyMs, jitterMs } : undefined;
}

export const client = new Client(location.origin, { conditions: conditionsOfAddress() });

/** @returns the address of this server's page, with what this page's says about the network */
export function pageUrl(page: string, room: { readonly room?: string; readonly id?: string } = {}): string {
  const url = new URL(page, location.origin);
  for (const name of ["latency", "jitter"]) {
    const value = query.get(name);
    if (value !== null) url.searchParams.set(name, value);
  }
  for (const [name, value] of Object.entries(room)) url.searchParams.set(name, value);
  return url.href;
}

/** @returns the link by which others join a room: `page` with the room's code, and nothing of our network */
export function inviteUrl(page: string, code: string): string {
  const url = new URL(page, location.origin);
  url.searchParams.set("room", code);
  return url.href;
}
