/** Finding and making elements. What the page lacks is a bug, so it throws. */

export function byId<T extends Element>(id: string, type: abstract new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

/** @param text its text; never read as HTML */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** @returns the drawing context, which every browser has */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser does not draw on canvases");
  return context;
}

/** Sets text and touches the page only if it is another. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A choice of the person at the screen that holds for all motion that carries no information. */
export const prefersReducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
