/** The server that is under chaos. */
import { serve } from "../../server/serve.ts";
import { rooms } from "./rooms.ts";

await serve({ rooms });
