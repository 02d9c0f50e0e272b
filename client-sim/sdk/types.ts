/**
 * What a game's types follow from: the state schema and the message schemas a client is given. They cost nothing at
 * run time except where a binary input schema encodes a payload.
 */
import type { EntitySchema, InputOf, InputSchema, View } from "../../shared/schema/index.ts";

/** The part of Standard Schema that carries types: the client does not validate. Source: https://standardschema.dev */
export interface TypedSchema<Input = unknown> {
  readonly "~standard": { readonly types?: { readonly input: Input } | undefined };
}

/** Message types by name, as the room declares them. */
export type MessageSchemas = { readonly [type: string]: InputSchema | TypedSchema };

export type PayloadOf<M> = M extends InputSchema
  ? InputOf<M>
  : M extends TypedSchema<infer Input>
    ? Input
    : unknown;

/** What `room.send` takes after the type. */
export type PayloadArguments<M> = unknown extends M ? [payload?: unknown] : [payload: M];

/** State of a room joined without its schema: its fields by name. */
export type DynamicState = { readonly [field: string]: unknown };

export type StateOf<S extends EntitySchema> = EntitySchema extends S ? DynamicState : View<S>;

export type RoomOptions<S extends EntitySchema, M extends MessageSchemas> = {
  /** Gives `room.state` its type, and spares the server sending the schema. */
  readonly state?: S;
  /** Gives `room.send` its types; payloads of binary input schemas are encoded by them. */
  readonly messages?: M;
  /** When the session is lost, join again with the same request; default true where that can lead to a room. */
  readonly rejoin?: boolean;
};
