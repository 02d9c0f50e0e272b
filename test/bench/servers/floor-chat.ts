/**
 * The floor of W3, and of W4, in which nobody says anything: what is said goes to all in the room, with the marker by which
 * the load generator counts, as many bytes as Rookery's, and in one write per client. FLUSH_MS says for how long messages
 * are collected; 0: each goes out at once.
 */
import type { Socket } from "node:net";
import { CHAT } from "../chat/text.ts";
import { EVENT_START } from "../generator/event-start.ts";
import { binaryFrame, type FloorClient, serveFloor } from "./floor-server.ts";

const FLUSH_MS = Number(process.env.FLUSH_MS ?? 0);
/** Of what Rookery sends beside events, in each message: acknowledgements and the trailer. */
const OTHER_BYTES = 16;
const TEXT_HEAD_BYTES = 2;
const EVENT_BYTES = EVENT_START.length + TEXT_HEAD_BYTES + CHAT.messageBytes;

const said = new Uint8Array(CHAT.messageBytes);

type FloorRoom = { readonly sockets: Set<Socket>; readonly texts: Buffer[] };
const rooms: FloorRoom[] = [];

function join(socket: Socket): FloorClient {
  let room = rooms.at(-1);
  if (room === undefined || room.sockets.size === CHAT.seats) {
    room = { sockets: new Set(), texts: [] };
    rooms.push(room);
  }
  const { sockets, texts } = room;
  sockets.add(socket);
  const onInput = (): void => {
    texts.push(Buffer.from(said));
    if (FLUSH_MS === 0) flush(room);
    else if (texts.length === 1) setTimeout(() => flush(room), FLUSH_MS);
  };
  return { input: said, onInput, onClosed: () => void sockets.delete(socket) };
}

function flush({ sockets, texts }: FloorRoom): void {
  const frame = binaryFrame(texts.length * EVENT_BYTES + OTHER_BYTES);
  let at = frame.length - texts.length * EVENT_BYTES;
  for (const text of texts.splice(0)) {
    frame.set(EVENT_START, at);
    frame.set(text, at + EVENT_START.length + TEXT_HEAD_BYTES);
    at += EVENT_BYTES;
  }
  for (const socket of sockets) socket.write(frame);
}

await serveFloor(join);
