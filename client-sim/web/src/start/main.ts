/**
 * The start page. Shows what can be played, joins the arena, and is there again when the match is over. A page that was
 * loaded again goes on in its seat.
 */
import { ERRORS, RookeryError, type RoomListing } from "../../../sdk/index.ts";
import { Game } from "../arena/game.ts";
import { Picture } from "../arena/render/picture.ts";
import { ARENA, ARENA_OPTIONS, type ArenaRoom } from "../arena/room.ts";
import { byId, setText } from "../common/dom.ts";
import { bindInvite } from "../common/invite.ts";
import { bindName } from "../common/player-name.ts";
import { takeSeat } from "../common/seat.ts";
import { client, invitedCode, inviteUrl, pageUrl } from "../common/server.ts";
import { Demo } from "./demo.ts";
import { RoomList } from "./room-list.ts";

const start = byId("start", HTMLElement);
const hud = byId("hud", HTMLElement);
const form = byId("play-form", HTMLFormElement);
const play = byId("play", HTMLButtonElement);
const notice = byId("notice", HTMLElement);
const field = byId("field", HTMLCanvasElement);
const ownName = bindName(byId("name", HTMLInputElement));

const picture = new Picture(field);
const demo = new Demo(picture);
const rooms = new RoomList(enter);
let game: Game | undefined;
let invitation = invitedCode;

async function join(joining: Promise<ArenaRoom>): Promise<void> {
  play.disabled = true;
  setText(notice, "");
  try {
    await playIn(await joining);
  } catch (error) {
    if (!(error instanceof RookeryError)) throw error;
    showStart(error.message);
  }
}

async function playIn(joined: ArenaRoom): Promise<void> {
  demo.stop();
  rooms.stop();
  start.hidden = true;
  hud.hidden = false;
  field.focus();
  document.body.dataset.phase = "playing";
  game = new Game(joined, picture);
  Object.assign(globalThis, { rookery: game.insight });
  const reason = await game.ended;
  game = undefined;
  showStart(reason === undefined ? "" : ERRORS[reason].message);
}

function showStart(text: string): void {
  hud.hidden = true;
  start.hidden = false;
  play.disabled = false;
  byId("death", HTMLElement).hidden = true;
  byId("hurt", HTMLElement).style.opacity = "0";
  document.body.dataset.phase = "start";
  setText(notice, text);
  demo.start();
  rooms.start();
}

const fresh = () => client.joinOrCreate(ARENA, { name: ownName() }, ARENA_OPTIONS);

/** Takes a seat in a listed room, here or on the page of its game. */
function enter({ type, roomId }: RoomListing): void {
  ownName();
  if (type !== ARENA) location.href = pageUrl(`/${type}.html`, { id: roomId });
  else void join(client.joinById(ARENA, roomId, { name: ownName() }, ARENA_OPTIONS));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const code = invitation;
  if (code === undefined) return void join(fresh());
  // An invitation is tried once: who it leads nowhere can still play.
  invitation = undefined;
  setText(play, "Play");
  void join(client.joinByCode(ARENA, code, { name: ownName() }, ARENA_OPTIONS));
});
byId("leave", HTMLButtonElement).addEventListener("click", () => game?.leave());
bindInvite(byId("invite", HTMLButtonElement), () => inviteUrl("/", game?.insight.room.code ?? ""));
for (const [id, page] of [
  ["to-connect-four", "/connect-four.html"],
  ["to-world", "/world.html"],
] as const) {
  byId(id, HTMLAnchorElement).href = pageUrl(page);
}
if (invitedCode !== undefined) setText(play, "Join the match");

const seat = takeSeat(ARENA);
if (seat === undefined) showStart(invitedCode === undefined ? "" : `You are invited to room ${invitedCode}.`);
else {
  const { resumeToken, eventsReceived } = seat;
  void join(client.reconnect(resumeToken, { ...ARENA_OPTIONS, eventsReceived }).catch(fresh));
}
