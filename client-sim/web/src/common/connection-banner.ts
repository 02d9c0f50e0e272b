/** Says when the connection is lost and when the game goes on. */
import type { Room } from "../../../sdk/index.ts";
import { byId, setText } from "./dom.ts";

const BACK_SHOWN_MS = 1_500;

type Connected = Pick<Room, "onDrop" | "onReconnect" | "onRejoin" | "onLeave">;

export function bindConnectionBanner(room: Connected): void {
  const banner = byId("connection", HTMLElement);
  const show = (text: string, isBack: boolean) => {
    setText(banner, text);
    banner.classList.toggle("is-back", isBack);
    banner.hidden = false;
  };
  let back: ReturnType<typeof setTimeout> | undefined;
  const showBack = (text: string) => {
    show(text, true);
    back = setTimeout(() => {
      banner.hidden = true;
    }, BACK_SHOWN_MS);
  };
  banner.hidden = true;
  room.onDrop(() => {
    clearTimeout(back);
    show("Connection lost. Reconnecting …", false);
  });
  room.onReconnect(() => showBack("Back in your seat."));
  room.onRejoin(() => showBack("A new match has begun."));
  room.onLeave(() => {
    clearTimeout(back);
    banner.hidden = true;
  });
}
