/** The servers that are compared: how each is started, and how clients join it. */
import { fileURLToPath } from "node:url";
import type { Protocol } from "../generator/messages.ts";

export type Contender = {
  readonly name: string;
  readonly file: string;
  readonly protocol: Protocol;
  readonly roomType: string;
  readonly environment: Readonly<Record<string, string>>;
};

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** No limit of Rookery's own shall be what is measured. */
const UNLIMITED = "16000";
const ROOKERY: Contender = {
  name: "rookery",
  file: file("rookery.ts"),
  protocol: "rookery",
  roomType: "arena",
  environment: {
    WORKERS: "1",
    MAX_CLIENTS: UNLIMITED,
    MAX_CONNECTIONS_PER_ADDRESS: UNLIMITED,
    JOINS_PER_SECOND: UNLIMITED,
  },
};
const COLYSEUS: Contender = {
  name: "colyseus",
  file: file("colyseus.ts"),
  protocol: "colyseus",
  roomType: "arena",
  environment: { WORKERS: "1" },
};

const FLOOR_CHAT: Contender = {
  name: "floor",
  file: file("floor-chat.ts"),
  protocol: "floor chat",
  roomType: "chat",
  environment: { WORKERS: "1" },
};

export const CONTENDERS = {
  rookery: ROOKERY,
  unjournaled: { ...ROOKERY, name: "rookery without journal", roomType: "arena-unjournaled" },
  twoWorkers: {
    ...ROOKERY,
    name: "rookery, 2 workers",
    environment: { ...ROOKERY.environment, WORKERS: "2" },
  },
  colyseus: COLYSEUS,
  colyseusQuantised: { ...COLYSEUS, name: "colyseus quantised", roomType: "arena-quantised" },
  world: { ...ROOKERY, roomType: "world" },
  colyseusWorld: { ...COLYSEUS, roomType: "world" },
  colyseusWorldQuantised: { ...COLYSEUS, name: "colyseus quantised", roomType: "world-quantised" },
  colyseusWorldTuned: { ...COLYSEUS, name: "colyseus quantised, tuned", roomType: "world-tuned" },
  chat: { ...ROOKERY, name: "rookery, at once", roomType: "chat" },
  chat10: { ...ROOKERY, name: "rookery, 10 ms", roomType: "chat-10" },
  chat50: { ...ROOKERY, name: "rookery, 50 ms", roomType: "chat-50" },
  colyseusChat: { ...COLYSEUS, roomType: "chat" },
  socketIoChat: {
    name: "socket.io",
    file: file("socket-io-chat.ts"),
    protocol: "socket.io",
    roomType: "chat",
    environment: { WORKERS: "1" },
  },
  floorChat: { ...FLOOR_CHAT, name: "floor, at once" },
  floorChat10: { ...FLOOR_CHAT, name: "floor, 10 ms", environment: { WORKERS: "1", FLUSH_MS: "10" } },
  floorChat50: { ...FLOOR_CHAT, name: "floor, 50 ms", environment: { WORKERS: "1", FLUSH_MS: "50" } },
  floorLobby: { ...FLOOR_CHAT, name: "floor" },
  lobby: { ...ROOKERY, name: "rookery, short cut", roomType: "lobby" },
  ticketLobby: { ...ROOKERY, name: "rookery, ticket", roomType: "lobby", protocol: "rookery ticket" },
  memory: { ...ROOKERY, file: file("rookery-memory.ts"), roomType: "lobby" },
  memoryOfRooms: {
    ...ROOKERY,
    file: file("rookery-memory.ts"),
    protocol: "rookery create",
    roomType: "lasting-lobby",
  },
  memoryOfChurn: {
    ...ROOKERY,
    file: file("rookery-memory.ts"),
    protocol: "rookery create",
    roomType: "lobby",
  },
  memoryUnretained: {
    ...ROOKERY,
    name: "rookery, RETAIN_SOCKETS=0",
    file: file("rookery-memory.ts"),
    roomType: "lobby",
    environment: { ...ROOKERY.environment, RETAIN_SOCKETS: "0" },
  },
  colyseusMemory: { ...COLYSEUS, file: file("colyseus-memory.ts"), roomType: "lobby" },
  colyseusLobby: { ...COLYSEUS, roomType: "lobby" },
} as const satisfies Record<string, Contender>;

/** @param frameBytes how long Rookery's frames are, on average */
export function floor(frameBytes: number): Contender {
  const environment = { WORKERS: "1", FRAME_BYTES: String(Math.round(frameBytes)) };
  return { name: "floor", file: file("floor.ts"), protocol: "floor", roomType: "arena", environment };
}
