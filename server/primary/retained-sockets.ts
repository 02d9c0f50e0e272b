/**
 * The primary's copies of its clients' sockets. As long as there is one, the connection outlives the process that
 * served it, and can be passed to the worker that takes the room over. The primary never reads from them.
 */
import type { SocketHandle } from "../ipc/channel.ts";

export type RetainedSocket = {
  readonly connectionId: number;
  readonly roomId: string;
  readonly sessionId: string;
  readonly handle: SocketHandle;
};

export class RetainedSockets {
  readonly #byId = new Map<number, RetainedSocket>();
  readonly #byRoom = new Map<string, Set<RetainedSocket>>();

  get size(): number {
    return this.#byId.size;
  }

  /** @returns undefined for a socket that is not retained, or that its room has left behind */
  roomOf(connectionId: number): string | undefined {
    const socket = this.#byId.get(connectionId);
    return socket && this.#byRoom.get(socket.roomId)?.has(socket) ? socket.roomId : undefined;
  }

  retain(socket: RetainedSocket): void {
    this.#byId.set(socket.connectionId, socket);
    const ofRoom = this.#byRoom.get(socket.roomId);
    if (ofRoom === undefined) this.#byRoom.set(socket.roomId, new Set([socket]));
    else ofRoom.add(socket);
  }

  /** Closes a copy: the worker has closed its own, or is gone for good. */
  release(connectionId: number): void {
    const socket = this.#byId.get(connectionId);
    if (socket === undefined) return;
    this.#byId.delete(connectionId);
    const ofRoom = this.#byRoom.get(socket.roomId);
    ofRoom?.delete(socket);
    if (ofRoom?.size === 0) this.#byRoom.delete(socket.roomId);
    socket.handle.close();
  }

  /** The room has gone elsewhere, with these connections: the others stay where they are until they are closed. */
  keepOnly(roomId: string, connectionIds: ReadonlySet<number>): void {
    const ofRoom = this.#byRoom.get(roomId);
    if (ofRoom === undefined) return;
    const kept = [...ofRoom].filter(({ connectionId }) => connectionIds.has(connectionId));
    if (kept.length > 0) this.#byRoom.set(roomId, new Set(kept));
    else this.#byRoom.delete(roomId);
  }

  /** A snapshot. */
  ofRoom(roomId: string): RetainedSocket[] {
    return [...(this.#byRoom.get(roomId) ?? [])];
  }
}
