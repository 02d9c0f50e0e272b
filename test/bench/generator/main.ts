/** The process of the load generator: does what the runner tells it, and ends when the runner does. */

import { LoadRun } from "./load-run.ts";
import type { FromGenerator, ToGenerator } from "./messages.ts";

let run: LoadRun | undefined;

async function answer(request: ToGenerator): Promise<FromGenerator> {
  try {
    if (request.type === "join") {
      run = new LoadRun(request);
      return { type: "joined", ...(await run.join()) };
    }
    if (run === undefined) throw new Error("nobody has joined");
    switch (request.type) {
      case "measure":
        return { type: "measured", ...(await run.measure(request.windowMs)) };
      case "join more":
        return { type: "done", seconds: await run.joinMore(request) };
      case "come and go":
        return { type: "done", seconds: await run.comeAndGo(request) };
    }
  } catch (error) {
    return { type: "failed", reason: (error as Error).message };
  }
}

process.on("message", (request: ToGenerator) => {
  void answer(request).then((message) => process.send?.(message));
});
process.on("disconnect", () => process.exit());
