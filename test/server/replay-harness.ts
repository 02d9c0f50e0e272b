/** Journals as rooms write them, the replay command in this process or in one of its own, and a debugger. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { decide, freshMind, type Mind } from "../../server/games/arena/bot.ts";
import { Arena } from "../../server/games/arena.ts";
import { nodeFs } from "../../server/journal/journal-fs.ts";
import { RoomJournal } from "../../server/journal/room-journal.ts";
import { replayCommand } from "../../server/replay/command.ts";
import { ownVersion, type Version } from "../../server/replay/open-journal.ts";
import { encodeCheckpoint } from "../../server/room/checkpoint.ts";
import type { RoomClass, RoomSource } from "../../server/room/room-class.ts";
import type { RoomEvent, StepResult } from "../../server/room/room-events.ts";
import type { HostedCheckpoint } from "../../server/worker/recovery.ts";
import { type ArenaState, MoveInput } from "../../shared/games/arena/schema.ts";
import { describe, type EntitySchema, encodeInput } from "../../shared/schema/index.ts";
import { createRandom } from "../../shared/sim/random.ts";
import { RoomDriver } from "../support/room-driver.ts";
import { Dice } from "../support/rooms/dice.ts";
import { Echo, type EchoState } from "../support/rooms/echo.ts";
import { Lobby } from "../support/rooms/lobby.ts";
import { TICK_MS } from "./games/arena-driver.ts";
import { makeTemporaryDirectory, servicesOn } from "./journal/journal-harness.ts";

const ROOMS: Readonly<Record<string, RoomSource>> = { arena: Arena, dice: Dice, echo: Echo, lobby: Lobby };
const SEED = 5;
/** As the replay file of another game would be. */
const OTHER_MAIN = `
  import { replayCommand } from "${new URL("../../server/replay/command.ts", import.meta.url)}";
  const rooms = { echo: () => import("${new URL("../support/rooms/echo.ts", import.meta.url)}") };
  process.exitCode = await replayCommand(process.argv.slice(1), rooms, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
`;

/** A room that is driven by the test, and written down as a worker would. */
export class Recorded<S extends EntitySchema> extends RoomDriver<S> {
  readonly directory = makeTemporaryDirectory();
  readonly #journal: RoomJournal;
  readonly #codeVersion: string;

  constructor(roomType: string, roomClass: RoomClass, { keepAll = false, by = ownVersion() } = {}) {
    super(roomClass, SEED);
    this.#codeVersion = by.codeVersion;
    const create = { roomId: "room", roomType, code: "CODE", options: {}, seed: SEED, epoch: 1 };
    this.#journal = RoomJournal.create({
      directory: this.directory,
      origin: { create, ...by },
      recovered: undefined,
      keepAll,
      segmentBytesMin: 0,
      services: servicesOn(nodeFs),
      onFailure: (error) => {
        throw error;
      },
    });
    this.step({ type: "created", options: {} });
  }

  override step(...events: RoomEvent[]): StepResult {
    this.#journal.append(this.nowMs, events);
    return super.step(...events);
  }

  checkpoint(): void {
    const code = { codeVersion: this.#codeVersion, schema: describe(this.runtime.schema) };
    const saved: HostedCheckpoint = { code, stepBackEpoch: 0, runtime: this.runtime.save(), sessions: [] };
    this.#journal.checkpoint(encodeCheckpoint(saved));
  }

  get hash(): string {
    return hex(this.runtime.encoder.hash());
  }
}

/** Players who play as bots do, with one input a tick. */
export class Match extends Recorded<typeof ArenaState> {
  readonly #minds = new Map<string, Mind>();
  readonly #random = createRandom(SEED);

  constructor(players: number, options: { keepAll?: boolean; by?: Version } = {}) {
    super("arena", Arena, options);
    for (let i = 0; i < players; i++) {
      this.#minds.set(`s${i}`, freshMind());
      this.join(`s${i}`);
    }
  }

  play(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      this.tick(Array.from(this.#minds, ([sessionId, mind]) => this.#act(sessionId, mind)));
    }
  }

  #act(sessionId: string, mind: Mind): RoomEvent {
    const { nowMs } = this;
    const { players } = this.state;
    const self = players.get(sessionId);
    if (self === undefined) throw new Error(`${sessionId} does not play`);
    const decision = decide(mind, self, { sessionId, nowMs, players, random: () => this.#random.next() });
    const input = { ...decision, durationMs: TICK_MS, seenAtMs: nowMs };
    return this.message(sessionId, "move", encodeInput(MoveInput, input));
  }
}

/** An echo room with one client in it. */
export function echoRoom(): Recorded<typeof EchoState> {
  const room = new Recorded<typeof EchoState>("echo", Echo);
  room.join("ann");
  room.tick();
  return room;
}

export function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}

export async function replay(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const code = await replayCommand(args, ROOMS, {
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

export async function replayJson(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await replay("--json", ...args);
  expect({ code, out }, err).toEqual({ code: 0, out: expect.stringMatching(/^\{.*\}\n$/) });
  return JSON.parse(out);
}

/** In a process of its own, which the room may take with it. */
export function spawnReplay(args: readonly string[], nodeOptions: readonly string[] = []) {
  const node = [...nodeOptions, "--input-type=module", "--eval", OTHER_MAIN, "--", ...args];
  const child = spawn(process.execPath, node, { stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.on("data", (data) => {
    output.out += String(data);
  });
  child.stderr.on("data", (data) => {
    output.err += String(data);
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, ...output }));
  return { child, ended };
}

type Reply = {
  readonly id?: number;
  readonly method?: string;
  readonly result?: object;
  readonly params?: object;
};

type CallFrame = { readonly callFrameId: string; readonly functionName: string };

/** A debugger, by the inspector's protocol: https://chromedevtools.github.io/devtools-protocol/ */
export class Debugger {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Attaches to a process as soon as it says where. @returns when the process waits to be let go on */
  static async attach({ child, ended }: ReturnType<typeof spawnReplay>): Promise<Debugger> {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stderr }).on("line", (line) => {
        const found = /^Debugger listening on (ws:\S+)$/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
      ended.then(({ err }) => reject(new Error(err)));
    });
    const socket = new WebSocket(url);
    await once(socket, "open");
    const attached = new Debugger(socket);
    // Between saying where and waiting there is a moment in which nothing would hear that it may go on.
    const waits = attached.#next((message) => message.method === "NodeRuntime.waitingForDebugger");
    await attached.send("NodeRuntime.enable");
    await waits;
    return attached;
  }

  /** @returns the result */
  async send(method: string, params: object = {}): Promise<object> {
    const id = ++this.#lastId;
    const reply = this.#next((message) => message.id === id);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return (await reply).result ?? {};
  }

  /** Lets the process go on. @returns where it stops next */
  async pausedAfter(method: string): Promise<CallFrame> {
    const paused = this.#next((message) => message.method === "Debugger.paused");
    await this.send(method);
    const { callFrames } = (await paused).params as { readonly callFrames: readonly CallFrame[] };
    const [innermost] = callFrames;
    if (innermost === undefined) throw new Error("the process has stopped nowhere");
    return innermost;
  }

  /** @returns the value of an expression there */
  async evaluate({ callFrameId }: CallFrame, expression: string): Promise<unknown> {
    const params = { callFrameId, expression, returnByValue: true };
    const { result } = (await this.send("Debugger.evaluateOnCallFrame", params)) as {
      result: { value: unknown };
    };
    return result.value;
  }

  detach(): void {
    this.#socket.close();
  }

  #next(accepts: (message: Reply) => boolean): Promise<Reply> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const onMessage = (data: unknown) => {
        const message = JSON.parse(String(data)) as Reply;
        if (!accepts(message)) return;
        socket.off("message", onMessage).off("close", onClose);
        resolve(message);
      };
      const onClose = () => reject(new Error("the process has closed the debugger"));
      socket.on("message", onMessage).once("close", onClose);
    });
  }
}
