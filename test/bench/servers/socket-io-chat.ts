/** W3's rooms as the documentation of socket.io has them: who connects joins a room, and what he says is emitted to it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { CHAT } from "../chat/text.ts";
import { logListening } from "./listening.ts";

const httpServer = createServer();
const io = new Server(httpServer);
let connections = 0;

io.on("connection", (socket) => {
  const room = `room ${Math.floor(connections / CHAT.seats)}`;
  connections += 1;
  void socket.join(room);
  socket.on(CHAT.event, (text: string) => io.to(room).emit(CHAT.event, text));
});

httpServer.listen(0, "127.0.0.1", () => logListening((httpServer.address() as AddressInfo).port));
