/** Tickets: signed by the primary, good for one session for a short time, redeemed in the WebSocket handshake. */
import { randomBytes } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { RookeryError } from "../../shared/errors.ts";
import type { Admission } from "./matchmaker.ts";

const ALGORITHM = "HS256";
const SECRET_BYTES = 32;

export type Ticket = { readonly roomId: string; readonly sessionId: string };

export class Tickets {
  readonly #key: Uint8Array;

  /** @param secret random by default, which voids all tickets at a restart */
  constructor(secret: string | undefined) {
    this.#key = secret === undefined ? randomBytes(SECRET_BYTES) : new TextEncoder().encode(secret);
  }

  /** @param audience the machine's public address, which the ticket is for */
  async issue({ roomId, sessionId, expiresAt }: Admission, audience: string): Promise<string> {
    return await new SignJWT({ room: roomId })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(sessionId)
      .setAudience(audience)
      .setExpirationTime(Math.ceil(expiresAt / 1000))
      .sign(this.#key);
  }

  /** @throws RookeryError TICKET_INVALID */
  async verify(ticket: string): Promise<Ticket> {
    try {
      const { payload } = await jwtVerify<{ room: string }>(ticket, this.#key, { algorithms: [ALGORITHM] });
      if (typeof payload.room === "string" && payload.sub !== undefined)
        return { roomId: payload.room, sessionId: payload.sub };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    throw new RookeryError("TICKET_INVALID");
  }
}
