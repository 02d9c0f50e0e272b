/**
 * A ticking room whose state is as large as the one who opens it says, and changes whole with every tick: each crate is
 * written anew, one comes and one goes. Each client has private news as well, so its messages are its own.
 */
import type { Client } from "../../../server/room/client.ts";
import { type JoinOptions, Room } from "../../../server/room/room.ts";
import { entity, map, owner, string, u32 } from "../../../shared/schema/index.ts";

const Crate = entity({ content: string }, "Crate");
const Member = entity({ seenTick: owner(u32) }, "Member");
export const FreightState = entity({ ticks: u32, crates: map(Crate), members: map(Member) }, "FreightState");

export const CRATE_BYTES = 1_000;
/** An event in every so many ticks. */
export const TICKS_PER_EVENT = 3;

export class Freight extends Room<typeof FreightState, { readonly crates: number }> {
  static override state = FreightState;
  static override tickRate = 10;
  static override maxClients = 100;
  static override filterBy = ["name"];

  override onCreate({ crates }: JoinOptions) {
    this.data = { crates: Number(crates) };
    for (let crate = 0; crate < this.data.crates; crate++)
      this.state.crates.set(`${-crate}`, { content: "" });
  }

  override onJoin(client: Client) {
    this.state.members.set(client.sessionId, { seenTick: 0 });
  }

  override onDrop(client: Client) {
    this.broadcast("dropped", client.sessionId);
  }

  override onLeave(client: Client) {
    this.state.members.delete(client.sessionId);
  }

  override onTick() {
    const { tick } = this.clock;
    this.state.ticks = tick;
    if (tick % TICKS_PER_EVENT === 0) this.broadcast("passed", tick / TICKS_PER_EVENT);
    if (this.data.crates === 0) return;
    this.state.crates.delete(`${tick - this.data.crates}`);
    this.state.crates.set(`${tick}`, { content: "" });
    for (const [key, crate] of this.state.crates)
      crate.content = `${tick} in ${key}`.padEnd(CRATE_BYTES, "~");
    for (const member of this.state.members.values()) member.seenTick = tick;
  }
}
