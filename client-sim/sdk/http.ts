/**
 * Requests to the server's HTTP side. Every failure is a RookeryError: what the server's answer says, or what the lack
 * of one means.
 */
import { type ErrorCode, isErrorCode, RookeryError } from "../../shared/errors.ts";
import type { Scheduler } from "../../shared/time.ts";
import { CLIENT_LIMITS } from "./limits.ts";

export type Http = {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly scheduler: Scheduler;
};

/** The server refused for now, and said when to ask again. */
export class RetryLaterError extends RookeryError {
  readonly retryAfterMs: number;

  constructor(code: ErrorCode, message: string, retryAfterMs: number) {
    super(code, message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * @param body sent as JSON by POST; without one the request is a GET
 * @returns the parsed JSON of a successful answer
 * @throws RookeryError with the code of the answer; TIMEOUT when there is none
 */
export async function requestJson(http: Http, path: string, body?: unknown): Promise<unknown> {
  // Called as a plain function: a browser's own refuses any other `this`.
  const { fetch, scheduler } = http;
  const headers: Record<string, string> = { accept: "application/json" };
  if (http.token !== undefined) headers.authorization = `Bearer ${http.token}`;
  const abort = new AbortController();
  const init: RequestInit = { headers, signal: abort.signal };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    init.method = "POST";
    init.body = JSON.stringify(body);
  }
  const timer = scheduler.setTimeout(() => abort.abort(), CLIENT_LIMITS.requestMs);
  try {
    const response = await fetch(http.baseUrl + path, init);
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refusal(response, answer);
    if (answer === undefined) throw new RookeryError("INTERNAL", "The server's answer is not JSON.");
    return answer;
  } catch (error) {
    if (error instanceof RookeryError) throw error;
    throw new RookeryError("TIMEOUT", unreachable(http.baseUrl), { cause: error });
  } finally {
    scheduler.clearTimeout(timer);
  }
}

/** A browser does not tell a page that a server refuses its origin: it looks as if there were none. */
function unreachable(baseUrl: string): string {
  const { location } = globalThis as {
    readonly location?: { readonly href: string; readonly origin: string };
  };
  if (location === undefined || new URL(baseUrl, location.href).origin === location.origin)
    return "The server cannot be reached.";
  return `The server cannot be reached, or its ALLOWED_ORIGINS does not name ${location.origin}.`;
}

function refusal(response: Response, answer: unknown): RookeryError {
  const { code, message } =
    (answer as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};
  // A proxy in front of the server answers without a code of ours.
  const known = isErrorCode(code) ? code : codeOfStatus(response.status);
  const text = typeof message === "string" ? message : `The server answered with status ${response.status}.`;
  const retryAfterSeconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return retryAfterSeconds >= 0
    ? new RetryLaterError(known, text, retryAfterSeconds * 1000)
    : new RookeryError(known, text);
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 404) return "NOT_FOUND";
  if (status === 429 || status >= 502) return "SERVER_BUSY";
  return status >= 500 ? "INTERNAL" : "BAD_REQUEST";
}
