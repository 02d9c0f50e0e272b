/** A server whose only room type cannot be loaded. */
import { serve } from "../../server/serve.ts";

await serve({ rooms: { broken: () => Promise.reject(new Error("this module is broken")) } });
