/**
 * `npm run replay`, for any set of rooms: what serves a game of its own replays it by calling this with the same
 * `rooms`. Says on `out` what came of the replay, and on `err` what a person should know besides.
 */
import inspector from "node:inspector";
import { SchemaError } from "../../shared/schema/schema-error.ts";
import { systemScheduler } from "../../shared/time.ts";
import { JournalDamaged } from "../journal/journal-errors.ts";
import { errorCode } from "../journal/journal-fs.ts";
import { loadRoomClass } from "../room/room-class.ts";
import type { ServeOptions } from "../serve.ts";
import { openJournal, ownVersion, ReplayError } from "./open-journal.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { replayRoom } from "./replay-room.ts";
import { formatJournal, formatJson, formatLastStep, formatReplay } from "./report.ts";

export type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void };

const EXIT = { DONE: 0, ROOM_FAILED: 1, NOT_REPLAYED: 2 } as const;

/**
 * @param args without the program's own name
 * @returns the exit code: 0 done, 1 the room's code failed, 2 nothing was replayed
 */
export async function replayCommand(
  args: readonly string[],
  rooms: ServeOptions["rooms"],
  output: Output,
): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options !== "help") return await run(options, rooms, output);
    output.out(HELP);
    return EXIT.DONE;
  } catch (error) {
    output.err(`${sentenceOf(error)}\n`);
    return EXIT.NOT_REPLAYED;
  }
}

async function run(
  { path, untilTick, isInspected, isJson }: Options,
  rooms: ServeOptions["rooms"],
  { out, err }: Output,
): Promise<number> {
  const found = openJournal(path, ownVersion());
  const { roomType } = found.room.header.create;
  const source = Object.hasOwn(rooms, roomType) ? rooms[roomType] : undefined;
  if (source === undefined) throw new ReplayError(`There is no room type "${roomType}" here.`);
  const roomClass = await loadRoomClass(roomType, source);
  if (untilTick !== undefined && roomClass.tickRate === 0)
    throw new ReplayError(`--until is for rooms with ticks, and "${roomType}" has none.`);

  const hasSteps = roomClass.durability === "journal";
  const journal = hasSteps ? found : openJournal(path, ownVersion(), "checkpoint");
  if (!hasSteps)
    err(`Warning: "${roomType}" keeps no steps: this is the room as its newest checkpoint has it.\n`);
  for (const warning of journal.warnings) err(`Warning: ${warning}\n`);
  if (!isJson) out(formatJournal(journal));
  if (isInspected) waitForDebugger();
  const onLastStep = (step: Parameters<typeof formatLastStep>[0]) => err(formatLastStep(step));
  const { now } = systemScheduler;
  const replay = replayRoom(journal.room, roomClass, { untilTick, isInspected, onLastStep, now });
  if (untilTick !== undefined && replay.end.kind === "done" && replay.tick < untilTick)
    err(`The journal ends with tick ${replay.tick}, before tick ${untilTick}.\n`);
  out(isJson ? formatJson(journal, replay) : formatReplay(replay));
  return replay.end.kind === "failed" ? EXIT.ROOM_FAILED : EXIT.DONE;
}

/** Node itself says where to. */
function waitForDebugger(): void {
  if (inspector.url() === undefined) inspector.open();
  if (inspector.url() === undefined)
    throw new ReplayError(
      "The inspector cannot listen: choose a port with NODE_OPTIONS=--inspect-port=PORT.",
    );
  inspector.waitForDebugger();
}

/** @throws the error itself if it is a bug, in the room's module or here */
function sentenceOf(error: unknown): string {
  if (error instanceof ReplayError || error instanceof JournalDamaged) return error.message;
  if (error instanceof SchemaError) return `The checkpoint cannot be read by this code: ${error.message}.`;
  if (errorCode(error) !== undefined) return `The journal cannot be read: ${(error as Error).message}.`;
  throw error;
}
