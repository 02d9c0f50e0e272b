/** A match of the bundled games, run again from its journal: `npm run replay`. */
import { replayCommand } from "./replay/command.ts";
import { rooms } from "./rooms.ts";

process.exitCode = await replayCommand(process.argv.slice(2), rooms, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// What a room's module has opened, such as a connection to a database, must not keep the process.
process.exit();
