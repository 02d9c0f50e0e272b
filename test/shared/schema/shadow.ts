/**
 * What the state should be, kept in plain objects beside the server's, and projections of it, of the server's state
 * and of a mirror to plain data that can be compared. A ref is projected as the path of what it refers to.
 */
import type { EntitySchema, Field } from "../../../shared/schema/index.ts";

export type Plain = { [name: string]: unknown };

export class ShadowEntity {
  readonly schema: EntitySchema;
  readonly parent: ShadowEntity | undefined;
  readonly mapName: string;
  readonly key: string;
  readonly owner: string;
  readonly values: Plain = {};
  readonly maps: { [name: string]: Map<string, ShadowEntity> } = {};
  isGone = false;

  constructor(
    schema: EntitySchema,
    parent: ShadowEntity | undefined = undefined,
    mapName = "",
    key = "",
    owner = "",
  ) {
    this.schema = schema;
    this.parent = parent;
    this.mapName = mapName;
    this.key = key;
    this.owner = owner;
    for (const [name, field] of Object.entries(schema.fields)) {
      if (field.kind === "map") this.maps[name] = new Map();
      else this.values[name] = blank(field);
    }
  }

  remove(): void {
    this.parent?.maps[this.mapName]?.delete(this.key);
    this.#forget();
  }

  #forget(): void {
    this.isGone = true;
    for (const child of this.children()) child.#forget();
  }

  *children(): Generator<ShadowEntity> {
    for (const children of Object.values(this.maps)) yield* children.values();
  }

  /** This entity and everything inside it. */
  *all(): Generator<ShadowEntity> {
    yield this;
    for (const child of this.children()) yield* child.all();
  }

  get path(): string {
    return this.parent ? `${this.parent.path}/${this.mapName}.${this.key}` : "";
  }
}

function blank(field: Field): unknown {
  switch (field.kind) {
    case "owner":
      return blank(field.of);
    case "list":
      return [];
    case "bool":
      return false;
    case "string":
      return "";
    case "optional":
    case "ref":
      return undefined;
    case "quantised":
      return field.min <= 0 && field.max >= 0 ? 0 : field.min;
    default:
      return 0;
  }
}

export function isRef(field: Field): boolean {
  if (field.kind === "owner" || field.kind === "optional") return isRef(field.of);
  return field.kind === "ref";
}

/**
 * @param session whose private fields are shown; undefined shows all
 * @param isSeen who is shown
 */
export function projectShadow(
  entity: ShadowEntity,
  session: string | undefined,
  isSeen: (entity: ShadowEntity) => boolean = () => true,
): Plain {
  const projected: Plain = {};
  for (const [name, field] of Object.entries(entity.schema.fields)) {
    const value = entity.values[name];
    if (field.kind === "map") {
      const children = Array.from(entity.maps[name] ?? []).filter(([, child]) => isSeen(child));
      projected[name] = children.map(([key, child]) => [key, projectShadow(child, session, isSeen)]);
    } else if (field.kind === "owner" && session !== undefined && entity.owner !== session) {
      projected[name] = undefined;
    } else if (value instanceof ShadowEntity) {
      projected[name] = value.isGone || !isSeen(value) ? undefined : value.path;
    } else projected[name] = value;
  }
  return projected;
}

/** What server's and mirror's entities have in common. */
type Walkable = { readonly [name: string]: unknown };
type WalkableMap = Iterable<[string, Walkable]>;

/** Of the server's state or a mirror's, which are read alike. */
export function projectState(schema: EntitySchema, root: object): Plain {
  const paths = new Map<unknown, string>();
  for (const { entity, path } of walk(schema, root)) paths.set(entity, path);
  const project = (of: EntitySchema, entity: Walkable): Plain => {
    const projected: Plain = {};
    for (const [name, field] of Object.entries(of.fields)) {
      const value = entity[name];
      if (field.kind === "map") {
        projected[name] = Array.from(value as WalkableMap, ([key, child]) => [key, project(field.of, child)]);
      } else if (isRef(field))
        projected[name] = value === undefined ? undefined : (paths.get(value) ?? "gone!");
      else projected[name] = isIterable(value) ? [...value] : value;
    }
    return projected;
  };
  return project(schema, root as Walkable);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

export type Walked = { readonly schema: EntitySchema; readonly entity: Walkable; readonly path: string };

/** Every entity of a state, holders first. */
export function* walk(schema: EntitySchema, root: object, path = ""): Generator<Walked> {
  const entity = root as Walkable;
  yield { schema, entity, path };
  for (const [name, field] of Object.entries(schema.fields)) {
    if (field.kind !== "map") continue;
    for (const [key, child] of entity[name] as WalkableMap)
      yield* walk(field.of, child, `${path}/${name}.${key}`);
  }
}
