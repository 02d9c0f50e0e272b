/** Colyseus under test, set up as its documentation says: one process, its own WebSocket transport, no Redis. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { NumberArena, QuantisedArena } from "./colyseus-arena.ts";
import { Chat, Lobby } from "./colyseus-chat.ts";
import { NumberWorld, QuantisedWorld, TunedWorld } from "./colyseus-world.ts";
import { logListening } from "./listening.ts";

const httpServer = createServer();
const server = new Server({ transport: new WebSocketTransport({ server: httpServer }), greet: false });
server.define("arena", NumberArena);
server.define("arena-quantised", QuantisedArena);
server.define("world", NumberWorld);
server.define("world-quantised", QuantisedWorld);
server.define("world-tuned", TunedWorld);
server.define("chat", Chat);
server.define("lobby", Lobby);
await server.listen(0, "127.0.0.1");
logListening((httpServer.address() as AddressInfo).port);
