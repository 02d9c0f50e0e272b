/**
 * The requests that come before a WebSocket. Each has a connection of its own, as each player has, and costs the load
 * generator as little as the rest of it.
 */
import { connect } from "node:net";

const OK = 200;
const HEAD_END = "\r\n\r\n";
const LINE_END = "\r\n";
const HEX = 16;

/**
 * Posts an empty object.
 * @returns the object that the server answers with
 * @throws Error when it does not answer with status 200, or closes before
 */
export async function postJson(port: number, path: string): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    received += text;
    const answer = parseAnswer(received);
    if (answer !== undefined) resolve(answer);
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error(`no answer to ${path}`)));
  const body = "{}";
  const lines = [
    `POST ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Content-Type: application/json",
    "Accept: application/json",
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${lines.join(LINE_END)}${HEAD_END}${body}`);
  const { status, text } = await promise.finally(() => socket.destroy());
  if (status !== OK) throw new Error(`no seat: status ${status}, ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

export type HttpAnswer = { readonly status: number; readonly text: string };

/** @returns the answer when all of it is there, whether it tells its length before (RFC 9112, section 6) or as it goes */
export function parseAnswer(received: string): HttpAnswer | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.slice(0, headEnd);
  const body = received.slice(headEnd + HEAD_END.length);
  const status = Number(head.split(" ", 2)[1]);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const text = length === undefined ? unchunked(body) : whole(body, Number(length));
  return text === undefined ? undefined : { status, text };
}

function whole(body: string, length: number): string | undefined {
  return body.length < length ? undefined : body.slice(0, length);
}

function unchunked(body: string): string | undefined {
  let text = "";
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(body.slice(at, lineEnd), HEX);
    const start = lineEnd + LINE_END.length;
    if (body.length < start + size + LINE_END.length) return undefined;
    if (size === 0) return text;
    text += body.slice(start, start + size);
    at = start + size + LINE_END.length;
  }
}
