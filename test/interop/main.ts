/** The server that clients in other languages are tested against. */
import { serve } from "../../server/serve.ts";

await serve({
  rooms: {
    echo: () => import("../support/rooms/echo.ts"),
    "every-type": () => import("./every-type.ts"),
  },
});
