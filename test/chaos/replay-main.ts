/** `npm run replay` for the rooms that are under chaos. */
import { replayCommand } from "../../server/replay/command.ts";
import { rooms } from "./rooms.ts";

process.exitCode = await replayCommand(process.argv.slice(2), rooms, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
