/**
 * [F4, R5] What a client makes of a stream that was cut at any byte when a server process died, and continued by
 * another: it takes nothing that was not sent. Frames go through the parser of `ws`, messages through that of the SDK.
 */
import type { Writable } from "node:stream";
import { expect, test } from "vitest";
import * as ws from "ws";
import { decodeServerMessage, tagToldBy } from "../../../shared/protocol/client-codec.ts";
import { assembleMessage, encodeServerValue } from "../../../shared/protocol/codec.ts";
import { ServerMessage, type ServerValue, type Welcome } from "../../../shared/protocol/wire.ts";
import { createRandom } from "../../../shared/sim/random.ts";
import { serverFrame } from "../../support/raw-client.ts";

const BINARY = 0x82;
const PONG = 0x8a;
const CLOSE = 0x88;
const CASES = 24_000;

type ReceiverClass = new (options: { readonly isServer: boolean; readonly maxPayload: number }) => Writable;
/** What a WebSocket client reads frames with; its types leave it out. */
const { Receiver } = ws as unknown as { readonly Receiver: ReceiverClass };
/** That of `ws` for clients, and about that of browsers. */
const MAX_PAYLOAD_BYTES = 100 * 1024 * 1024;

const random = createRandom(20_261_122);
const int = (below: number): number => Math.floor(random.next() * below);
const u32 = (): number => int(2 ** 32);
const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => int(256));
}

/** Much the same stuff again, so that large messages cost no time. */
const STUFF = randomBytes(80_000);

/** Sizes with headers of 2, 4 and 10 bytes, and around the borders between them. */
function someLength(): number {
  const kind = int(100);
  if (kind < 50) return int(40);
  if (kind < 75) return 60 + int(90);
  if (kind < 94) return 150 + int(3_000);
  return 65_400 + int(5_000);
}

function stuff(length: number): Uint8Array {
  const from = int(STUFF.length - length);
  return STUFF.subarray(from, from + length);
}

type Message = { readonly first: number; readonly payload: Uint8Array };

function message(tag: number, ...values: ServerValue[]): Message {
  return { first: BINARY, payload: assembleMessage(values.map(encodeServerValue), tag) };
}

/** What owners send while all is well. */
function somethingSent(tag: number): Message {
  const length = someLength();
  switch (int(5)) {
    case 0:
      return message(tag, [ServerMessage.EVENT, "n", "x".repeat(length)]);
    case 1:
      return message(tag, [ServerMessage.PONG, u32(), u32()]);
    case 2:
      return message(
        tag,
        [ServerMessage.STATE, 1, 2, stuff(3), stuff(9)],
        [ServerMessage.OWN, stuff(length)],
      );
    default:
      return message(tag, [ServerMessage.STATE, u32(), u32(), stuff(int(9)), stuff(length)]);
  }
}

const resume = (tag: number): Message =>
  message(tag, [ServerMessage.RESUME, u32(), tag, pick([7, 300, u32()])]);

function welcome(tag: number): Message {
  const told = {
    ...{ roomId: "r1", roomType: "arena", code: "K7QX", sessionId: "s1", slot: 0, resumed: true },
    ...{ resumeToken: "s1.2.x", reconnectMs: 15_000, epoch: 2, worker: 1, tag, tickRate: 20, nextEvent: 1 },
    ...{
      ack: 0,
      savesLater: false,
      stepBackEpoch: 0,
      messages: ["move"],
      schemaHash: "0badcafe",
      schema: null,
    },
  } satisfies Welcome;
  const snapshot: ServerValue = [ServerMessage.SNAPSHOT, u32(), u32(), stuff(3), stuff(int(200))];
  return message(tag, [ServerMessage.WELCOME, 1, told], snapshot);
}

/** Messages that went out whole, then one that did not. */
function owned(): { readonly oldTag: number; readonly whole: Message[]; readonly torn: Message } {
  const oldTag = u32();
  const whole = Array.from({ length: int(3) }, () => somethingSent(oldTag));
  const kind = int(20);
  if (kind > 3) return { oldTag, whole, torn: somethingSent(oldTag) };
  if (kind === 3) return { oldTag, whole, torn: { first: PONG, payload: stuff(int(126)) } };
  if (kind === 2) return { oldTag, whole, torn: { first: CLOSE, payload: Buffer.from("\x11\x58KICKED") } };
  // The one that died had just taken over itself.
  const tag = u32();
  if (kind === 1) return { oldTag, whole, torn: resume(tag) };
  return { oldTag, whole: [...whole, resume(tag)], torn: welcome(tag) };
}

/** Anywhere, and often where it is the most delicate: in the head and in the trailer. */
function someCut(frame: Uint8Array): number {
  if (int(3) > 0) return int(frame.length);
  return random.next() < 0.5
    ? int(Math.min(frame.length, 14))
    : frame.length - 1 - int(Math.min(frame.length, 6));
}

type Outcome = "understood" | "refused" | "waiting";
type Read = { readonly accepted: readonly Uint8Array[]; readonly outcome: Outcome };

/** What a client takes of the bytes, that come in some pieces. @param isLast the message by which all is understood */
async function read(stream: Buffer, tag: number, isLast: (bytes: Uint8Array) => boolean): Promise<Read> {
  const receiver = new Receiver({ isServer: false, maxPayload: MAX_PAYLOAD_BYTES });
  const accepted: Uint8Array[] = [];
  let known = tag;
  let outcome: Outcome = "waiting";
  receiver.on("error", () => {
    if (outcome === "waiting") outcome = "refused";
  });
  receiver.on("conclude", () => {
    if (outcome === "waiting") outcome = "refused";
  });
  receiver.on("message", (bytes: Buffer, isBinary: boolean) => {
    if (outcome !== "waiting") return;
    try {
      if (!isBinary) throw new Error("text");
      const values = decodeServerMessage(bytes, known);
      known = tagToldBy(values[0]) ?? known;
      accepted.push(bytes);
      if (isLast(bytes)) outcome = "understood";
    } catch {
      outcome = "refused";
    }
  });
  for (let from = 0; from < stream.length && !receiver.destroyed; ) {
    const to = random.next() < 0.7 ? stream.length : from + 1 + int(stream.length - from);
    receiver.write(stream.subarray(from, to));
    from = to;
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { accepted, outcome };
}

const frameOf = ({ first, payload }: Message): Buffer => serverFrame(first, payload);
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

test(`a stream cut at a random byte, ${CASES} times: nothing is taken that was not sent`, async () => {
  const counts = { understood: 0, refused: 0, waiting: 0 };
  let tornCount = 0;
  let takenAlthoughTorn = 0;
  const headBytes = new Set<number>();
  for (let index = 0; index < CASES; index++) {
    const { oldTag, whole, torn } = owned();
    const frame = frameOf(torn);
    const cut = someCut(frame);
    const newTag = u32();
    const continued = [resume(newTag), welcome(newTag)];
    // A server sends nothing behind RESUME before it is answered; were it to do so, that would be no worse.
    if (int(2) === 0) continued.pop();
    else for (let count = int(30); count > 0; count--) continued.push(somethingSent(newTag));
    const stream = Buffer.concat([...whole.map(frameOf), frame.subarray(0, cut), ...continued.map(frameOf)]);
    const last = continued.at(-1) as Message;
    const { accepted, outcome } = await read(stream, oldTag, (bytes) => isSame(bytes, last.payload));

    // By one chance in 256 the first byte of what follows is the last one of the trailer: then it was sent.
    const sent = cut === 0 ? [...whole, ...continued] : [...whole, torn];
    expect(accepted.length).toBeLessThanOrEqual(sent.length);
    for (const [at, bytes] of accepted.entries()) {
      if (!isSame(bytes, sent[at]?.payload as Uint8Array)) {
        expect.fail(`case ${index}, cut at ${cut} of ${frame.length}: message ${at} was never sent`);
      }
    }
    counts[outcome] += 1;
    if (cut === 0) {
      expect(outcome).toBe("understood");
      continue;
    }
    tornCount += 1;
    headBytes.add(frame.length - torn.payload.length);
    expect(outcome).not.toBe("understood");
    if (accepted.length === sent.length) takenAlthoughTorn += 1;
  }
  expect(tornCount).toBeGreaterThan(10_000);
  expect([...headBytes].toSorted((a, b) => a - b)).toEqual([2, 4, 10]);
  expect(counts.understood).toBe(CASES - tornCount);
  // Both ways out of a torn stream are taken: the client sees it, or the server waits for an answer in vain.
  expect(counts.refused).toBeGreaterThan(1_000);
  expect(counts.waiting).toBeGreaterThan(1_000);
  expect(takenAlthoughTorn).toBeLessThan(CASES / 100);
});
