/** Assertions on errors of the table, for the tests beside this file. */
import { expect } from "vitest";
import { type ErrorCode, RookeryError } from "../../../shared/errors.ts";

/** Expects `action` to throw a RookeryError of this code, its sentence matching `sentence` if given. */
export function expectError(action: () => unknown, code: ErrorCode, sentence?: RegExp): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RookeryError);
  expect((thrown as RookeryError).code).toBe(code);
  if (sentence !== undefined) expect((thrown as RookeryError).message).toMatch(sentence);
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
