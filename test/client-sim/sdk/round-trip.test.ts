/** One measured round trip. */
import { expect, it } from "vitest";
import { RoundTrip } from "../../../client-sim/sdk/round-trip.ts";

it("a round trip is that of a ping sent after it was asked for, shared by all who ask meanwhile", async () => {
  const roundTrip = new RoundTrip();
  const first = roundTrip.begin(100);
  roundTrip.measured(99, 5);
  const second = roundTrip.begin(110);
  roundTrip.measured(100, 7);
  expect(await Promise.all([first, second])).toEqual([7, 7]);
  const third = roundTrip.begin(120);
  roundTrip.measured(120, 9);
  expect(await third).toBe(9);
});
