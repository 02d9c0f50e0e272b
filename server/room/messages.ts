/**
 * What clients may send to a room: a schema and what to do with what fits it. Payloads are checked before the
 * handler sees them, by a binary input schema or by any validator that speaks Standard Schema.
 */
import {
  decodeInput,
  type InputOf,
  type InputSchema,
  isInputSchema,
  SchemaError,
} from "../../shared/schema/index.ts";
import type { Client } from "./client.ts";

/**
 * The part of Standard Schema version 1 that is used here.
 * Source: https://standardschema.dev
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

export type PayloadSchema = InputSchema | StandardSchema;
export type PayloadOf<S> = S extends InputSchema
  ? InputOf<S>
  : S extends { readonly "~standard": { readonly types?: infer T } }
    ? NonNullable<T> extends { readonly output: infer Output }
      ? Output
      : unknown
    : never;

export type MessageDefinition = {
  readonly schema: PayloadSchema;
  /** @throws InvalidPayload when the payload does not fit */
  readonly apply: (client: Client, payload: unknown) => unknown;
};

/** A payload that does not fit its schema: the client's fault, told to the client. */
export class InvalidPayload extends Error {}

/**
 * Declares a message that clients may send.
 *
 * @param schema an `input({...})` of the shared schema, or a Standard Schema (valibot, zod, arktype, ...); synchronous
 * @param handler runs within the room's step
 */
export function message<const S extends PayloadSchema, Auth = unknown>(
  schema: S,
  handler: (client: Client<Auth>, payload: PayloadOf<S>) => void,
): MessageDefinition {
  return {
    schema,
    apply: (client, payload) => handler(client as Client<Auth>, check(schema, payload) as PayloadOf<S>),
  };
}

function check(schema: PayloadSchema, payload: unknown): unknown {
  if (isInputSchema(schema)) {
    if (!(payload instanceof Uint8Array))
      throw new InvalidPayload(
        "The payload must be bytes of the input schema: a client is given that in the option `messages`.",
      );
    try {
      return decodeInput(schema, payload);
    } catch (error) {
      if (error instanceof SchemaError) throw new InvalidPayload(error.message);
      throw error;
    }
  }
  // What a validator lets pass may be kept for long; the memory is shared with other payloads.
  const own = payload instanceof Uint8Array ? payload.slice() : payload;
  const result = schema["~standard"].validate(own);
  if (result instanceof Promise) throw new TypeError("A message's schema must validate synchronously.");
  if (result.issues)
    throw new InvalidPayload(result.issues[0]?.message ?? "The payload does not fit its schema.");
  return result.value;
}

/** What a message is given to, and how that is called in errors. */
type MessageHandler = { readonly hook: string; readonly definition: MessageDefinition };

/** What a room declares, to be found by name or by number. */
export class MessageTable {
  /** Sorted: a message's number is its place. */
  readonly names: readonly string[];
  readonly #byNumber: readonly MessageHandler[];
  readonly #byName: ReadonlyMap<string, MessageHandler>;

  /** @param declared by name; what a condition has left undefined is no message */
  constructor(declared: Readonly<Record<string, MessageDefinition | undefined>>) {
    const entries = Object.entries(declared)
      .flatMap(([name, definition]): [string, MessageHandler][] =>
        definition === undefined ? [] : [[name, { hook: `messages.${name}`, definition }]],
      )
      .sort(([a], [b]) => (a < b ? -1 : 1));
    this.names = entries.map(([name]) => name);
    this.#byNumber = entries.map(([, handler]) => handler);
    this.#byName = new Map(entries);
  }

  find(message: number | string): MessageHandler | undefined {
    return typeof message === "number" ? this.#byNumber[message] : this.#byName.get(message);
  }
}
