/**
 * A client whose frames arrive in pieces: what it writes is cut at random, and the pieces go out one by one with
 * pauses between them. A worker that dies has then often read a part of a frame, and its successor gets the rest.
 */
import type { ClientRequestArgs } from "node:http";
import { Socket } from "node:net";
import { WebSocket } from "ws";
import type { WebSocketConstructor } from "../../client-sim/sdk/index.ts";
import type { Random } from "../../shared/sim/random.ts";

const PIECE_BYTES_MAX = 40;
/** Now and then; most pieces follow at once, so that the client keeps up. */
const PAUSE_SHARE = 0.1;
const PAUSE_MS_MAX = 25;

type Done = (error?: Error | null) => void;
type Chunk = { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding };

/** @returns bytes cut into pieces of random lengths, in order */
export function cut(bytes: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(random.next() * PIECE_BYTES_MAX);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

class CuttingSocket extends Socket {
  readonly #random: Random;

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, done: Done): void {
    this._writev([{ chunk, encoding }], done);
  }

  override _writev(chunks: Chunk[], done: Done): void {
    const bytes = Buffer.concat(chunks.map(bytesOf));
    this.#writePieces(cut(bytes, this.#random), done);
  }

  #writePieces([piece, ...rest]: readonly Uint8Array[], done: Done): void {
    if (piece === undefined) return done();
    const writeOne = () =>
      super._write(piece, "buffer" as BufferEncoding, (error) =>
        error == null ? this.#writePieces(rest, done) : done(error),
      );
    if (this.#random.next() >= PAUSE_SHARE) writeOne();
    else setTimeout(writeOne, this.#random.next() * PAUSE_MS_MAX);
  }
}

/** The head of the handshake comes as text. */
function bytesOf({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
}

/** @returns a WebSocket that cuts what it sends, the head of its handshake included */
export function cuttingWebSocket(random: Random): WebSocketConstructor {
  const createConnection = ({ host, port }: ClientRequestArgs) =>
    new CuttingSocket(random).setNoDelay(true).connect({ host: host ?? "localhost", port: Number(port) });
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { createConnection });
    }
  };
}
