/**
 * The floor: what is left when there is no framework. It reads the same inputs, runs the same game and writes as many
 * bytes as Rookery, in one write per client and tick; the bytes mean nothing. FRAME_BYTES says how long a frame is, the
 * header included.
 */
import { createHash } from "node:crypto";
import { type AddressInfo, createServer, Socket, type SocketConstructorOpts } from "node:net";
import { performance } from "node:perf_hooks";
import { applyInput, INPUT_BYTES } from "../arena/input.ts";
import { ARENA, type Body, newPilot, type Pilot, spawn, step } from "../arena/simulation.ts";
import { logListening } from "./listening.ts";

const TICK_MS = 1000 / ARENA.ticksPerSecond;
/** How much later than the last one each new room begins its ticks. */
const STAGGER_MS = 7;
const READ_BYTES = 64 * 1024;
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_END = "\r\n\r\n";
const MASK_BYTES = 4;
const HEADER_BYTES = 2 + MASK_BYTES;
const LENGTH_MASK = 0x7f;
const LONG_HEADER_BYTES = 4;

/** All sockets read into it: what is read is used up, or copied, before the next one reads. */
const readBuffer = Buffer.alloc(READ_BYTES);
const input = new Uint8Array(INPUT_BYTES);
const frame = makeFrame(Number(process.env.FRAME_BYTES));

type Player = { readonly socket: Socket; readonly pilot: Pilot; readonly body: Body };
type FloorRoom = { readonly players: Player[]; dueMs: number; tick: number };
const rooms: FloorRoom[] = [];

function makeFrame(bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  made[0] = 0x82;
  made[1] = 126;
  made.writeUInt16BE(bytes - LONG_HEADER_BYTES, 2);
  return made;
}

/** Net's own sockets read into a new buffer each time; a second one on the same handle reads into ours. */
function withReusedBuffer(accepted: Socket, onBytes: (bytes: Buffer) => void): Socket {
  const holder = accepted as unknown as { _handle: unknown };
  const handle = holder._handle;
  holder._handle = null;
  const options: object = {
    handle,
    onread: {
      buffer: readBuffer,
      callback: (length: number) => {
        onBytes(readBuffer.subarray(0, length));
        return true;
      },
    },
  };
  return new Socket(options as SocketConstructorOpts);
}

function accept(accepted: Socket): void {
  let head = "";
  let player: Player | undefined;
  let rest: Buffer | undefined;
  const socket = withReusedBuffer(accepted, (bytes) => {
    if (player === undefined) {
      head += bytes.toString("latin1");
      if (head.includes(HEAD_END)) player = join(socket, head);
      return;
    }
    const stream: Buffer = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
    const used = readInputs(player, stream);
    rest = used < stream.length ? Buffer.from(stream.subarray(used)) : undefined;
  });
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("close", () => leave(player));
  socket.resume();
}

function join(socket: Socket, head: string): Player {
  const key = /sec-websocket-key: (.+)\r\n/i.exec(head)?.[1] ?? "";
  const accept = createHash("sha1")
    .update(key + WEBSOCKET_GUID)
    .digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}${HEAD_END}`,
  );
  let room = rooms.at(-1);
  if (room === undefined || room.players.length === ARENA.playersPerRoom) {
    room = { players: [], dueMs: performance.now() + ((rooms.length * STAGGER_MS) % TICK_MS), tick: 0 };
    rooms.push(room);
  }
  const slot = room.players.length;
  const player = { socket, pilot: newPilot(slot), body: spawn(slot) };
  room.players.push(player);
  return player;
}

function leave(player: Player | undefined): void {
  if (player === undefined) return;
  for (const { players } of rooms) {
    const index = players.indexOf(player);
    if (index >= 0) players.splice(index, 1);
  }
}

/** Takes the whole frames there are; an input is the end of each. @returns how many bytes they are */
function readInputs({ pilot }: Player, stream: Buffer): number {
  let at = 0;
  while (at + HEADER_BYTES <= stream.length) {
    const length = (stream[at + 1] as number) & LENGTH_MASK;
    const end = at + HEADER_BYTES + length;
    if (end > stream.length) break;
    const mask = at + 2;
    const first = length - INPUT_BYTES;
    for (let index = 0; index < INPUT_BYTES; index++) {
      const masked = stream[at + HEADER_BYTES + first + index] as number;
      input[index] = masked ^ (stream[mask + ((first + index) % MASK_BYTES)] as number);
    }
    applyInput(pilot, input);
    at = end;
  }
  return at;
}

function tickRooms(): void {
  const nowMs = performance.now();
  let nextMs = nowMs + TICK_MS;
  for (const room of rooms) {
    if (room.dueMs <= nowMs) {
      tickRoom(room);
      room.dueMs += TICK_MS;
    }
    nextMs = Math.min(nextMs, room.dueMs);
  }
  setTimeout(tickRooms, Math.max(0, nextMs - performance.now()));
}

function tickRoom(room: FloorRoom): void {
  room.tick += 1;
  for (const { body, pilot } of room.players) step(body, pilot, room.tick, TICK_MS);
  for (const { socket } of room.players) socket.write(frame);
}

const server = createServer({ pauseOnConnect: true }, accept);
server.listen(0, "127.0.0.1", () => {
  logListening((server.address() as AddressInfo).port);
  tickRooms();
});
