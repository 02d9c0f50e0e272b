/**
 * WebSocket handshakes: `/ws` redeems a ticket or a resume token, `/ws/<type>` joins in the handshake itself. The
 * primary reads the head, finds the worker and passes the socket on; it answers only those it refuses: with a close
 * code, since a browser does not show a page the HTTP status of a failed handshake.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ERRORS, type ErrorCode, RookeryError } from "../../shared/errors.ts";
import { type Offer, parseOffer, parseResumeToken } from "../../shared/protocol/handshake.ts";
import type { Config } from "../config.ts";
import type { SocketHandle } from "../ipc/channel.ts";
import type { Passenger, UpgradeHead } from "../ipc/messages.ts";
import type { Logger } from "../logger.ts";
import { acceptUpgrade } from "../transport/accept.ts";
import { detachHandle } from "../transport/socket-handle.ts";
import { clientAddress, isOriginAllowed } from "./client-address.ts";
import type { ConnectionCounts } from "./connection-counts.ts";
import type { Accept } from "./handoff.ts";
import { decodeSegment } from "./http.ts";
import { parseJoinQuery } from "./join-requests.ts";
import type { Admission, JoinCall } from "./matchmaker.ts";
import type { Ticket } from "./tickets.ts";

/** Where a connection goes, and who is on it. */
export type Destination = {
  readonly workerId: number;
  readonly roomId: string;
  readonly sessionId: string;
  readonly passenger: Passenger;
};

/** What handshakes need of the rest of the primary. */
export type UpgradeServices = {
  readonly config: Config;
  readonly log: Logger;
  readonly connections: ConnectionCounts;
  readonly join: (call: JoinCall) => Promise<Admission>;
  readonly verifyTicket: (ticket: string) => Ticket;
  /** Settles when the room of this id, or of this session, is open, or is gone. */
  readonly whenOpen: (id: string) => Promise<void>;
  readonly redeem: (ticket: Ticket) => Destination;
  readonly resume: (sessionId: string, resumeToken: string) => Destination;
  /** Passes the handle to the worker. @returns false when it cannot take it */
  readonly pass: (workerId: number, message: Accept, handle: SocketHandle) => boolean;
};

const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;
const WEBSOCKET_VERSION = "13";

export class Upgrades {
  readonly #services: UpgradeServices;
  #lastConnectionId = 0;

  constructor(services: UpgradeServices) {
    this.#services = services;
  }

  /** Listener for the HTTP server's `upgrade` event. */
  async onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Until the handle is detached, an error of this socket is nobody else's.
    socket.on("error", () => socket.destroy());
    let offer: Offer;
    try {
      offer = this.#check(request);
    } catch (error) {
      return refuseOverHttp(socket, error instanceof RookeryError ? error.code : "BAD_REQUEST");
    }
    const connectionId = ++this.#lastConnectionId;
    const key = String(request.headers["sec-websocket-key"]);
    const detached = detachHandle(socket, head);
    if (detached === undefined) return;
    const { handle, rest } = detached;
    const { schemaHash, eventsReceived } = offer;
    const upgrade = { key, rest, schemaHash, eventsReceived };
    await this.#pass(connectionId, upgrade, handle, () => {
      this.#services.connections.open(
        connectionId,
        clientAddress(request, this.#services.config.trustedProxies),
      );
      return this.#destination(request, offer);
    });
  }

  /**
   * A worker has died before it had the connection of a client that comes back: nothing of it was read or answered, so
   * it goes to the next worker of its room.
   */
  async passAgain({ connectionId, upgrade, sessionId }: Accept, resumeToken: string, handle: SocketHandle) {
    await this.#pass(connectionId, upgrade, handle, async () => {
      await this.#services.whenOpen(sessionId);
      return this.#services.resume(sessionId, resumeToken);
    });
  }

  /** Passes a connection on to where it is to go, or closes it with the reason why it goes nowhere. */
  async #pass(
    connectionId: number,
    upgrade: UpgradeHead,
    handle: SocketHandle,
    find: () => Promise<Destination>,
  ): Promise<void> {
    try {
      const { workerId, ...destination } = await find();
      const message: Accept = { type: "accept", connectionId, upgrade, ...destination };
      if (!this.#services.pass(workerId, message, handle)) throw new RookeryError("SERVER_BUSY");
      this.#services.connections.passed(connectionId, workerId);
    } catch (error) {
      if (!(error instanceof RookeryError)) this.#services.log.error({ err: error }, "a handshake failed");
      this.#services.connections.closed(connectionId);
      const code = error instanceof RookeryError ? error.code : "INTERNAL";
      acceptUpgrade(handle, upgrade).close(code);
    }
  }

  /** What must be right before a handshake can be completed at all. */
  #check(request: IncomingMessage): Offer {
    if (!isOriginAllowed(request, this.#services.config.allowedOrigins))
      throw new RookeryError("ORIGIN_REFUSED");
    const { headers } = request;
    const offer = parseOffer(headers["sec-websocket-protocol"]);
    const isHandshake =
      request.method === "GET" &&
      headers.upgrade?.toLowerCase() === "websocket" &&
      headers["sec-websocket-version"] === WEBSOCKET_VERSION &&
      WEBSOCKET_KEY.test(headers["sec-websocket-key"] ?? "");
    if (offer === undefined || !isHandshake) throw new RookeryError("BAD_REQUEST");
    return offer;
  }

  async #destination(request: IncomingMessage, offer: Offer): Promise<Destination> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, first, roomType] = url.pathname.split("/");
    if (first !== "ws") throw new RookeryError("NOT_FOUND");
    if (roomType !== undefined && roomType !== "")
      return await this.#joinByHandshake(request, decodeSegment(roomType), url, offer);
    if (offer.ticket !== undefined) {
      const ticket = this.#services.verifyTicket(offer.ticket);
      await this.#services.whenOpen(ticket.roomId);
      return this.#services.redeem(ticket);
    }
    const sessionId = offer.resume === undefined ? undefined : parseResumeToken(offer.resume)?.sessionId;
    if (offer.resume === undefined || sessionId === undefined) throw new RookeryError("BAD_REQUEST");
    await this.#services.whenOpen(sessionId);
    return this.#services.resume(sessionId, offer.resume);
  }

  async #joinByHandshake(
    request: IncomingMessage,
    roomType: string,
    url: URL,
    offer: Offer,
  ): Promise<Destination> {
    const { mode = "joinOrCreate", options = {}, roomId, code } = parseJoinQuery(url.searchParams);
    const admission = await this.#services.join({
      roomType,
      mode,
      options,
      roomId,
      code,
      token: offer.token ?? "",
      isHandshake: true,
      address: clientAddress(request, this.#services.config.trustedProxies),
      origin: request.headers.origin,
    });
    return this.#services.redeem(admission);
  }
}

/** For a request that is no handshake of ours: there is no WebSocket to close with a code. */
function refuseOverHttp(socket: Duplex, code: ErrorCode): void {
  const { status, message } = ERRORS[code];
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
