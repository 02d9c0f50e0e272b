/** The name of who plays here, kept for the next visit. */
import { NAME_LENGTH_MAX } from "../../../../shared/games/player-name.ts";

const KEY = "rookery.name";
const SUGGESTIONS = [
  "Corvin",
  "Magpie",
  "Jackdaw",
  "Raven",
  "Nutcracker",
  "Chough",
  "Jay",
  "Treepie",
] as const;

/** Binds the field to the stored name. @returns the name to play under now */
export function bindName(field: HTMLInputElement): () => string {
  const suggestion = SUGGESTIONS[Math.floor(Math.random() * SUGGESTIONS.length)] ?? SUGGESTIONS[0];
  field.maxLength = NAME_LENGTH_MAX;
  field.value = localStorage.getItem(KEY) ?? "";
  field.placeholder = suggestion;
  return () => {
    const name = field.value.trim();
    localStorage.setItem(KEY, name);
    return name || suggestion;
  };
}
