/** What is checked of an author's class before rooms are made of it. */
import { describe, expect, test } from "vitest";
import { Room } from "../../../server/room/room.ts";
import { loadRoomClass } from "../../../server/room/room-class.ts";

const settings = (statics: object) => Object.assign(class extends Room {}, statics);

describe("static durability", () => {
  test.each(["journal", "checkpoint", "none"])("may be %s", async (durability) => {
    expect((await loadRoomClass("a", settings({ durability }))).durability).toBe(durability);
  });

  test("is nothing else", async () => {
    await expect(loadRoomClass("a", settings({ durability: "some" }))).rejects.toThrow(
      'Room type "a": static durability must be "journal" or "checkpoint" or "none", not some.',
    );
  });

  test.each(["checkpoint", "none"])("%s leaves nothing that could be recorded", async (durability) => {
    const recorded = loadRoomClass("a", settings({ durability, record: true }));
    await expect(recorded).rejects.toThrow('static record is for rooms with durability "journal"');
  });
});
