/** Rookery under test, through its public API. */
import { serve } from "../../../server/index.ts";

await serve({
  rooms: {
    arena: () => import("./rookery-arena.ts"),
    "arena-unjournaled": () => import("./rookery-arena-unjournaled.ts"),
    world: () => import("./rookery-world.ts"),
    chat: () => only("Chat", import("./rookery-chat.ts")),
    "chat-10": () => only("Chat10", import("./rookery-chat.ts")),
    "chat-50": () => only("Chat50", import("./rookery-chat.ts")),
    lobby: () => only("Lobby", import("./rookery-lobby.ts")),
    "lasting-lobby": () => only("LastingLobby", import("./rookery-lobby.ts")),
  },
});

/** Of a module with several rooms. */
async function only<M extends object, N extends keyof M>(name: N, module: Promise<M>) {
  return { [name]: (await module)[name] };
}
