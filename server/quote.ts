/** Names in sentences for whoever sent them. */
import { LIMITS } from "./limits.ts";

/** @returns the name in quotes, or its beginning: an error need not repeat all of what a client made up */
export function quote(name: string): string {
  return JSON.stringify(name.slice(0, LIMITS.quotedCharactersMax));
}
