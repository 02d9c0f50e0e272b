/**
 * Interest management: of the entities in spatial maps, each client is sent those in its view and no others. One
 * that comes into the view arrives whole, one that leaves it is removed, and what a client does not see leaves no
 * byte with it. A client's part is put together from pieces that were encoded once for all, so its cost grows with
 * what it sees.
 *
 *   commit -> update (grid) -> for each client: frame = shared pieces, [removal or change]s of the known, additions
 */
import { ByteWriter } from "../../shared/schema/bytes.ts";
import { NOT_KNOWN, type SpatialEncoder } from "../../shared/schema/spatial-encoder.ts";
import type { SpatialEntity } from "../../shared/schema/spatial-entity.ts";
import type { Client } from "./client.ts";
import { InterestGrid, isWithin } from "./interest-grid.ts";

/**
 * What has come into a view stays in it up to so many times the radius, so that what moves along the edge does not
 * come and go all the time.
 */
export const LEAVE_RADIUS_RATIO = 1.1;

/** Two patches of a state: for the public fields, and for the client's private ones, if there are any. */
export type StatePatches = { readonly patch: Uint8Array; readonly own: Uint8Array | undefined };

/** What a connection has been sent of the spatial maps; at first nothing. */
export class Sight {
  /** Of what is seen. */
  readonly known: SpatialEntity[] = [];
  /** Number of the commit as of which it is known. */
  step = 0;
}

/** Shared by all rooms of the process: nothing is kept in them between calls. */
const patch = new ByteWriter();
const own = new ByteWriter();
const inView: SpatialEntity[] = [];

export class Interest {
  readonly #spatial: SpatialEncoder;
  readonly #grid = new InterestGrid<SpatialEntity>();
  /** Largest radius since the last update. */
  #radiusMax = 0;
  /** The last mark given: entities are marked to tell what a frame has met from what it has not. */
  #mark = 0;

  constructor(spatial: SpatialEncoder) {
    this.#spatial = spatial;
    for (const entity of spatial.entities()) this.#grid.add(entity);
  }

  /** To be called after each commit. */
  update(): void {
    const { added, changed, removed } = this.#spatial;
    for (const entity of removed) this.#grid.remove(entity);
    for (const entity of added) this.#grid.add(entity);
    for (const entity of changed) this.#grid.move(entity);
    if (this.#radiusMax > 0) this.#grid.fit(this.#radiusMax);
    this.#radiusMax = 0;
  }

  /**
   * What brings a client up to date with the last commit, and with its view of now.
   *
   * @param sight of the connection it goes to; a new one to send the whole view
   * @param shared what brings it up to date with what everybody sees
   */
  frame(sight: Sight, client: Client, shared: StatePatches): StatePatches {
    const { known } = sight;
    const { view } = client;
    const knownMark = ++this.#mark;
    const newMark = ++this.#mark;
    patch.reset();
    own.reset();
    patch.copy(shared.patch, 0, shared.patch.length);
    if (shared.own) own.copy(shared.own, 0, shared.own.length);

    // Removals come before additions: what comes may have the key of what goes.
    let keptCount = 0;
    for (const entity of known) {
      if (!view || entity.isGone || !isWithin(entity, view.x, view.y, view.radius * LEAVE_RADIUS_RATIO)) {
        this.#spatial.writeRemove(patch, entity);
        continue;
      }
      entity.mark = knownMark;
      this.#spatial.writeUpdate(patch, entity, sight.step);
      known[keptCount++] = entity;
    }
    known.length = keptCount;

    if (view) {
      this.#radiusMax = Math.max(this.#radiusMax, view.radius);
      inView.length = 0;
      this.#grid.collect(view.x, view.y, view.radius, inView);
      for (const entity of inView) {
        if (entity.mark === knownMark) continue;
        entity.mark = newMark;
        this.#spatial.writeAdd(patch, entity);
        known.push(entity);
      }
      this.#spatial.writeOwn(own, client.sessionId, ({ mark }) =>
        mark === newMark ? NOT_KNOWN : mark === knownMark ? sight.step : undefined,
      );
    }
    sight.step = this.#spatial.step;
    return { patch: patch.take(), own: own.length > 0 ? own.take() : undefined };
  }
}
