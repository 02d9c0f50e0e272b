/**
 * What bare-socket servers have in common: the handshake, and reading frames into one buffer, as Rookery does. There is
 * no framework in it, and nothing is checked.
 */
import { createHash } from "node:crypto";
import { type AddressInfo, createServer, Socket, type SocketConstructorOpts } from "node:net";
import { logListening } from "./listening.ts";

const READ_BYTES = 64 * 1024;
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_END = "\r\n\r\n";
const MASK_BYTES = 4;
const HEADER_BYTES = 2 + MASK_BYTES;
const LENGTH_MASK = 0x7f;
/** As Rookery's. */
const BACKLOG = 4_096;

/** What comes of one client. The bytes of a frame are its own only until the call returns. */
export type FloorClient = {
  /** The last bytes of each frame are unmasked into it. */
  readonly input: Uint8Array;
  readonly onInput: () => void;
  readonly onClosed: () => void;
};

/** All sockets read into it: what is read is used up, or copied, before the next one reads. */
const readBuffer = Buffer.alloc(READ_BYTES);

/** Listens on a free port, and says so. @param join a client has done its handshake */
export async function serveFloor(join: (socket: Socket) => FloorClient): Promise<void> {
  const server = createServer({ pauseOnConnect: true }, (accepted) => accept(accepted, join));
  await new Promise<void>((resolve) =>
    server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, resolve),
  );
  logListening((server.address() as AddressInfo).port);
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

function accept(accepted: Socket, join: (socket: Socket) => FloorClient): void {
  let head = "";
  let client: FloorClient | undefined;
  let rest: Buffer | undefined;
  const socket = withReusedBuffer(accepted, (bytes) => {
    if (client === undefined) {
      head += bytes.toString("latin1");
      if (!head.includes(HEAD_END)) return;
      answer(socket, head);
      client = join(socket);
      return;
    }
    const stream: Buffer = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
    const used = readInputs(client, stream);
    rest = used < stream.length ? Buffer.from(stream.subarray(used)) : undefined;
  });
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("close", () => client?.onClosed());
  socket.resume();
}

function answer(socket: Socket, head: string): void {
  const key = /sec-websocket-key: (.+)\r\n/i.exec(head)?.[1] ?? "";
  const accepted = createHash("sha1")
    .update(key + WEBSOCKET_GUID)
    .digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accepted}${HEAD_END}`,
  );
}

/** Takes the whole frames there are. @returns how many bytes they are */
function readInputs({ input, onInput }: FloorClient, stream: Buffer): number {
  let at = 0;
  while (at + HEADER_BYTES <= stream.length) {
    const length = (stream[at + 1] as number) & LENGTH_MASK;
    const end = at + HEADER_BYTES + length;
    if (end > stream.length) break;
    const mask = at + 2;
    const first = length - input.length;
    for (let index = 0; index < input.length; index++) {
      const masked = stream[at + HEADER_BYTES + first + index] as number;
      input[index] = masked ^ (stream[mask + ((first + index) % MASK_BYTES)] as number);
    }
    onInput();
    at = end;
  }
  return at;
}

/** A final binary frame, its header included. */
export function binaryFrame(payloadBytes: number): Buffer {
  const isShort = payloadBytes < 126;
  const frame = Buffer.alloc((isShort ? 2 : 4) + payloadBytes);
  frame[0] = 0x82;
  frame[1] = isShort ? payloadBytes : 126;
  if (!isShort) frame.writeUInt16BE(payloadBytes, 2);
  return frame;
}
