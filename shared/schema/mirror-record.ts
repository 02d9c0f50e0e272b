/**
 * An entity of the mirror: the record that bytes are read into, and what users and listeners know of it.
 */
import type { ByteReader } from "./bytes.ts";
import { readField } from "./codec.ts";
import type { EntitySchema } from "./fields.ts";
import { type FieldLayout, Kind, type Shape } from "./layout.ts";
import { type Audience, type ChangeListener, MapSource, MirrorMap } from "./mirror-map.ts";
import type { EntityView, ViewClass } from "./mirror-view.ts";
import { EntityRecord } from "./record.ts";
import type { View } from "./types.ts";

/** What the map's users hold, and the mirror's side of it. */
type HeldMap = { readonly shown: MirrorMap<EntitySchema>; readonly source: MapSource<EntityView> };

export class MirrorRecord extends EntityRecord {
  readonly view: EntityView;
  readonly maps: HeldMap[] = [];
  /** Whom its refs show, by slot. */
  readonly targets: (EntityView | undefined)[] = [];
  /** The map that holds it; undefined for the root. */
  readonly holder: MapSource<EntityView> | undefined;
  /** Listeners to this one entity; most have none. */
  listeners: Set<ChangeListener<EntityView>> | undefined;
  /** Added, and not announced yet. */
  isNew = true;
  isGone = false;
  /** Bits of the fields that users see changed, and that were not announced yet. */
  changed = 0;
  /** Number of the last snapshot that had it. */
  snapshot = 0;

  constructor(
    id: number,
    shape: Shape,
    viewClass: ViewClass,
    parent: MirrorRecord | undefined,
    mapIndex: number,
    key: string,
    audience: Audience,
  ) {
    super(id, shape, parent, mapIndex, key);
    this.holder = parent?.maps[mapIndex]?.source;
    this.view = new viewClass(this);
    for (let i = 0; i < shape.maps.length; i++) {
      const source = new MapSource<EntityView>(audience);
      this.maps.push({
        source,
        shown: new MirrorMap(source as MapSource<object> as MapSource<View<EntitySchema>>),
      });
    }
    for (let i = shape.publicCount; i < shape.fields.length; i++)
      this.#forget(shape.fields[i] as FieldLayout);
  }

  /** A private field is absent until its owner's patch brings it. */
  #forget({ list, kind, slot }: FieldLayout): void {
    if (list) this.lists[slot] = undefined;
    else if (kind === Kind.STRING) this.strings[slot] = undefined;
    else this.numbers[slot] = Number.NaN;
  }

  /** Reads one field's value, and notes whether users see a difference. A ref waits to be resolved. */
  read(reader: ByteReader, field: FieldLayout): void {
    if (field.list && this.lists[field.slot] === undefined) {
      this.lists[field.slot] = [];
      this.changed |= field.bit;
    }
    if (readField(reader, this, field) && field.kind !== Kind.REF) this.changed |= field.bit;
  }

  /** Lets a ref show the entity of its id, if there is one of its kind now. */
  resolve({ slot, bit, entity }: FieldLayout, records: ReadonlyMap<number, MirrorRecord>): void {
    const target = records.get(this.numbers[slot] as number);
    const view = target?.shape.index === entity ? target.view : undefined;
    if (this.targets[slot] === view) return;
    this.targets[slot] = view;
    this.changed |= bit;
  }

  changedFieldNames(mask: number): readonly string[] {
    return this.shape.fields.filter((field) => (field.bit & mask) !== 0).map((field) => field.name);
  }
}
