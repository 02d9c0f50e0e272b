/** An HTTP server on a free port that gives every upgrade to the test, and closes all that is left at the end. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

export type OnUpgrade = (socket: Duplex, head: Buffer, request: IncomingMessage) => void;

export class UpgradeServer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(onUpgrade: OnUpgrade): Promise<UpgradeServer> {
    const server = createServer();
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      onUpgrade(socket, head, request);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new UpgradeServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Lets the event loop go round so many times: what has arrived is read, what was written is sent. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
