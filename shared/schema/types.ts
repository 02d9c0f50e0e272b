/**
 * The exact types a schema stands for: `Live` on the server, `Init` to make an entity, `View` in the client's mirror.
 */
import type {
  EntitySchema,
  Field,
  ListField,
  MapField,
  OptionalField,
  OwnerField,
  PlainField,
  RefField,
} from "./fields.ts";
import type { LiveList } from "./live-list.ts";
import type { LiveMap } from "./live-map.ts";
import type { MirrorMap } from "./mirror-map.ts";

export type PlainValue<F> = F extends { readonly kind: "bool" }
  ? boolean
  : F extends { readonly kind: "string" }
    ? string
    : number;

/** The entity a ref's function names. */
type TargetOf<G> = G extends () => infer S ? (S extends EntitySchema ? S : never) : never;

type LiveValue<F> =
  F extends OwnerField<infer G>
    ? LiveValue<G>
    : F extends OptionalField<infer G>
      ? LiveValue<G> | undefined
      : F extends RefField<infer G>
        ? Live<TargetOf<G>> | undefined
        : F extends ListField<infer G>
          ? LiveList<PlainValue<G>>
          : F extends MapField<infer S>
            ? LiveMap<S>
            : F extends PlainField
              ? PlainValue<F>
              : never;

type IsCollection<F> = F extends MapField | ListField | OwnerField<ListField> ? true : false;
type Fields<S> = S extends { readonly fields: infer F extends { readonly [name: string]: Field } }
  ? F
  : never;

/** The server's entity: assign its fields, call its collections. */
export type Live<S extends EntitySchema> = {
  -readonly [K in keyof Fields<S> as IsCollection<Fields<S>[K]> extends true ? never : K]: LiveValue<
    Fields<S>[K]
  >;
} & {
  readonly [K in keyof Fields<S> as IsCollection<Fields<S>[K]> extends true ? K : never]: LiveValue<
    Fields<S>[K]
  >;
};

type InitValue<F> =
  F extends OwnerField<infer G>
    ? InitValue<G>
    : F extends ListField<infer G>
      ? Iterable<PlainValue<G>>
      : F extends MapField<infer S>
        ? { readonly [key: string]: Init<S> }
        : LiveValue<F>;

/** What a new entity begins with; what is left out is 0, false, "", absent or empty. */
export type Init<S extends EntitySchema> = {
  readonly [K in keyof Fields<S>]?: InitValue<Fields<S>[K]> | undefined;
};

type ViewValue<F> =
  F extends OwnerField<infer G>
    ? ViewValue<G> | undefined
    : F extends OptionalField<infer G>
      ? ViewValue<G> | undefined
      : F extends RefField<infer G>
        ? View<TargetOf<G>> | undefined
        : F extends ListField<infer G>
          ? readonly PlainValue<G>[]
          : F extends MapField<infer S>
            ? MirrorMap<S>
            : F extends PlainField
              ? PlainValue<F>
              : never;

/** The client's entity: properties that follow the server's, to be read. Another owner's fields are undefined. */
export type View<S extends EntitySchema> = { readonly [K in keyof Fields<S>]: ViewValue<Fields<S>[K]> };
