/**
 * An entity of the mirror: the record that bytes are read into, and the view, plain properties, that users hold.
 */
import type { ByteReader } from "./bytes.ts";
import { readField } from "./codec.ts";
import type { EntitySchema } from "./fields.ts";
import { type FieldLayout, Kind, type Shape } from "./layout.ts";
import { type ChangeListener, MapSource, MirrorMap } from "./mirror-map.ts";
import { EntityRecord } from "./record.ts";
import type { View } from "./types.ts";

export type AnyView = { [name: string]: unknown };

export class MirrorRecord extends EntityRecord {
  readonly view: AnyView = {};
  readonly maps: MapSource<AnyView>[] = [];
  /** The map that holds it; undefined for the root. */
  readonly holder: MapSource<AnyView> | undefined;
  /** Listeners to this one entity; most have none. */
  listeners: Set<ChangeListener<AnyView>> | undefined;
  /** Added, and not announced yet. */
  isNew = true;
  isGone = false;
  /** Bits of the fields whose view changed and was not announced yet. */
  changed = 0;
  /** Number of the last snapshot that had it. */
  snapshot = 0;

  constructor(id: number, shape: Shape, parent: MirrorRecord | undefined, mapIndex: number, key: string) {
    super(id, shape, parent, mapIndex, key);
    this.holder = parent?.maps[mapIndex];
    for (const field of shape.fields) {
      this.view[field.name] = field.private ? undefined : this.#shown(field);
      // A private field is absent until its owner's patch brings it.
      if (!field.private || field.list) continue;
      if (field.kind === Kind.STRING) this.strings[field.slot] = undefined;
      else this.numbers[field.slot] = Number.NaN;
    }
    for (const { name } of shape.maps) {
      const source = new MapSource<AnyView>();
      this.maps.push(source);
      this.view[name] = new MirrorMap(source as MapSource<View<EntitySchema>>);
    }
  }

  /** Reads one field's value, and notes whether users see a difference. A ref waits to be resolved. */
  read(reader: ByteReader, field: FieldLayout): void {
    const differs = readField(reader, this, field);
    if (field.kind === Kind.REF) return;
    if (!differs && !(field.list && this.view[field.name] === undefined)) return;
    this.view[field.name] = this.#shown(field);
    this.changed |= field.bit;
  }

  /** Lets a ref show the entity of its id, if there is one now. */
  resolve(field: FieldLayout, records: ReadonlyMap<number, MirrorRecord>): void {
    const target = records.get(this.numbers[field.slot] as number)?.view;
    if (this.view[field.name] === target) return;
    this.view[field.name] = target;
    this.changed |= field.bit;
  }

  changedFieldNames(mask: number): readonly string[] {
    return this.shape.fields.filter((field) => (field.bit & mask) !== 0).map((field) => field.name);
  }

  /** Of any field but a ref, which shows nothing until it is resolved. */
  #shown(field: FieldLayout): unknown {
    if (field.list) return this.lists[field.slot];
    if (field.kind === Kind.STRING) return this.strings[field.slot];
    if (field.kind === Kind.REF) return undefined;
    const value = this.numbers[field.slot] as number;
    if (Number.isNaN(value)) return undefined;
    return field.kind === Kind.BOOL ? value === 1 : value;
  }
}
