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
import type { Client, ClientView } from "./client.ts";
import { InterestGrid, isWithin, NOWHERE } from "./interest-grid.ts";

/**
 * What has come into a view stays in it up to so many times the radius, so that what moves along the edge does not
 * come and go all the time.
 */
export const LEAVE_RADIUS_RATIO = 1.1;

/** Of which nothing is ever within. */
const NO_VIEW: ClientView = { x: 0, y: 0, radius: Number.NaN };

/** Two patches of a state: for the public fields, and for the client's private ones, if there are any. */
export type StatePatches = { readonly patch: Uint8Array; readonly own: Uint8Array | undefined };

/** What a connection has been sent of the spatial maps; at first nothing. */
export class Sight {
  /** Of what is seen. */
  readonly known: SpatialEntity[] = [];
  /** Number of the commit as of which it is known. */
  step = 0;
}

/** Shared by all rooms of the process: what is in them is valid until the next call. */
const patch = new ByteWriter();
const own = new ByteWriter();

export class Interest {
  readonly #spatial: SpatialEncoder;
  readonly #grid = new InterestGrid();
  /** By their numbers in the grid; and with which mark a frame has met them last. */
  readonly #entities: SpatialEntity[] = [];
  #marks = new Float64Array(0);
  /** The last mark given: entities are marked to tell what a frame has met from what it has not. */
  #mark = 0;
  /** Largest radius since the last update. */
  #radiusMax = 0;

  constructor(spatial: SpatialEncoder) {
    this.#spatial = spatial;
    for (const entity of spatial.entities()) this.#add(entity);
    this.#growMarks();
  }

  /** To be called after each commit. */
  update(): void {
    const { added, changed, removed } = this.#spatial;
    for (const entity of removed) this.#remove(entity);
    for (const entity of added) this.#add(entity);
    for (const entity of changed) this.#grid.move(entity.item, entity.x, entity.y);
    this.#growMarks();
    if (this.#radiusMax > 0) this.#grid.fit(this.#radiusMax);
    this.#radiusMax = 0;
  }

  #add(entity: SpatialEntity): void {
    entity.item = this.#grid.add(entity.x, entity.y);
    this.#entities[entity.item] = entity;
  }

  #remove(entity: SpatialEntity): void {
    this.#grid.remove(entity.item);
    entity.item = NOWHERE;
  }

  #growMarks(): void {
    // No mark of before is given again.
    if (this.#marks.length < this.#entities.length) this.#marks = new Float64Array(2 * this.#entities.length);
  }

  /**
   * What brings a client up to date with the last commit, and with its view of now.
   *
   * @param sight of the connection it goes to; a new one to send the whole view
   * @param shared what brings it up to date with what everybody sees
   * @returns bytes that are valid until the next call
   */
  frame(sight: Sight, client: Client, shared: StatePatches): StatePatches {
    patch.reset();
    own.reset();
    patch.copy(shared.patch, 0, shared.patch.length);
    if (shared.own) own.copy(shared.own, 0, shared.own.length);
    const knownMark = ++this.#mark;
    const newMark = ++this.#mark;
    // Removals come before additions: what comes may have the key of what goes.
    this.#writeKnown(sight, client.view, knownMark);
    if (client.view) this.#writeNew(sight, client.view, knownMark, newMark);
    if (this.#spatial.isOwner(client.sessionId)) this.#writeOwn(sight, client.sessionId, knownMark, newMark);
    sight.step = this.#spatial.step;
    return { patch: written(patch), own: own.length > 0 ? written(own) : undefined };
  }

  /** What has happened to those that the client knows, and what it does not see any more. */
  #writeKnown({ known, step }: Sight, view: ClientView | undefined, mark: number): void {
    const spatial = this.#spatial;
    const { positions } = this.#grid;
    const marks = this.#marks;
    const { x, y, radius } = view ?? NO_VIEW;
    const leaveRadius = radius * LEAVE_RADIUS_RATIO;
    let kept = 0;
    for (let index = 0; index < known.length; index++) {
      const entity = known[index] as SpatialEntity;
      const { item } = entity;
      if (!isWithin(positions, item, x, y, leaveRadius)) {
        spatial.writeRemove(patch, entity);
        continue;
      }
      marks[item] = mark;
      if (entity.changedStep > step) spatial.writeUpdate(patch, entity, step);
      if (kept < index) known[kept] = entity;
      kept += 1;
    }
    // Setting the length would be slower.
    while (known.length > kept) known.pop();
  }

  /** What has come into the view. */
  #writeNew({ known }: Sight, { x, y, radius }: ClientView, knownMark: number, newMark: number): void {
    this.#radiusMax = Math.max(this.#radiusMax, radius);
    const marks = this.#marks;
    const { found } = this.#grid;
    const count = this.#grid.collect(x, y, radius);
    for (let index = 0; index < count; index++) {
      const item = found[index] as number;
      if (marks[item] === knownMark) continue;
      marks[item] = newMark;
      const entity = this.#entities[item] as SpatialEntity;
      this.#spatial.writeAdd(patch, entity);
      known.push(entity);
    }
  }

  #writeOwn(sight: Sight, sessionId: string, knownMark: number, newMark: number): void {
    this.#spatial.writeOwn(own, sessionId, ({ item }) => {
      const mark = this.#marks[item];
      return mark === newMark ? NOT_KNOWN : mark === knownMark ? sight.step : undefined;
    });
  }
}

function written({ bytes, length }: ByteWriter): Uint8Array {
  return bytes.subarray(0, length);
}
