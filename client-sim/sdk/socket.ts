/**
 * The part of the WebSocket interface the client uses: the browser's, Node's own and that of the `ws` package have
 * it all. Source: https://websockets.spec.whatwg.org/
 */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  // `never`, because each implementation declares events of its own; handlers name the fields they read.
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What handlers read of a `message` event; `ArrayBuffer`, since `binaryType` asks for it, or text. */
export type MessageLike = { readonly data: unknown };
/** What handlers read of a `close` event. */
export type CloseLike = { readonly code: number };

/** `readyState` of a socket that can send. */
export const SOCKET_OPEN = 1;
