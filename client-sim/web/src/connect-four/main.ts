/** The page of connect four: the ways to a table, and back to them when the game is over. */
import { ERRORS, RookeryError } from "../../../sdk/index.ts";
import { byId, setText } from "../common/dom.ts";
import { bindInvite } from "../common/invite.ts";
import { bindName } from "../common/player-name.ts";
import { takeSeat } from "../common/seat.ts";
import { client, invitedCode, invitedRoomId, inviteUrl, pageUrl } from "../common/server.ts";
import { CONNECT_FOUR, CONNECT_FOUR_OPTIONS, type ConnectFourRoom } from "./room.ts";
import { Table } from "./table.ts";

const PAGE = "/connect-four.html";

const lobby = byId("lobby", HTMLElement);
const table = byId("table", HTMLElement);
const notice = byId("notice", HTMLElement);
const codeField = byId("code", HTMLInputElement);
const ownName = bindName(byId("name", HTMLInputElement));
let room: ConnectFourRoom | undefined;

async function play(joining: Promise<ConnectFourRoom>): Promise<void> {
  setText(notice, "");
  lobby.inert = true;
  try {
    room = await joining;
    lobby.hidden = true;
    table.hidden = false;
    Object.assign(globalThis, { rookery: { room } });
    const reason = await new Table(room).ended;
    showLobby(reason === undefined ? "" : ERRORS[reason].message);
  } catch (error) {
    if (!(error instanceof RookeryError)) throw error;
    showLobby(error.message);
  }
}

function showLobby(text: string): void {
  room = undefined;
  table.hidden = true;
  lobby.hidden = false;
  lobby.inert = false;
  setText(notice, text);
}

const options = () => ({ name: ownName() });
const join = {
  quick: () => client.joinOrCreate(CONNECT_FOUR, options(), CONNECT_FOUR_OPTIONS),
  private: () => client.create(CONNECT_FOUR, { ...options(), private: true }, CONNECT_FOUR_OPTIONS),
  code: (code: string) => client.joinByCode(CONNECT_FOUR, code, options(), CONNECT_FOUR_OPTIONS),
  id: (roomId: string) => client.joinById(CONNECT_FOUR, roomId, options(), CONNECT_FOUR_OPTIONS),
};

byId("quick", HTMLButtonElement).addEventListener("click", () => void play(join.quick()));
byId("private", HTMLButtonElement).addEventListener("click", () => void play(join.private()));
byId("code-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void play(join.code(codeField.value.trim()));
});
byId("leave", HTMLButtonElement).addEventListener("click", () => void room?.leave());
bindInvite(byId("invite", HTMLButtonElement), () => inviteUrl(PAGE, room?.code ?? ""));
byId("home", HTMLAnchorElement).href = pageUrl("/");
codeField.value = invitedCode ?? "";

const seat = takeSeat(CONNECT_FOUR);
if (seat !== undefined) {
  const { resumeToken, eventsReceived } = seat;
  void play(client.reconnect(resumeToken, { ...CONNECT_FOUR_OPTIONS, eventsReceived }));
} else if (invitedRoomId !== undefined) {
  void play(join.id(invitedRoomId));
} else {
  showLobby(invitedCode === undefined ? "" : "You are invited: press Join.");
}
