/**
 * What a lost connection or a refused join means: try the same session again, ask for a new one, or give up; and how
 * long to wait before that.
 */
import { ERRORS, type ErrorCode, errorOfClose, RookeryError } from "../../shared/errors.ts";
import { RetryLaterError } from "./http.ts";
import { CLIENT_LIMITS } from "./limits.ts";

/** Why there is no connection. */
export type Loss = {
  /** WebSocket close code, the one that stands for `reason` when the refusal came over HTTP. */
  readonly close: number;
  readonly reason: ErrorCode | undefined;
  readonly retry: "resume" | "rejoin" | "no";
  /** The server asked to wait at least so long. */
  readonly retryAfterMs: number;
  readonly cause?: unknown;
};

/** An orderly end, and what the same client would only do again: a policy broken, a message too large. */
const FINAL_CLOSES: ReadonlySet<number> = new Set([1000, 1008, 1009]);

/** Of a closed WebSocket. Codes: https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
export function lossOfClose(close: number): Loss {
  const reason = errorOfClose(close);
  if (reason !== undefined) return lossOfCode(reason);
  // Anything but an orderly end: the network, a proxy, a restart, or a stream torn when a worker died.
  return { close, reason: undefined, retry: FINAL_CLOSES.has(close) ? "no" : "resume", retryAfterMs: 0 };
}

export function lossOfCode(reason: ErrorCode): Loss {
  return { close: ERRORS[reason].close, reason, retry: ERRORS[reason].retry, retryAfterMs: 0 };
}

/**
 * Of a refusal over HTTP, or of a server message that cannot be decoded or applied: since a new connection begins with
 * the whole state, the latter is a reason to resume.
 */
export function lossOfError(error: unknown): Loss {
  if (!(error instanceof RookeryError) || error.code === "PROTOCOL_ERROR") {
    return { ...lossOfCode("PROTOCOL_ERROR"), retry: "resume", cause: error };
  }
  const retryAfterMs = error instanceof RetryLaterError ? error.retryAfterMs : 0;
  return { ...lossOfCode(error.code), retryAfterMs, cause: error };
}

/** The error to throw for a loss. */
export function errorOfLoss(loss: Loss): RookeryError {
  if (loss.cause instanceof RookeryError) return loss.cause;
  if (loss.reason !== undefined) return new RookeryError(loss.reason, undefined, { cause: loss.cause });
  return new RookeryError("TIMEOUT", `The server cannot be reached (close code ${loss.close}).`);
}

/** True when the answer is about the server's load, and says nothing about the session or the ticket. */
export function keepsSession(loss: Loss): boolean {
  return loss.retry === "resume" || loss.reason === "SERVER_BUSY" || loss.reason === "TIMEOUT";
}

/** True when a first join is worth another attempt: the request was good, the moment was not. */
export function isTransient(loss: Loss): boolean {
  return keepsSession(loss) || loss.reason === "SERVER_SHUTTING_DOWN" || loss.reason === "TICKET_INVALID";
}

/**
 * Exponential backoff with full jitter: many clients that lost the same server come back spread over the interval.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  readonly #random: () => number;
  #boundMs: number = CLIENT_LIMITS.backoffMinMs;

  constructor(random: () => number) {
    this.#random = random;
  }

  nextMs(): number {
    const delayMs = this.#random() * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, CLIENT_LIMITS.backoffMaxMs);
    return delayMs;
  }

  reset(): void {
    this.#boundMs = CLIENT_LIMITS.backoffMinMs;
  }
}
