/**
 * The floor of W1: what is left when there is no framework. It reads the same inputs, runs the same game and writes as
 * many bytes as Rookery, in one write per client and tick; the bytes mean nothing. FRAME_BYTES says how long a frame is,
 * the header included.
 */
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { applyInput, INPUT_BYTES } from "../arena/input.ts";
import { ARENA, type Body, newPilot, type Pilot, spawn, step } from "../arena/simulation.ts";
import { binaryFrame, type FloorClient, serveFloor } from "./floor-server.ts";

const TICK_MS = 1000 / ARENA.ticksPerSecond;
/** How much later than the last one each new room begins its ticks. */
const STAGGER_MS = 7;
const LONG_HEADER_BYTES = 4;

const input = new Uint8Array(INPUT_BYTES);
const frame = binaryFrame(Number(process.env.FRAME_BYTES) - LONG_HEADER_BYTES);

type Player = { readonly socket: Socket; readonly pilot: Pilot; readonly body: Body };
type FloorRoom = { readonly players: Player[]; dueMs: number; tick: number };
const rooms: FloorRoom[] = [];

function join(socket: Socket): FloorClient {
  let room = rooms.at(-1);
  if (room === undefined || room.players.length === ARENA.playersPerRoom) {
    room = { players: [], dueMs: performance.now() + ((rooms.length * STAGGER_MS) % TICK_MS), tick: 0 };
    rooms.push(room);
  }
  const slot = room.players.length;
  const pilot = newPilot(slot);
  room.players.push({ socket, pilot, body: spawn(slot) });
  return { input, onInput: () => applyInput(pilot, input), onClosed: () => leave(socket) };
}

function leave(socket: Socket): void {
  for (const { players } of rooms) {
    const index = players.findIndex((player) => player.socket === socket);
    if (index >= 0) players.splice(index, 1);
  }
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

await serveFloor(join);
tickRooms();
