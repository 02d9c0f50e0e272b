/**
 * Everything the public port answers over HTTP: joins, the room list, health, pages. WebSocket handshakes come to the
 * same port and go to upgrade.ts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ERRORS, RookeryError } from "../../shared/errors.ts";
import type { JoinAnswer, RoomListing } from "../../shared/protocol/wire.ts";
import type { Config } from "../config.ts";
import { LIMITS } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { clientAddress, isOriginAllowed, webSocketBase } from "./client-address.ts";
import { parseJoinBody } from "./join-requests.ts";
import type { Admission, JoinCall } from "./matchmaker.ts";
import type { Pages } from "./pages.ts";

/** What the routes need of the rest of the primary. */
export type HttpServices = {
  readonly config: Config;
  readonly log: Logger;
  readonly pages: Pages;
  readonly join: (call: JoinCall) => Promise<Admission>;
  readonly issueTicket: (admission: Admission) => string;
  readonly rooms: (type: string | undefined) => RoomListing[];
  readonly info: () => object;
  readonly isReady: () => boolean;
  /** Kills the process that runs the room. @returns which it was; undefined except in development */
  readonly killWorkerOf: ((roomId: string) => object) | undefined;
};

const JSON_TYPE = "application/json; charset=utf-8";
const TEXT_TYPE = "text/plain; charset=utf-8";
const RETRY_AFTER_S = 1;
const PREFLIGHT_MAX_AGE_S = 600;

export function createHttpServer(services: HttpServices): Server {
  const server = createServer(
    {
      headersTimeout: LIMITS.httpHeadMs,
      requestTimeout: LIMITS.joinDeadlineMs,
      connectionsCheckingInterval: LIMITS.httpCheckMs,
      keepAliveTimeout: LIMITS.httpKeepAliveMs,
      maxHeaderSize: LIMITS.httpHeadBytesMax,
    },
    (request, response) => void answer(request, response, services),
  );
  server.maxConnections = LIMITS.httpConnectionsMax;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  services: HttpServices,
): Promise<void> {
  try {
    await route(request, response, services);
  } catch (error) {
    if (!(error instanceof RookeryError))
      services.log.error({ err: error, url: request.url }, "a request failed");
    sendError(response, error instanceof RookeryError ? error : new RookeryError("INTERNAL"));
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  services: HttpServices,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const [, first = "", second, third] = url.pathname.split("/");
  allowOrigin(request, response, services.config);
  if (request.method === "OPTIONS") return sendPreflight(response);
  if (request.method === "POST" && first === "join" && second !== undefined) {
    return sendJson(response, 200, await join(request, decodeSegment(second), services));
  }
  const { killWorkerOf } = services;
  if (request.method === "POST" && `${first}/${second}` === "dev/kill-worker" && third && killWorkerOf) {
    // Who may join from another origin may not do this from there.
    if (!isOriginAllowed(request, [])) throw new RookeryError("ORIGIN_REFUSED");
    return sendJson(response, 200, killWorkerOf(decodeSegment(third)));
  }
  if (request.method !== "GET" && request.method !== "HEAD") throw new RookeryError("NOT_FOUND");
  switch (first) {
    case "healthz":
      return sendText(response, 200, "ok");
    case "readyz":
      return services.isReady() ? sendText(response, 200, "ok") : sendText(response, 503, "not ready");
    case "rooms":
      return sendJson(response, 200, services.rooms(url.searchParams.get("type") ?? undefined));
    case "info":
      return sendJson(response, 200, services.info());
  }
  const page = services.pages.find(url.pathname);
  if (page === undefined) throw new RookeryError("NOT_FOUND");
  response.writeHead(200, page.headers).end(request.method === "HEAD" ? undefined : page.body);
}

async function join(request: IncomingMessage, roomType: string, services: HttpServices): Promise<JoinAnswer> {
  const { config } = services;
  const body = await readBody(request);
  const { mode = "joinOrCreate", options = {}, roomId, code } = parseJoinBody(body);
  const admission = await services.join({
    roomType,
    mode,
    options,
    roomId,
    code,
    token: bearerToken(request),
    address: clientAddress(request, config.trustedProxies),
    origin: request.headers.origin,
  });
  return {
    ticket: services.issueTicket(admission),
    roomId: admission.roomId,
    sessionId: admission.sessionId,
    url: `${config.publicUrl ?? webSocketBase(request, config.trustedProxies)}/ws`,
    expiresAt: admission.expiresAt,
  };
}

function bearerToken(request: IncomingMessage): string {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

async function readBody(request: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= LIMITS.httpBodyBytesMax) return void chunks.push(chunk);
    request.pause();
    reject(new RookeryError("PAYLOAD_TOO_LARGE"));
  });
  request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  request.on("error", () => reject(new RookeryError("BAD_REQUEST")));
  return await promise;
}

/** @throws RookeryError BAD_REQUEST for broken percent-encoding */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RookeryError("BAD_REQUEST", "The address is malformed.");
  }
}

/** @throws RookeryError ORIGIN_REFUSED */
function allowOrigin(request: IncomingMessage, response: ServerResponse, config: Config): void {
  const { origin } = request.headers;
  response.setHeader("Vary", "Origin");
  if (!isOriginAllowed(request, config.allowedOrigins)) throw new RookeryError("ORIGIN_REFUSED");
  if (origin !== undefined) response.setHeader("Access-Control-Allow-Origin", origin);
}

function sendPreflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      "Access-Control-Allow-Methods": "GET, POST",
      "Access-Control-Allow-Headers": "Authorization, Content-Type",
      "Access-Control-Max-Age": PREFLIGHT_MAX_AGE_S,
    })
    .end();
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": TEXT_TYPE, "Cache-Control": "no-store" }).end(`${text}\n`);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  // As a text of known length: then head and body go in one write.
  const body = JSON.stringify(value);
  response
    .writeHead(status, {
      "Content-Type": JSON_TYPE,
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "no-store",
    })
    .end(body);
}

function sendError(response: ServerResponse, error: RookeryError): void {
  if (response.headersSent) return void response.destroy();
  if (error.status === ERRORS.SERVER_BUSY.status) response.setHeader("Retry-After", RETRY_AFTER_S);
  // What is left of a body that was too large is not read.
  if (error.code === "PAYLOAD_TOO_LARGE") response.setHeader("Connection", "close");
  sendJson(response, error.status, { error: { code: error.code, message: error.message } });
}
