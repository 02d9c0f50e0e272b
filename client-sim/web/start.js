/** The start page: what runs on this server, and its public rooms, kept up to date. */
const REFRESH_MS = 2_000;

const summary = document.getElementById("summary");
const rows = document.getElementById("rooms");
const empty = document.getElementById("empty");

function row({ type, roomId, clients, maxClients, locked }) {
  const tr = document.createElement("tr");
  for (const text of [type, roomId, `${clients} of ${maxClients}`, locked ? "locked" : "open"]) {
    tr.append(Object.assign(document.createElement("td"), { textContent: text }));
  }
  return tr;
}

async function refresh() {
  try {
    const [info, rooms] = await Promise.all(
      ["info", "rooms"].map(async (path) => (await fetch(path)).json()),
    );
    summary.textContent = `${info.workers} workers, ${info.clients} clients; room types: ${info.roomTypes.join(", ")}`;
    rows.replaceChildren(...rooms.map(row));
    empty.hidden = rooms.length > 0;
  } catch {
    summary.textContent = "The server does not answer.";
  }
  setTimeout(refresh, REFRESH_MS);
}

await refresh();
