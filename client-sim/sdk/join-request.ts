/**
 * How a client asks for a place in a room: over HTTP, which answers with a ticket, or in the WebSocket handshake
 * itself (PROTOCOL.md, section J).
 */
import { RookeryError } from "../../shared/errors.ts";
import type { JoinAnswer, JoinMode, JoinRequest, RoomListing } from "../../shared/protocol/wire.ts";
import { type Http, requestJson } from "./http.ts";

/** What to join, kept so that it can be asked for again. */
export type JoinIntent = {
  readonly roomType: string;
  readonly request: JoinRequest & { readonly mode: JoinMode };
};

/** @throws RookeryError with the code of the refusal */
export async function requestTicket(http: Http, { roomType, request }: JoinIntent): Promise<JoinAnswer> {
  const answer = await requestJson(http, `/join/${encodeURIComponent(roomType)}`, request);
  if (!isJoinAnswer(answer)) throw new RookeryError("INTERNAL", "The server's answer is no ticket.");
  return answer;
}

/** @throws RookeryError with the code of the refusal */
export async function requestRooms(http: Http, roomType?: string): Promise<RoomListing[]> {
  const query = roomType === undefined ? "" : `?type=${encodeURIComponent(roomType)}`;
  const answer = await requestJson(http, `/rooms${query}`);
  if (!Array.isArray(answer)) throw new RookeryError("INTERNAL", "The server's answer is no list of rooms.");
  return answer as RoomListing[];
}

/** Address of the WebSocket that redeems tickets and resumes sessions. */
export function socketUrl(baseUrl: string): string {
  return `${baseUrl.replace(/^http/, "ws")}/ws`;
}

/** Address of a WebSocket that joins in its handshake. */
export function directUrl(baseUrl: string, { roomType, request }: JoinIntent): string {
  const query = new URLSearchParams({ mode: request.mode });
  if (request.roomId !== undefined) query.set("roomId", request.roomId);
  if (request.code !== undefined) query.set("code", request.code);
  if (request.options !== undefined) query.set("options", JSON.stringify(request.options));
  return `${socketUrl(baseUrl)}/${encodeURIComponent(roomType)}?${query}`;
}

function isJoinAnswer(answer: unknown): answer is JoinAnswer {
  const { ticket, url } = (answer ?? {}) as Partial<JoinAnswer>;
  return typeof ticket === "string" && typeof url === "string";
}
