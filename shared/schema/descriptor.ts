/**
 * A schema as plain data: what a client needs to mirror a state it has no code for, and what two sides compare to
 * know that they mean the same bytes. Entities are numbered in the order in which they are reached from the root.
 */
import type { EntitySchema, Field, NumberKind } from "./fields.ts";
import { SchemaError } from "./schema-error.ts";

export type PlainDescriptor =
  | NumberKind
  | "bool"
  | "string"
  | readonly [kind: "quantised", min: number, max: number, step: number];
/** Entities are named by their index in the SchemaDescriptor. */
export type ScalarDescriptor =
  | PlainDescriptor
  | readonly [kind: "optional", of: PlainDescriptor]
  | readonly [kind: "ref", entity: number];
export type ListDescriptor = readonly [kind: "list", of: PlainDescriptor];
export type TypeDescriptor =
  | ScalarDescriptor
  | ListDescriptor
  | readonly [kind: "owner", of: ScalarDescriptor | ListDescriptor]
  | readonly [kind: "map", entity: number];
export type FieldDescriptor = readonly [name: string, type: TypeDescriptor];
export type EntityDescriptor = readonly [name: string, fields: readonly FieldDescriptor[]];
/** JSON and msgpack can carry it; the first entity is the root. */
export type SchemaDescriptor = readonly EntityDescriptor[];

/** @throws SchemaError when a ref names something that is no entity, or the root has fields for its owner */
export function describe(schema: EntitySchema): SchemaDescriptor {
  return describeWithSchemas(schema).descriptor;
}

/** The description, and beside it the schema objects in the same order. */
export function describeWithSchemas(root: EntitySchema): {
  readonly descriptor: SchemaDescriptor;
  readonly schemas: readonly EntitySchema[];
} {
  const schemas: EntitySchema[] = [];
  const names: string[] = [];
  const indexOf = (schema: EntitySchema, reachedBy: string): number => {
    const known = schemas.indexOf(schema);
    if (known >= 0) return known;
    names.push(schema.name || reachedBy);
    return schemas.push(schema) - 1;
  };

  const descriptor: EntityDescriptor[] = [];
  indexOf(root, "state");
  // `schemas` grows while it is walked: that is the search.
  for (const schema of schemas) {
    const fields = Object.entries(schema.fields).map(
      ([name, field]): FieldDescriptor => [name, describeField(field, (target) => indexOf(target, name))],
    );
    descriptor.push([names[descriptor.length] ?? "", fields]);
  }
  const secret = Object.entries(root.fields).find(([, field]) => field.kind === "owner");
  if (secret) throw new SchemaError(`${names[0]}.${secret[0]}: the root has no owner`);
  return { descriptor, schemas };
}

type IndexOf = (schema: EntitySchema) => number;

function describeField(field: Field, indexOf: IndexOf): TypeDescriptor {
  switch (field.kind) {
    case "owner":
      return [
        "owner",
        field.of.kind === "list" ? describeList(field.of.of) : describeScalar(field.of, indexOf),
      ];
    case "list":
      return describeList(field.of);
    case "map":
      return ["map", indexOf(field.of)];
    default:
      return describeScalar(field, indexOf);
  }
}

function describeList(of: Field): ListDescriptor {
  return ["list", describePlain(of)];
}

function describeScalar(field: Field, indexOf: IndexOf): ScalarDescriptor {
  if (field.kind === "ref") return ["ref", indexOf(refTarget(field.target()))];
  if (field.kind !== "optional") return describePlain(field);
  // A ref can always be undefined, so an optional ref is a ref.
  return field.of.kind === "ref" ? describeScalar(field.of, indexOf) : ["optional", describePlain(field.of)];
}

export function describePlain(field: Field): PlainDescriptor {
  switch (field.kind) {
    case "quantised":
      return ["quantised", field.min, field.max, field.step];
    case "owner":
    case "list":
    case "map":
    case "ref":
    case "optional":
      throw new SchemaError(`a ${field.kind} cannot stand here`);
    default:
      return field.kind;
  }
}

function refTarget(target: unknown): EntitySchema {
  if (typeof target === "object" && target !== null && "kind" in target && target.kind === "entity") {
    return target as EntitySchema;
  }
  throw new SchemaError("a ref must name an entity");
}

/**
 * @returns 8 hexadecimal digits, equal for equal descriptions
 * FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function schemaHash(descriptor: SchemaDescriptor): string {
  const text = JSON.stringify(descriptor);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
