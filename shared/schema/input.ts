/**
 * Binary messages from client to server: a fixed record of values, every field in the order of the schema. The
 * server decodes bytes of strangers with it, so decoding accepts exactly what encoding can produce.
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { readNumber, readText, shownNumber, toNumber, toText, writeNumber, writeText } from "./codec.ts";
import { describePlain } from "./descriptor.ts";
import { assertFieldName, type OptionalField, type PlainField } from "./fields.ts";
import { type FieldLayout, Kind, layoutField } from "./layout.ts";
import { SchemaError } from "./schema-error.ts";
import type { PlainValue } from "./types.ts";

export type InputField = PlainField | OptionalField<PlainField>;
export type InputFields = { readonly [name: string]: InputField };

export class InputSchema<F extends InputFields = InputFields> {
  readonly fields: F;
  readonly layouts: readonly FieldLayout[];

  constructor(fields: F) {
    this.fields = fields;
    this.layouts = Object.entries(fields).map(([name, field]) => {
      assertFieldName(name);
      return layoutField(
        name,
        field.kind === "optional" ? ["optional", describePlain(field.of)] : describePlain(field),
      );
    });
  }
}

/** What a message of an input schema holds. */
export type InputOf<S> =
  S extends InputSchema<infer F>
    ? { [K in keyof F as F[K] extends OptionalField ? never : K]: PlainValue<F[K]> } & {
        [K in keyof F as F[K] extends OptionalField ? K : never]?:
          | (F[K] extends OptionalField<infer G> ? PlainValue<G> : never)
          | undefined;
      }
    : never;

/** @throws RangeError for a name that cannot be a property */
export function input<F extends InputFields>(fields: F): InputSchema<F> {
  return new InputSchema(fields);
}

export function isInputSchema(value: unknown): value is InputSchema {
  return value instanceof InputSchema;
}

/** Shared by all encoding of the process: nothing is kept in it between calls. */
const writer = new ByteWriter();

/** @throws RangeError naming a field that cannot hold its value; quantised values are clamped and snapped */
export function encodeInput<S extends InputSchema>(schema: S, value: InputOf<S>): Uint8Array {
  const values = value as { readonly [name: string]: unknown };
  writer.reset();
  for (const field of schema.layouts) {
    const given = values[field.name];
    const absent = field.optional && given === undefined;
    if (field.kind === Kind.STRING) writeText(writer, field, absent ? undefined : toText(field, "", given));
    else writeNumber(writer, field, absent ? Number.NaN : toNumber(field, "", given));
  }
  return writer.take();
}

/** @throws SchemaError for bytes that `encodeInput` cannot have made */
export function decodeInput<S extends InputSchema>(schema: S, bytes: Uint8Array): InputOf<S> {
  const reader = new ByteReader(bytes);
  const values: { [name: string]: unknown } = {};
  for (const field of schema.layouts) {
    values[field.name] =
      field.kind === Kind.STRING ? readText(reader, field) : shownNumber(field, readNumber(reader, field));
  }
  if (reader.remaining > 0) throw new SchemaError(`${reader.remaining} bytes too many`);
  return values as InputOf<S>;
}
