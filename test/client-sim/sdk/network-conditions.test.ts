/** Artificial delay: bounds and order, by themselves and under a whole room. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DelayedSocket } from "../../../client-sim/sdk/network-conditions.ts";
import type { CloseLike, MessageLike } from "../../../client-sim/sdk/socket.ts";
import { between } from "../../support/between.ts";
import { SimulatedTime } from "../../support/simulated-time.ts";
import { FakeSocket } from "./fake-socket.ts";
import { joinRoom, record, settled } from "./setup.ts";

describe("network conditions", () => {
  it("delay both directions, and keep the order whatever the jitter", async () => {
    const delay = between(0, 1);
    await fc.assert(
      fc.asyncProperty(fc.array(delay, { minLength: 20, maxLength: 20 }), async (draws) => {
        const time = new SimulatedTime();
        const inner = new FakeSocket("ws://a.test", [], time, () => {});
        let drawn = 0;
        const random = (): number => draws[drawn++ % draws.length] ?? 0;
        const socket = new DelayedSocket(inner, { latencyMs: 30, jitterMs: 100 }, time, random);
        const inward: { at: number; value: unknown }[] = [];
        socket.onmessage = ({ data }: MessageLike) => {
          inward.push({ at: time.now(), value: new Uint8Array(data as ArrayBuffer)[0] });
        };
        socket.onclose = ({ code }: CloseLike) => void inward.push({ at: time.now(), value: code });
        inner.open();
        const sentAt: number[] = [];
        for (let i = 0; i < 5; i++) {
          sentAt.push(time.now());
          inner.deliver(Uint8Array.of(i));
          socket.send(Uint8Array.of(i));
          await time.advance(7);
        }
        await time.advance(200);
        inner.closeByServer(1001);
        sentAt.push(time.now());
        await time.advance(200);

        expect(inward.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 1001]);
        expect(inner.received.map((bytes) => bytes[0])).toEqual([0, 1, 2, 3, 4]);
        for (const [i, { at }] of inward.entries()) {
          expect(at - (sentAt[i] ?? 0)).toBeGreaterThanOrEqual(30);
          expect(at - (sentAt[i] ?? 0)).toBeLessThanOrEqual(130 + 1e-6);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("send nothing over a connection that has closed meanwhile, and close after what was sent", async () => {
    const time = new SimulatedTime();
    const inner = new FakeSocket("ws://a.test", [], time, () => {});
    const socket = new DelayedSocket(inner, { latencyMs: 50, jitterMs: 0 }, time, () => 0);
    inner.open();
    socket.send(Uint8Array.of(1));
    socket.close(4000);
    await time.advance(40);
    expect([inner.sent.length, inner.closedWith]).toEqual([0, undefined]);
    await time.advance(10);
    expect([inner.sent.length, inner.closedWith]).toEqual([1, 4000]);
    socket.send(Uint8Array.of(2));
    await time.advance(60);
    expect(inner.sent).toHaveLength(1);
  });

  it("show in a room's round trip, and nothing is lost under them", async () => {
    const conditions = { latencyMs: 60, jitterMs: 40 };
    let seed = 1;
    const random = (): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { time, server, room } = await joinRoom({ conditions, random });
    const lines = record(room);
    const rttMs = await settled(time, room.ping());
    expect(rttMs).toBeGreaterThanOrEqual(120);
    expect(rttMs).toBeLessThanOrEqual(200);
    for (let i = 0; i < 20; i++) {
      room.send("move", { dx: i, dy: 0, shoot: false });
      server.event("session1", "n", i);
      await time.advance(5);
    }
    await time.advance(500);
    expect(server.applied.map(({ payload }) => (payload as Uint8Array)[0])).toEqual([...Array(20).keys()]);
    expect(lines).toEqual([...Array(20).keys()].map((i) => `n ${i}`));
    expect(Math.abs(room.clock.now() - time.now())).toBeLessThan(20);
  });
});
