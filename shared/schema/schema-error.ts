/**
 * The one error of reading: bytes, or a schema description, that this schema cannot have written.
 */
export class SchemaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SchemaError";
  }
}
