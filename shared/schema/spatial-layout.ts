/**
 * Which maps of a schema are spatial, and where their entities keep their positions. Clients need not know: this is
 * not part of the schema's description, and only the server's shapes have it.
 */
import type { EntitySchema, Field, SpatialNames } from "./fields.ts";
import { type CoordinateLayout, Kind, type MapLayout, type PositionLayout, type Shape } from "./layout.ts";
import { SchemaError } from "./schema-error.ts";

/**
 * @param shapes compiled from the description of these schemas, in the same order
 * @returns the shapes with their spatial maps marked
 * @throws SchemaError for coordinates that are no public numbers, and for a spatial map inside a spatial entity
 */
export function layoutSpatialMaps(
  shapes: readonly Shape[],
  schemas: readonly EntitySchema[],
): readonly Shape[] {
  const laidOut = shapes.map((shape, index) => ({
    ...shape,
    maps: shape.maps.map((layout): MapLayout => {
      const field: Field | undefined = schemas[index]?.fields[layout.name];
      if (field?.kind !== "map" || field.spatial === undefined) return layout;
      return { ...layout, spatial: layoutPosition(shapes[layout.entity] as Shape, field.spatial) };
    }),
  }));
  for (const { maps } of laidOut) {
    for (const map of maps) if (map.spatial) assertNoSpatialMap(laidOut, map.entity);
  }
  return laidOut;
}

export function hasSpatialMap(shapes: readonly Shape[]): boolean {
  return shapes.some(({ maps }) => maps.some(({ spatial }) => spatial !== undefined));
}

function layoutPosition(shape: Shape, [x, y]: SpatialNames): PositionLayout {
  return { x: coordinate(shape, x), y: coordinate(shape, y) };
}

function coordinate(shape: Shape, name: string): CoordinateLayout {
  const field = shape.fields.find((each) => each.name === name);
  const isNumber = field && field.kind !== Kind.STRING && field.kind !== Kind.BOOL && field.kind !== Kind.REF;
  if (!isNumber || field.list || field.optional || field.private) {
    throw new SchemaError(`${shape.name}.${name} is not a public number that is always there`);
  }
  const { kind, slot, min, step } = field;
  return kind === Kind.QUANTISED ? { slot, origin: min, unit: step } : { slot, origin: 0, unit: 1 };
}

/** What is inside a spatial entity is seen with it, so it has no position of its own. */
function assertNoSpatialMap(shapes: readonly Shape[], entity: number): void {
  const { name, maps } = shapes[entity] as Shape;
  for (const map of maps) {
    if (map.spatial) throw new SchemaError(`${name}.${map.name}: a spatial map inside a spatial entity`);
    assertNoSpatialMap(shapes, map.entity);
  }
}
