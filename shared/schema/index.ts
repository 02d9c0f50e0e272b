/**
 * State sync: a schema says what is replicated, `StateEncoder` holds the state and encodes what changes, `Mirror`
 * is the client's live copy. PROTOCOL.md specifies the bytes.
 */
export type { PlainEntity } from "./carry-over.ts";
export { describe, type SchemaDescriptor, schemaHash } from "./descriptor.ts";
export {
  type BoolField,
  bool,
  ENTITY_TYPES_MAX,
  type EntitySchema,
  entity,
  FIELDS_MAX,
  type Field,
  type Fields,
  f32,
  f64,
  i8,
  i16,
  i32,
  KEY_BYTES_MAX,
  LIST_LENGTH_MAX,
  type ListField,
  list,
  type MapField,
  map,
  type NumberField,
  type OptionalField,
  type OwnerField,
  optional,
  owner,
  type PlainField,
  type QuantisedField,
  quantised,
  type RefField,
  ref,
  type ScalarField,
  STRING_BYTES_MAX,
  type StringField,
  string,
  u8,
  u16,
  u32,
} from "./fields.ts";
export {
  decodeInput,
  encodeInput,
  type InputField,
  type InputFields,
  type InputOf,
  InputSchema,
  input,
  isInputSchema,
} from "./input.ts";
export { LiveList } from "./live-list.ts";
export { LiveMap } from "./live-map.ts";
export { Mirror } from "./mirror.ts";
export { MirrorMap, type Unsubscribe } from "./mirror-map.ts";
export { PENDING_ENTITIES_MAX, PendingChanges } from "./pending-changes.ts";
export { SchemaError } from "./schema-error.ts";
export { NO_CHANGE, type StateChange } from "./state-change.ts";
export { idOf, StateEncoder } from "./state-encoder.ts";
export type { Init, Live, View } from "./types.ts";
