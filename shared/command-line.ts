/** What the command lines of this project have in common: one sentence for what does not fit. */

/** A command line that cannot be carried out; its message is the one sentence to print. */
export class OptionsError extends Error {}

export type NumberRange = { readonly min: number; readonly max: number; readonly whole?: boolean };

/**
 * @param name of the option, without its dashes
 * @throws OptionsError for what is no number of the range
 */
export function numberOption(name: string, text: string, { min, max, whole = false }: NumberRange): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new OptionsError(`--${name} must be ${kind} from ${min} to ${max} (it is ${JSON.stringify(text)}).`);
}

/** @returns what `parseArgs` of Node says is wrong, without its advice on how to escape arguments */
export function sentenceOfParseError(error: unknown): string {
  const sentence = (error as Error).message.split(/\. |\n/)[0] ?? "";
  return `${sentence.replace(/\.$/, "")}; see --help.`;
}
