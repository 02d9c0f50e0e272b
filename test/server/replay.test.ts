/** `npm run replay`: a journal runs again to the live room's state, or to the crash that put it aside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../../client-sim/sdk/index.ts";
import { Arena } from "../../server/games/arena.ts";
import { nodeFs } from "../../server/journal/journal-fs.ts";
import { openJournal, ownVersion } from "../../server/replay/open-journal.ts";
import { replayRoom } from "../../server/replay/replay-room.ts";
import { plainState } from "../../server/room/determinism.ts";
import { RoomFailure } from "../../server/room/room-events.ts";
import { createHostedRoom } from "../../server/worker/create-room.ts";
import { RULES } from "../../shared/games/arena/rules.ts";
import { MoveInput } from "../../shared/games/arena/schema.ts";
import { ServerMessage } from "../../shared/protocol/wire.ts";
import { encodeInput, Mirror, type SchemaDescriptor } from "../../shared/schema/index.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { Dice } from "../support/rooms/dice.ts";
import { EchoState } from "../support/rooms/echo.ts";
import { Lobby } from "../support/rooms/lobby.ts";
import { ServerProcess } from "../support/server-process.ts";
import { TICK_MS } from "./games/arena-driver.ts";
import { makeTemporaryDirectory, servicesOn } from "./journal/journal-harness.ts";
import {
  Debugger,
  echoRoom,
  hex,
  Match,
  Recorded,
  replay,
  replayJson,
  spawnReplay,
} from "./replay-harness.ts";
import { DiceClient } from "./worker/dice-client.ts";
import { Owners } from "./worker/owners.ts";
import { RoomHarness, say } from "./worker/room-harness.ts";

describe("a match", () => {
  test("that was recorded ends as it did, from its first step on", async () => {
    const match = new Match(6, { keepAll: true });
    for (let i = 0; i < 3; i++) {
      match.play(100);
      match.checkpoint();
    }
    match.play(20);
    const replayed = await replayJson(match.directory);
    expect(replayed).toMatchObject({
      roomType: "arena",
      roomId: "room",
      code: "CODE",
      epochs: [1],
      versions: [ownVersion()],
      checkpoint: null,
      steps: 327,
      step: 327,
      ticks: 320,
      tick: 320,
      fromMs: 0,
      toMs: 16_000,
      events: { created: 1, joined: 6, tick: 320, message: 6 * 320 },
      warnings: [],
      hash: match.hash,
    });
    const state = plainState(match.runtime.schema, match.runtime.state);
    const mapsAsObjects = (_key: string, value: unknown) =>
      value instanceof Map ? Object.fromEntries(value) : value;
    expect(replayed.state).toEqual(JSON.parse(JSON.stringify(state, mapsAsObjects)));
    // It was a match: somebody has hit somebody.
    const scores = Array.from(match.state.players.values(), ({ score }) => score);
    expect(Math.max(...scores)).toBeGreaterThan(0);
    // A segment stands for the whole.
    expect(await replayJson(join(match.directory, "1-1.journal"))).toMatchObject({
      steps: 327,
      hash: match.hash,
    });
  });

  test("of which the beginning is gone ends so too, from a checkpoint on", async () => {
    const match = new Match(3);
    for (let i = 0; i < 3; i++) {
      match.play(20);
      match.checkpoint();
    }
    match.play(5);
    expect(await replayJson(match.directory)).toMatchObject({
      checkpoint: { name: "1-64.checkpoint", step: 64 },
      steps: 5,
      step: 69,
      ticks: 5,
      tick: 65,
      fromMs: 3_000,
      toMs: 3_250,
      hash: match.hash,
    });
    const { out } = await replay(match.directory);
    expect(out).toContain("with the checkpoint 1-64.checkpoint, after step 64");
  });

  test("stops after the tick that --until names", async () => {
    const match = new Match(3);
    match.play(30);
    const { hash } = match;
    match.play(30);
    match.checkpoint();
    expect(await replayJson(match.directory, "--until", "30")).toMatchObject({ tick: 30, ticks: 30, hash });
    const late = await replay(match.directory, "--until", "61");
    expect(late).toMatchObject({
      code: 0,
      err: expect.stringMatching(/\nThe journal ends with tick 60, before tick 61\.\n$/),
    });
    match.play(1);
    match.checkpoint();
    match.play(1);
    match.checkpoint();
    expect(await replay(match.directory, "--until", "30")).toEqual({
      code: 2,
      out: expect.any(String),
      err: "The replay can only begin after tick 62, with the checkpoint 1-66.checkpoint.\n",
    });
  });

  test("is told for a person, with what another version may change", async () => {
    const match = new Match(2, { by: { codeVersion: "0.0.1", nodeVersion: "v22.0.0", arch: "pdp11" } });
    match.play(40);
    const { code, out, err } = await replay(match.directory);
    expect(code).toBe(0);
    expect(err).toMatch(/^Warning: It was written by version 0\.0\.1 on Node v22\.0\.0, pdp11, and this is /);
    expect(out.slice(0, out.indexOf("{"))).toMatch(
      new RegExp(
        [
          "^room {8}arena room, code CODE",
          "epochs {6}1",
          "written by {2}version 0\\.0\\.1 on Node v22\\.0\\.0, pdp11",
          "begins {6}with the first step",
          "steps {7}43, the last is 43",
          "ticks {7}40, the last is 40",
          "events {6}1 created, 2 joined, 80 message, 40 tick, 1 timer",
          "time {8}2\\.00 s of room time in \\d+\\.\\d\\d s: [\\d.]+ x real time",
          `hash {8}${match.hash}\n\n$`,
        ].join("\n"),
      ),
    );
  });

  test("of 32 players is replayed more than 20 times as fast as it was played", async () => {
    const match = new Match(RULES.playersMax);
    match.play(400);
    const before = process.threadCpuUsage();
    expect(await replayJson(match.directory)).toMatchObject({ toMs: 20_000, hash: match.hash });
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(20_000 / 20);
  });
});

test.each([
  [true, "the first step"],
  [false, "a checkpoint"],
])("what a worker has written (recorded: %s) gives what its clients saw, from %s on", async (record) => {
  const harness = new RoomHarness();
  class SlowArena extends Arena {
    static override record = record;
    // Steps that take long make checkpoints; at real speed they would be too few for a test.
    override onTick(dtMs: number): void {
      super.onTick(dtMs);
      harness.time.stall(2);
    }
  }
  const dataDirectory = makeTemporaryDirectory();
  const { codeVersion } = ownVersion();
  const journals = { dataDirectory, codeVersion, services: servicesOn(nodeFs), failed: new Set<string>() };
  const room = createHostedRoom(
    { roomId: "match", roomType: "arena", code: "CODE", seed: 3, epoch: 1, options: {} },
    SlowArena,
    { ...harness.services, journals },
  );
  const transport = new MemoryTransport();
  const upgrade = { key: "", rest: new Uint8Array(0), schemaHash: undefined, eventsReceived: 0 };
  room.accept(transport, "ann", { kind: "join", options: {}, auth: undefined }, upgrade);
  const input = { durationMs: TICK_MS, dx: 127, dy: 0, aim: 0, shoot: true, seenAtMs: 0 };
  // What nobody understands is written down as well: enough that the first steps are deleted, unless all are kept.
  const nonsense = new Uint8Array(5_000);
  for (let seq = 1; seq <= 80; seq += 2) {
    await harness.tick();
    say(transport, seq, "move", encodeInput(MoveInput, input));
    say(transport, seq + 1, "nonsense", nonsense);
  }
  await harness.tick();
  const mirror = new Mirror(transport.welcome.schema as SchemaDescriptor);
  for (const value of transport.values) {
    if (value[0] === ServerMessage.SNAPSHOT) mirror.applySnapshot(value[4]);
    if (value[0] === ServerMessage.STATE) mirror.applyPatch(value[4]);
  }
  expect(await replayJson(join(dataDirectory, "rooms", "match"))).toMatchObject({
    checkpoint: record ? null : { name: expect.stringMatching(/^1-\d+\.checkpoint$/) },
    tick: 41,
    warnings: [],
    hash: hex(mirror.hash()),
  });
});

describe("a room whose code", () => {
  test("throws does so again: the replay says where, and ends with code 1", async () => {
    const room = echoRoom();
    expect(() => room.tick([room.message("ann", "fail", null)])).toThrow(RoomFailure);
    const { code, out, err } = await replay(room.directory);
    expect(code).toBe(1);
    expect(err).toBe("Applying step 4, the last, at 0.10 s of room time: 1 message, 1 tick.\n");
    expect(out).toMatch(
      /The room failed at step 4, in "message":\nError: asked to fail\n {4}at .*echo\.ts:\d+/,
    );
    const inJson = await replay("--json", room.directory);
    expect(inJson.code).toBe(1);
    expect(JSON.parse(inJson.out)).toMatchObject({
      step: 4,
      tick: 1,
      failure: { step: 4, event: "message", error: expect.stringMatching(/^Error: asked to fail\n/) },
    });
  });

  test("crashes its worker is put aside, and crashes the replay with the same signal", async () => {
    await using server = await ServerProcess.start({ WORKERS: "1" });
    const client = new Client(server.url, { webSocket: WebSocket });
    const poison = await client.create("echo", { name: "poison" }, { state: EchoState });
    const left = new Promise((resolve) => poison.onLeave(resolve));
    poison.send("crash");
    await left;
    const directory = join(server.dataDirectory, "quarantine", poison.roomId);
    const { code, signal, out, err } = await spawnReplay([directory]).ended;
    expect({ code, signal }, err).toEqual({ code: null, signal: "SIGABRT" });
    expect(out).toContain(`echo ${poison.roomId}`);
    expect(err).toMatch(/^Applying step \d+, the last, at .*: 1 message, 1 tick\.$/m);
  });

  test("fails is stopped in a debugger before the failing event, under --inspect", async () => {
    const room = echoRoom();
    const events = [room.message("ann", "tell", "first"), room.message("ann", "fail", null)];
    expect(() => room.step(...events)).toThrow(RoomFailure);
    const process = spawnReplay([room.directory, "--inspect"], ["--inspect-port=0"]);
    const inspector = await Debugger.attach(process);
    await inspector.send("Debugger.enable");
    let goOn = "Runtime.runIfWaitingForDebugger";
    for (const message of ["tell", "fail"]) {
      const frame = await inspector.pausedAfter(goOn);
      expect(frame.functionName).toBe("stepInDebugger");
      const event = await inspector.evaluate(frame, "event");
      expect(event).toMatchObject({ type: "message", message });
      goOn = "Debugger.resume";
    }
    // Two steps are what it takes to get into the runtime, with the failing event still to come.
    await inspector.pausedAfter("Debugger.stepInto");
    const inRuntime = await inspector.pausedAfter("Debugger.stepInto");
    expect(inRuntime.functionName).toBe("step");
    expect(await inspector.evaluate(inRuntime, "events")).toEqual([events[1]]);
    await inspector.send(goOn);
    inspector.detach();
    const { code, out } = await process.ended;
    expect(code).toBe(1);
    expect(out).toMatch(/The room failed at step 4, in "message":\nError: asked to fail\n/);
  });
});

test("a step in the debugger, event by event, ends as it does all at once", () => {
  const match = new Match(4);
  match.play(30);
  const { room } = openJournal(match.directory, ownVersion());
  // Nobody is attached, so it does not stop.
  const replayed = replayRoom(room, Arena, {
    untilTick: undefined,
    isInspected: true,
    onLastStep: ({ events }) => expect(events).toHaveLength(5),
    now: () => 0,
  });
  expect(replayed.end).toMatchObject({ kind: "done", hash: match.runtime.encoder.hash() });
});

describe("what cannot be replayed is refused with a sentence:", () => {
  test("a damaged journal", async () => {
    const { directory } = echoRoom();
    const file = join(directory, "1-0.journal");
    const bytes = readFileSync(file);
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(file, bytes);
    const { code, out, err } = await replay(directory);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^The journal is damaged: .*1-0\.journal, byte \d+: .*\.\n$/);
  });

  test("a command line that asks for something else", async () => {
    const lobby = new Recorded("lobby", Lobby);
    const stranger = new Recorded("chess", Lobby);
    const empty = makeTemporaryDirectory();
    const file = join(lobby.directory, "notes.txt");
    writeFileSync(file, "");
    const refused: [args: string[], sentence: RegExp][] = [
      [[], /^Name one room's directory/],
      [["a", "b"], /^Name one room's directory/],
      [["a", "--fast"], /^Unknown option '--fast'; see --help\.$/],
      [["a", "--until"], /^Option '--until <value>' argument missing; see --help\.$/],
      [["a", "--until", "0"], /^--until must be the number of a tick, from 1 \(it is "0"\)\.$/],
      [["a", "--until", "1e3"], /^--until must be/],
      [[join(empty, "no")], /^There is no file or directory .*no\.$/],
      [[empty], /^There is no journal in .*: name the directory of one room\.$/],
      [[file], /^.*notes\.txt is no segment of a journal: /],
      [[stranger.directory], /^There is no room type "chess" here\.$/],
      [[lobby.directory, "--until", "5"], /^--until is for rooms with ticks, and "lobby" has none\.$/],
    ];
    for (const [args, sentence] of refused) {
      const { code, out, err } = await replay(...args);
      expect({ code, out }, err).toEqual({ code: 2, out: "" });
      expect(err.trimEnd()).toMatch(sentence);
      expect(err.split("\n")).toHaveLength(2);
    }
  });

  test("but not what a crash has left of a record, nor a question", async () => {
    const { directory } = echoRoom();
    const file = join(directory, "1-0.journal");
    writeFileSync(file, readFileSync(file).subarray(0, -3));
    const { code, out, err } = await replay("--json", directory);
    expect(code).toBe(0);
    expect(err).toMatch(
      /^Warning: Its last \d+ bytes are a record that was never finished: it is left out\.\n/,
    );
    expect(JSON.parse(out)).toMatchObject({ steps: 2, ticks: 0 });
    expect(await replay("--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("--inspect"),
      err: "",
    });
  });
});

test("of a room that keeps no steps there is only its newest checkpoint", async () => {
  const owners = new Owners();
  const client = new DiceClient("ann");
  client.join(owners.next(Dice));
  for (let i = 0; i < 30; i++) {
    await owners.time.advance(TICK_MS);
    client.read();
    client.throw();
  }
  const { out, err, code } = await replay("--json", owners.roomDirectory);
  expect(code).toBe(0);
  expect(err).toContain('"dice" keeps no steps');
  const replayed = JSON.parse(out);
  expect(replayed).toMatchObject({
    roomType: "dice",
    ticks: 0,
    checkpoint: { name: owners.checkpoints.at(-1) },
  });
  expect(replayed.state.players.ann.throws).toBe(client.forgotten);
  expect(replayed.tick).toBeGreaterThan(0);
});
