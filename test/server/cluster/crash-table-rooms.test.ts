/**
 * What happens at a crash, case by case: the rows about rooms and their files. crash-table.test.ts has the others, and the
 * index of all.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readRoom } from "../../../server/journal/journal-reader.ts";
import { readHeader } from "../../../server/journal/segment-header.ts";
import { LIMITS } from "../../../server/limits.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { eventually } from "../../support/eventually.ts";
import { nextMessage } from "../../support/next-message.ts";
import { SLOW_RESTORE_MS } from "../../support/rooms/mortal.ts";
import { MortalClient } from "./mortal-client.ts";
import {
  accountOf,
  expectSame,
  isCreated,
  MortalServer,
  mortal,
  moved,
  noteTicks,
  outside,
  temporaryDirectory,
  upTo,
} from "./mortal-server.ts";

let server: MortalServer;
beforeAll(async () => {
  server = await MortalServer.start({ WORKERS: "3" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
// Some of what the last test has killed is there again: one worker to be killed, and one to take over.
beforeEach(() => server.isManned(2));

describe("create in flight", () => {
  test.each([
    ["not journaled", "constructed", ""],
    ["journaled", "taken up", "created"],
  ] as const)("%s: the same room is created, with the same id, seed and options", async (_, point, name) => {
    server.trap(point, name);
    const room = await server.client.create("mortalTickless", { name: "created", map: "hills" }, mortal);
    const files = readdirSync(server.directoryOf(room.roomId)).filter((file) => file.endsWith(".journal"));
    const creates = files.toSorted().map((file) => {
      const segment = readHeader(server.directoryOf(room.roomId), file);
      return segment !== undefined && "header" in segment ? segment.header.create : undefined;
    });
    expect(creates.length).toBeGreaterThanOrEqual(2);
    const { roomId } = room;
    const [first] = creates;
    expect(first).toMatchObject({ roomId, options: { name: "created", map: "hills" } });
    for (const create of creates) expect(create).toEqual({ ...first, epoch: create?.epoch });
    expect(new Set(creates.map((create) => create?.epoch)).size).toBeGreaterThanOrEqual(2);
    expect(server.eventsOf(roomId).filter(({ type }) => type === "created")).toHaveLength(1);
    const counted = nextMessage(room, "counted");
    room.send("count", 1);
    expect(await counted).toEqual([1, createRandom(first?.seed ?? 0).next()]);
    await room.leave();
  });
});

describe("dispose", () => {
  test("`disposed` is the last record, after effects have settled; only the primary deletes files", async () => {
    const service = await outside();
    const room = await server.client.create("mortal", { name: "dispose" }, { ...mortal, rejoin: false });
    const { roomId } = room;
    room.send("saveAtEnd", service.url);
    room.send("close");
    await service.asked(1);
    expect(server.journalOf(roomId).isDisposed).toBe(false);
    const disposed = server.process.nextLine(
      (line) => line.msg === "room disposed" && line.roomId === roomId,
    );
    server.process.child.kill("SIGSTOP");
    service.answer("done");
    await disposed;
    const { isDisposed, steps } = server.journalOf(roomId);
    expect(isDisposed).toBe(true);
    const events = [...steps].flatMap((step) => step.events);
    expect(events.at(-1)).toMatchObject({ type: "effect", key: `${roomId}:1`, result: { value: "done" } });
    server.process.child.kill("SIGCONT");
    await server.filesGone(roomId);
  });

  test("a death before it: what the room has begun at its end is done all the same, and begun once", async () => {
    const service = await outside();
    const room = await server.client.create("mortal", { name: "last will" }, { ...mortal, rejoin: false });
    const { roomId } = room;
    room.send("saveAtEnd", service.url);
    room.send("close");
    await service.asked(1);
    server.signal("SIGKILL", roomId);
    await service.asked(2);
    expect(server.eventsOf(roomId).filter(({ type }) => type === "dispose")).toHaveLength(1);
    service.answer("done");
    await server.filesGone(roomId);
    expect(service.keys).toEqual([`${roomId}:1`, `${roomId}:1`]);
  });

  test("a death right after it: nothing is begun again", async () => {
    const service = await outside();
    const room = await server.client.create("mortal", { name: "last words" }, { ...mortal, rejoin: false });
    const { roomId } = room;
    room.send("saveAtEnd", service.url);
    room.send("close");
    await service.asked(1);
    const disposed = server.process.nextLine(
      (line) => line.msg === "room disposed" && line.roomId === roomId,
    );
    // Stopped as its result is written down: nobody has read that it has ended.
    server.process.child.kill("SIGSTOP");
    service.answer("done");
    await disposed;
    server.signal("SIGKILL", roomId);
    server.process.child.kill("SIGCONT");
    await server.filesGone(roomId);
    expect(service.keys).toHaveLength(1);
  });
});

describe("effect pending", () => {
  test("is run again with the same key until its result is journaled, which the room gets once", async () => {
    const service = await outside();
    const room = await server.client.create("mortal", { name: "effect" }, mortal);
    const { roomId } = room;
    const saved: unknown[] = [];
    room.onMessage("saved", (answer) => saved.push(answer));
    room.send("save", service.url);
    for (const times of [1, 2]) {
      await service.asked(times);
      await server.survives(room);
    }
    await service.asked(3);
    const heard = nextMessage(room, "saved");
    service.answer("once");
    await heard;
    await server.survives(room);
    // A round trip through the room: nothing has come meanwhile.
    await accountOf(room);
    expect(service.keys).toEqual([`${roomId}:1`, `${roomId}:1`, `${roomId}:1`]);
    expect(saved).toEqual(["once"]);
    const results = server.eventsOf(roomId).filter(({ type }) => type === "effect");
    expect(results).toEqual([{ type: "effect", key: `${roomId}:1`, result: { value: "once" } }]);
    await room.leave();
  });
});

describe("checkpoint", () => {
  test("two are kept, with the segments since the elder: the newest may be missing, and one be cut off by a death", async () => {
    const room = await server.client.create("mortalWorn", { name: "worn" }, mortal);
    const { roomId } = room;
    const counted: unknown[] = [];
    room.onMessage<[number, number]>("counted", ([number]) => counted.push(number));
    for (const kill of upTo(2)) {
      while (room.tick < 6 * kill) await new Promise<void>((resolve) => void room.onState(() => resolve()));
      room.send("count", kill);
      server.signal("SIGSTOP", roomId);
      const copy = temporaryDirectory();
      cpSync(server.directoryOf(roomId), copy, { recursive: true });
      const back = moved(room);
      server.signal("SIGKILL", roomId);
      const whole = readRoom(copy);
      const indices = [...(whole?.steps ?? [])].map(({ index }) => index);
      expect(indices).toEqual(upTo(whole?.lastIndex ?? 0, (whole?.checkpoint?.index ?? 0) + 1));
      const checkpoints = readdirSync(copy).filter((file) => file.endsWith(".checkpoint"));
      expect(checkpoints.length).toBeGreaterThanOrEqual(2);
      rmSync(join(copy, whole?.checkpoint?.name ?? ""));
      const older = readRoom(copy);
      expect(older?.checkpoint?.index).toBeLessThan(whole?.checkpoint?.index ?? 0);
      expect(older?.lastIndex).toBe(whole?.lastIndex);
      await back;
    }
    await server.survives(room, () => server.trap("saving", "worn"));
    room.send("count", 3);
    await nextMessage(room, "counted");
    const { ticks, counts } = await accountOf(room);
    expect(ticks.map(({ tick }) => tick)).toEqual(upTo(ticks.length));
    expect([counts.map(({ number }) => number), counted]).toEqual([upTo(3), upTo(3)]);
    expect(readdirSync(server.directoryOf(roomId)).length).toBeLessThan(10);
    await room.leave();
  });
});

describe("two owners (move, slow death)", () => {
  test("there are never two: one that is cut off goes on until it is dead, and only then does the next", async () => {
    const room = await server.client.create("mortal", { name: "orphan" }, mortal);
    const { roomId } = room;
    const first = server.pidOf(roomId);
    const received = noteTicks(room);
    const exited = server.process.nextLine(({ msg }) => msg === "worker exited");
    const back = moved(room);
    server.trap("orphan", "orphan");
    room.send("lose");
    // It still plays with its clients.
    const counted = nextMessage(room, "counted");
    room.send("count", 1);
    await counted;
    const { tick } = room;
    const { lines } = server.process;
    const death = await exited;
    expect(lines.slice(0, lines.indexOf(death)).findLast((line) => isCreated(line, roomId))?.pid).toBe(first);
    await back;
    expect(server.pidOf(roomId)).not.toBe(first);
    expect(room.tick).toBeGreaterThan(tick + 3);
    const account = await accountOf(room);
    expect(account.counts).toHaveLength(1);
    expectSame(received, account);
    // Each has written its own file, and the next begins where the first ended.
    const alone = temporaryDirectory();
    const files = readdirSync(server.directoryOf(roomId)).filter((file) => file.startsWith("1-"));
    for (const file of files) cpSync(join(server.directoryOf(roomId), file), join(alone, file));
    const next = server.journalOf(roomId).segments.find(({ header }) => header.create.epoch === 2);
    expect(readRoom(alone, { fromStart: true })?.lastIndex).toBe((next?.header.firstIndex ?? 0) - 1);
    await room.leave();
  });
});

describe("death during recovery", () => {
  test("nothing was written or sent by it, and the third takes over", async () => {
    const client = await MortalClient.create(server.process, "mortal", "recovery");
    const { roomId } = client;
    client.say("count", ...upTo(3));
    await client.hears("counted", 3);
    const taken = server.taken(roomId);
    server.signal("SIGSTOP", roomId);
    const segment = join(server.directoryOf(roomId), "1-0.journal");
    const written = readFileSync(segment);
    server.trap("taken up", "recovery");
    server.signal("SIGKILL", roomId);
    await taken;
    expect(existsSync(server.trapFile("taken up", "recovery"))).toBe(false);
    await client.goesOn();
    expect(client.resumes).toHaveLength(1);
    const { epoch } = client.welcome;
    expect(epoch).toBeGreaterThanOrEqual(3);
    expect(client.heard("counted")).toHaveLength(3);
    const { segments } = server.journalOf(roomId);
    expect(new Set(segments.map(({ header }) => header.create.epoch))).toEqual(new Set([1, epoch]));
    expect(readFileSync(segment)).toEqual(written);
    client.say("count", 4);
    await client.hears("counted", 4);
    expect((await client.account()).counts.map(({ number }) => number)).toEqual(upTo(4));
    await client.leave();
  });

  test("does not come from taking long: heartbeats go on between rooms", async () => {
    const hangTimeoutMs = 2_000;
    await using single = await MortalServer.start({ WORKERS: "1", HANG_TIMEOUT_MS: String(hangTimeoutMs) });
    const { client } = single;
    const names = upTo(16).map((number) => `slow ${number}`);
    const rooms = await Promise.all(names.map((name) => client.create("mortal", { name }, mortal)));
    const back = Promise.all(rooms.map(moved));
    expect(rooms.length * SLOW_RESTORE_MS).toBeGreaterThan(hangTimeoutMs + 2 * LIMITS.heartbeatMs);
    for (const name of names) single.slow(name);
    single.signal("SIGKILL", rooms[0]?.roomId ?? "");
    await back;
    expect(single.process.workerPids).toHaveLength(2);
    await Promise.all(rooms.map((room) => room.leave()));
  });
});

describe("disk full, write fails", () => {
  test("the room goes on, /readyz fails, and the next good checkpoint re-arms it", async () => {
    await using single = await MortalServer.start({ WORKERS: "1" });
    const room = await single.client.create("mortal", { name: "full" }, mortal);
    const { roomId } = room;
    const status = async () => (await fetch(`${single.process.url}/readyz`)).status;
    const limitFiles = (bytes: string) => {
      const args = ["--pid", String(single.pidOf(roomId)), `--fsize=${bytes}:`];
      expect(spawnSync("prlimit", args).status).toBe(0);
    };
    expect(await status()).toBe(200);
    // No file may grow beyond this: the journal has already.
    limitFiles("100");
    await eventually(status, (code) => code === 503, "/readyz");
    const counted = nextMessage(room, "counted");
    room.send("count", 1);
    await counted;
    limitFiles("unlimited");
    room.send("burn", 2 * LIMITS.checkpointStepMs);
    await eventually(status, (code) => code === 200, "/readyz");
    await single.survives(room);
    expect((await accountOf(room)).counts).toHaveLength(1);
    await room.leave();
  });
});
