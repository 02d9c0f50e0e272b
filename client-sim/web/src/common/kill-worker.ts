/**
 * For development: a button that kills the worker that runs the room, and how the game went on in another. That is told
 * to everybody in the room, whoever has pressed.
 */
import type { Room } from "../../../sdk/index.ts";
import { byId, setText } from "./dom.ts";

const SHOWN_MS = 8_000;

type Mortal = Pick<
  Room,
  "roomId" | "worker" | "tickRate" | "onState" | "onMove" | "onReconnect" | "onRejoin"
>;

/** Shows the button if the server allows it. @param signal ends all of it, with the room */
export async function bindKillWorker(room: Mortal, signal: AbortSignal): Promise<void> {
  const button = byId("kill-worker", HTMLButtonElement);
  const report = byId("takeover", HTMLElement);
  let shown: ReturnType<typeof setTimeout> | undefined;
  const tell = (text: string) => {
    setText(report, text);
    report.hidden = false;
    clearTimeout(shown);
    shown = setTimeout(() => {
      report.hidden = true;
    }, SHOWN_MS);
  };
  signal.addEventListener("abort", () => {
    clearTimeout(shown);
    button.hidden = true;
    report.hidden = true;
  });
  if (!(await isDevelopment()) || signal.aborted) return;

  let pressedAtMs: number | undefined;
  /** Of the last state. */
  let last = { worker: room.worker, atMs: performance.now() };
  let connection: string | undefined;
  const release = () => {
    pressedAtMs = undefined;
    button.disabled = false;
  };
  room.onMove(() => {
    connection = "same connection";
  });
  room.onReconnect(() => {
    // A connection can also break by itself.
    const hasDied = pressedAtMs !== undefined || room.worker !== last.worker;
    if (hasDied) connection = "on a new connection";
  });
  room.onRejoin(release);
  room.onState(({ receivedAtMs }) => {
    const { worker } = room;
    if (connection !== undefined) {
      // A room without ticks may have had nothing to say for long.
      const sinceMs = room.tickRate > 0 ? last.atMs : pressedAtMs;
      const pause = sinceMs === undefined ? "" : ` after ${Math.round(receivedAtMs - sinceMs)}\u00a0ms`;
      const heir = worker === last.worker ? "its replacement" : `worker ${worker}`;
      tell(`Worker ${last.worker} died; playing on in ${heir}${pause}, ${connection}.`);
      release();
    }
    connection = undefined;
    last = { worker, atMs: receivedAtMs };
  });

  const press = async () => {
    button.disabled = true;
    pressedAtMs = performance.now();
    const refusal = await kill(room.roomId);
    if (refusal === undefined || signal.aborted) return;
    release();
    tell(refusal);
  };
  button.addEventListener(
    "click",
    () => {
      // Keys belong to the game again.
      button.blur();
      void press();
    },
    { signal },
  );
  // The arena takes Tab for itself, so the button needs a key of its own.
  addEventListener(
    "keydown",
    (event) => {
      if (!event.altKey || event.code !== "KeyK" || event.repeat) return;
      event.preventDefault();
      button.click();
    },
    { signal },
  );
  release();
  button.hidden = false;
}

async function isDevelopment(): Promise<boolean> {
  try {
    const info = (await (await fetch("/info")).json()) as { readonly isDevelopment?: boolean };
    return info.isDevelopment === true;
  } catch {
    return false;
  }
}

/** @returns why not, if the server refuses */
async function kill(roomId: string): Promise<string | undefined> {
  try {
    const response = await fetch(`/dev/kill-worker/${encodeURIComponent(roomId)}`, { method: "POST" });
    if (response.ok) return undefined;
    const { error } = (await response.json()) as { readonly error: { readonly message: string } };
    return error.message;
  } catch {
    return "The server cannot be reached.";
  }
}
