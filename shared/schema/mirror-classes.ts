/**
 * Mirrors of one schema share its shapes and the classes of their views. A process with many players, such as a load
 * simulator, then reads views of one kind, which the engine compiles for, instead of as many kinds as there are players.
 */
import type { SchemaDescriptor } from "./descriptor.ts";
import { compile, type Shape } from "./layout.ts";
import { makeViewClass, type ViewClass } from "./mirror-view.ts";

/** Schemas that are remembered; a client knows a few. */
const REMEMBERED_MAX = 16;

export type MirrorClasses = { readonly shapes: readonly Shape[]; readonly viewClasses: readonly ViewClass[] };

/** By the whole description, the one that was used last at the end. */
const remembered = new Map<string, MirrorClasses>();

/** @throws SchemaError for what is not the description of a schema */
export function classesOf(descriptor: SchemaDescriptor): MirrorClasses {
  const key = JSON.stringify(descriptor);
  let classes = remembered.get(key);
  if (classes === undefined) {
    const shapes = compile(descriptor);
    classes = { shapes, viewClasses: shapes.map(makeViewClass) };
  }
  remembered.delete(key);
  remembered.set(key, classes);
  const [oldest] = remembered.keys();
  if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
  return classes;
}
