/** A server whose rooms kill their workers. */
import { serve } from "../../server/serve.ts";

await serve({ rooms: { doomed: () => import("./rooms/doomed.ts") } });
