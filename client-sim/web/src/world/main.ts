/** The page of the world: a name, a way in, and back out of it. */
import { ERRORS, RookeryError } from "../../../sdk/index.ts";
import { byId, setText } from "../common/dom.ts";
import { bindInvite } from "../common/invite.ts";
import { bindName } from "../common/player-name.ts";
import { takeSeat } from "../common/seat.ts";
import { client, invitedCode, invitedRoomId, inviteUrl, pageUrl } from "../common/server.ts";
import { WORLD, WORLD_OPTIONS, type WorldRoom } from "./room.ts";
import { WorldGame } from "./world.ts";

const lobby = byId("lobby", HTMLElement);
const hud = byId("hud", HTMLElement);
const notice = byId("notice", HTMLElement);
const field = byId("field", HTMLCanvasElement);
const ownName = bindName(byId("name", HTMLInputElement));
let room: WorldRoom | undefined;
let game: WorldGame | undefined;

async function play(joining: Promise<WorldRoom>): Promise<void> {
  setText(notice, "");
  lobby.inert = true;
  try {
    room = await joining;
    lobby.hidden = true;
    hud.hidden = false;
    field.focus();
    document.body.dataset.phase = "playing";
    Object.assign(globalThis, { rookery: { room } });
    game = new WorldGame(room, field);
    const reason = await game.ended;
    showLobby(reason === undefined ? "" : ERRORS[reason].message);
  } catch (error) {
    if (!(error instanceof RookeryError)) throw error;
    showLobby(error.message);
  }
}

function showLobby(text: string): void {
  room = undefined;
  game = undefined;
  hud.hidden = true;
  lobby.hidden = false;
  lobby.inert = false;
  document.body.dataset.phase = "start";
  setText(notice, text);
}

function enter(): Promise<WorldRoom> {
  const options = { name: ownName() };
  if (invitedCode !== undefined) return client.joinByCode(WORLD, invitedCode, options, WORLD_OPTIONS);
  if (invitedRoomId !== undefined) return client.joinById(WORLD, invitedRoomId, options, WORLD_OPTIONS);
  return client.joinOrCreate(WORLD, options, WORLD_OPTIONS);
}

byId("play-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void play(enter());
});
byId("leave", HTMLButtonElement).addEventListener("click", () => game?.leave());
bindInvite(byId("invite", HTMLButtonElement), () => inviteUrl("/world.html", room?.code ?? ""));
byId("home", HTMLAnchorElement).href = pageUrl("/");

const seat = takeSeat(WORLD);
if (seat !== undefined) {
  const { resumeToken, eventsReceived } = seat;
  void play(client.reconnect(resumeToken, { ...WORLD_OPTIONS, eventsReceived }));
} else if (invitedRoomId !== undefined) {
  void play(enter());
} else {
  showLobby("");
}
