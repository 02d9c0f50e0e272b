/** The bundled games, served: `npm start`. */
import { rooms } from "./rooms.ts";
import { serve } from "./serve.ts";

await serve({ rooms });
