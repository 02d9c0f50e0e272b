/**
 * Players' names, which strangers choose and others must read: cleaned and cut to length before they are replicated.
 */

/** In code points; none needs more than 4 bytes of UTF-8. */
export const NAME_LENGTH_MAX = 20;
/** Text beyond this many UTF-16 units is not even looked at. */
const RAW_LENGTH_MAX = 200;

/**
 * @param value what a client sent as its name, of any type
 * @param fallback the name of those whose own has nothing to show
 * @returns one line without control, formatting or unassigned characters, of 1 to NAME_LENGTH_MAX code points
 */
export function cleanName(value: unknown, fallback: string): string {
  if (typeof value !== "string") return fallback;
  const visible = value
    .slice(0, RAW_LENGTH_MAX)
    .normalize("NFC")
    .replace(/\s+/gu, " ")
    .replace(/\p{C}/gu, "")
    .trim();
  return Array.from(visible).slice(0, NAME_LENGTH_MAX).join("").trim() || fallback;
}
