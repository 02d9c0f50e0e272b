/** Who asks: the client's address behind trusted proxies, and whether a browser's origin may connect. */
import type { IncomingMessage } from "node:http";

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * @param trustedProxies addresses whose X-Forwarded-For is believed
 * @returns the nearest address that is not a trusted proxy
 */
export function clientAddress(request: IncomingMessage, trustedProxies: readonly string[]): string {
  let address = normalise(request.socket.remoteAddress ?? "");
  const forwarded = String(request.headers["x-forwarded-for"] ?? "").split(",");
  while (trustedProxies.includes(address)) {
    const previous = normalise(forwarded.pop()?.trim() ?? "");
    if (previous === "") break;
    address = previous;
  }
  return address;
}

function normalise(address: string): string {
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}

/**
 * Whether the request may be served by its Origin: the server's own, one of the list, or any when the list has "*".
 * A request without an Origin comes from no web page: native clients and servers are allowed.
 */
export function isOriginAllowed(request: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (allowedOrigins.includes("*") || allowedOrigins.includes(origin)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/** The address a client reaches this server at, as it came in by, such as `ws://localhost:2567`. */
export function webSocketBase(request: IncomingMessage, trustedProxies: readonly string[]): string {
  const isProxied = trustedProxies.includes(normalise(request.socket.remoteAddress ?? ""));
  const scheme = isProxied && request.headers["x-forwarded-proto"] === "https" ? "wss" : "ws";
  return `${scheme}://${request.headers.host ?? "localhost"}`;
}
