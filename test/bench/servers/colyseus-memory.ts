/** Colyseus under test, whose memory can be looked at. */
import { collectOnSignal } from "./collect-on-signal.ts";

collectOnSignal();
await import("./colyseus.ts");
