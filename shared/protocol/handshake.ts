/**
 * What a client says in `Sec-WebSocket-Protocol`, the one header a browser lets it fill: the subprotocol, then items
 * `name.value` (PROTOCOL.md [H2]). What `formatOffer` makes, `parseOffer` reads back.
 */
import { RookeryError } from "../errors.ts";
import { SUBPROTOCOL } from "./wire.ts";

export type Offer = {
  /** From POST /join; opens a new session. */
  ticket?: string;
  /** Opens a session that was live before. */
  resume?: string;
  /** Bearer token of a join in the handshake itself; base64url on the wire. */
  token?: string;
  /** Hash of the state schema the client already knows. */
  schemaHash?: string;
  /** Events of the session received so far. */
  eventsReceived: number;
};

/** What a resume token is made of; the secret is all that guards the session. */
export type ResumeToken = { sessionId: string; generation: number; secret: string };

const HEADER_LENGTH_MAX = 8 * 1024;
const ITEMS_MAX = 16;
/** In characters, as they stand in the header. */
const VALUE_LENGTH_MAX = { ticket: 1024, resume: 256, token: 6 * 1024, schema: 64, events: 10 } as const;
type ItemName = keyof typeof VALUE_LENGTH_MAX;

const UINT32_MAX = 0xffffffff;
/** RFC 9110, 5.6.2: what an item of the header may be written with. */
const HTTP_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/;
const RESUME_TOKEN =
  /^(?<sessionId>[!#$%&'*+\-^_`|~0-9A-Za-z]{1,64})\.(?<generation>[0-9]{1,10})\.(?<secret>[!#$%&'*+\-^_`|~0-9A-Za-z]{1,128})$/;

/**
 * @returns the subprotocols to open a WebSocket with
 * @throws RookeryError BAD_REQUEST for a value that is too long or cannot stand in the header
 */
export function formatOffer(offer: Offer): string[] {
  const items: string[] = [SUBPROTOCOL];
  const add = (name: ItemName, value: string | undefined): void => {
    if (value === undefined) return;
    checkValue(name, value);
    items.push(`${name}.${value}`);
  };
  add("ticket", offer.ticket);
  add("resume", offer.resume);
  add("token", offer.token === undefined ? undefined : toBase64url(offer.token));
  add("schema", offer.schemaHash);
  add("events", String(offer.eventsReceived));
  return items;
}

/**
 * @param header the request's `Sec-WebSocket-Protocol`
 * @returns undefined when the client does not speak this protocol; items of names not known here are ignored
 * @throws RookeryError BAD_REQUEST, its message says what is wrong
 */
export function parseOffer(header: string | undefined): Offer | undefined {
  if (header === undefined) return undefined;
  if (header.length > HEADER_LENGTH_MAX) refuse("The subprotocol header is too long.");
  const items = header.split(",", ITEMS_MAX + 1).map((item) => item.trim());
  if (!items.includes(SUBPROTOCOL)) return undefined;
  if (items.length > ITEMS_MAX) refuse("The subprotocol header has too many items.");

  const values = new Map<string, string>();
  for (const item of items) {
    if (!HTTP_TOKEN.test(item)) refuse("The subprotocol header is malformed.");
    const dot = item.indexOf(".");
    const name = item.slice(0, dot);
    if (dot < 0 || item === SUBPROTOCOL || !isItemName(name)) continue;
    if (values.has(name)) refuse(`There are two ${name} items.`);
    const value = item.slice(dot + 1);
    checkValue(name, value);
    values.set(name, value);
  }
  if (values.has("ticket") && values.has("resume")) refuse("A ticket and a resume token exclude each other.");

  const offer: Offer = { eventsReceived: Number(values.get("events") ?? 0) };
  const ticket = values.get("ticket");
  const resume = values.get("resume");
  const token = values.get("token");
  const schemaHash = values.get("schema");
  if (ticket !== undefined) offer.ticket = ticket;
  if (resume !== undefined) offer.resume = resume;
  if (token !== undefined) offer.token = fromBase64url(token);
  if (schemaHash !== undefined) offer.schemaHash = schemaHash;
  return offer;
}

/** @returns `<sessionId>.<generation>.<secret>` */
export function formatResumeToken(token: ResumeToken): string {
  return `${token.sessionId}.${token.generation}.${token.secret}`;
}

/** @returns undefined when it is not of the form that `formatResumeToken` gives */
export function parseResumeToken(token: string): ResumeToken | undefined {
  const { sessionId, generation, secret } = RESUME_TOKEN.exec(token)?.groups ?? {};
  if (sessionId === undefined || generation === undefined || secret === undefined) return undefined;
  if (!isUint32(generation)) return undefined;
  return { sessionId, generation: Number(generation), secret };
}

function isItemName(name: string): name is ItemName {
  return Object.hasOwn(VALUE_LENGTH_MAX, name);
}

function checkValue(name: ItemName, value: string): void {
  if (value.length > VALUE_LENGTH_MAX[name]) refuse(`The ${name} item is too long.`);
  if (!HTTP_TOKEN.test(value)) refuse(`The ${name} item is malformed.`);
  if (name === "events" && !isUint32(value)) refuse("The events item is not a count.");
}

function isUint32(decimal: string): boolean {
  return DECIMAL.test(decimal) && Number(decimal) <= UINT32_MAX;
}

/** RFC 4648, section 5, of the UTF-8 bytes and without padding. */
function toBase64url(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64url(encoded: string): string {
  if (!BASE64URL.test(encoded) || encoded.length % 4 === 1) refuse("The token item is not base64url.");
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  try {
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("The token item is not UTF-8.");
  }
}

function refuse(sentence: string): never {
  throw new RookeryError("BAD_REQUEST", sentence);
}
