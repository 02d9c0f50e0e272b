/** What a connection is told first: of the room, which is the same for all, and of the client's own session. */
import type { Welcome } from "../../shared/protocol/wire.ts";
import type { SchemaDescriptor } from "../../shared/schema/index.ts";
import type { Client } from "../room/client.ts";
import type { Connection } from "./connection.ts";
import type { Session } from "./session.ts";

type OfTheSession = "sessionId" | "slot" | "resumed" | "resumeToken" | "nextEvent" | "ack" | "schema";

/** The room's part. */
export type RoomWelcome = Omit<Welcome, OfTheSession> & { readonly schema: SchemaDescriptor };

export function welcomeOf(
  room: RoomWelcome,
  session: Session,
  client: Client,
  connection: Connection,
): Welcome {
  return {
    ...room,
    sessionId: session.id,
    slot: client.slot,
    resumed: session.hasBeenLive,
    resumeToken: session.tokens.newest,
    nextEvent: connection.eventsSent + 1,
    ack: client.lastMessageSeq,
    schema: connection.schemaHash === room.schemaHash ? null : room.schema,
  };
}
