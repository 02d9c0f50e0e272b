/** A button that copies the link to this room. */
import { make, setText } from "./dom.ts";

const COPIED_SHOWN_MS = 1_600;

/** @param url what to copy, asked for at the click */
export function bindInvite(button: HTMLButtonElement, url: () => string): void {
  const label = button.textContent ?? "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    const isCopied = await copy(url());
    setText(button, isCopied ? "Link copied" : url());
    clearTimeout(timer);
    timer = setTimeout(() => setText(button, label), COPIED_SHOWN_MS);
    button.blur();
  });
}

async function copy(text: string): Promise<boolean> {
  // Pages that came over plain HTTP from another machine have no clipboard interface.
  if (navigator.clipboard !== undefined) {
    return await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = make("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
