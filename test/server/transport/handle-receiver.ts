/** A process that writes down what it is sent, and says on each socket which message it came with. */
import { appendFileSync } from "node:fs";
import type { SocketHandle } from "../../../server/ipc/channel.ts";
import { attachSocket } from "../../../server/transport/socket-handle.ts";

const [, , file = ""] = process.argv;

process.on("message", (message: string, handle: unknown) => {
  appendFileSync(file, `${message}\n`);
  if (handle !== undefined) attachSocket(handle as SocketHandle).end(message);
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
