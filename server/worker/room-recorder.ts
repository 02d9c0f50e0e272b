/** Opens what a hosted room is recorded with, behind what an earlier owner has left of it. */
import { arch, version } from "node:process";
import type { CreateRoom } from "../ipc/messages.ts";
import { roomDirectory } from "../journal/data-directory.ts";
import { type RecoveredRoom, readRoom } from "../journal/journal-reader.ts";
import { RoomJournal } from "../journal/room-journal.ts";
import type { RoomOrigin } from "../journal/segment-format.ts";
import type { JournalServices } from "../journal/segment-writer.ts";
import type { RoomLog } from "../room/room.ts";
import type { RoomClass } from "../room/room-class.ts";
import { CheckpointRecorder } from "./checkpoint-recorder.ts";
import { Checkpoints } from "./checkpoints.ts";
import { JournalRecorder } from "./journal-recorder.ts";
import type { RoomRecorder } from "./recorder.ts";

/** Where the rooms of a worker are written, and with what. */
export type Journals = {
  readonly dataDirectory: string;
  readonly services: JournalServices;
  readonly codeVersion: string;
  /** Rooms that cannot be written down at present. */
  readonly failed: Set<string>;
};

/** What an earlier owner has left of a room. */
export type LeftRoom = {
  readonly recovered: RecoveredRoom;
  /** Its steps, applied again, give what the room was. Otherwise only its checkpoint can be taken up. */
  readonly isExact: boolean;
};

/** What a room is to be recorded with, and what an earlier owner has left of it. */
export type OpenedRoom = { readonly recorder: RoomRecorder; readonly left: LeftRoom | undefined };

/**
 * Opens a room's journal, behind what an earlier owner has written if the epoch says that there was one.
 *
 * @throws JournalDamaged when what is there cannot be what was written; JournalSuperseded when there is a later owner
 */
export function openRoom(
  create: CreateRoom,
  { record, durability }: Pick<RoomClass, "record" | "durability">,
  journals: Journals,
  log: RoomLog,
): OpenedRoom {
  const { dataDirectory, codeVersion, failed, services } = journals;
  const directory = roomDirectory(dataDirectory, create.roomId);
  const found = create.epoch > 1 ? readRoom(directory) : undefined;
  // Without a step there was no room yet: it is created again, with the same id, seed and options.
  const recovered = found !== undefined && found.lastIndex > 0 ? found : undefined;
  const origin: RoomOrigin = { create, codeVersion, nodeVersion: version, arch };
  const journal = RoomJournal.create({
    directory,
    origin,
    recovered,
    keepAll: record,
    services,
    onFailure: (error) => {
      failed.add(create.roomId);
      log.error({ err: error }, "the journal cannot be written: the room goes on without");
    },
  });
  const hasSteps = durability === "journal";
  const checkpoints = new Checkpoints({
    journal,
    roomId: create.roomId,
    failed,
    areAllThereIs: !hasSteps,
    log,
  });
  const recorder = hasSteps
    ? new JournalRecorder(journal, checkpoints)
    : new CheckpointRecorder(journal, checkpoints);
  if (recovered === undefined) return { recorder, left: undefined };
  const isExact = hasSteps && isOurs(recovered, origin, log);
  return { recorder, left: { recovered, isExact } };
}

/** Other code, or the same on another Node, may make other states of the same steps. */
function isOurs({ replayed, checkpoint, lastIndex }: RecoveredRoom, own: RoomOrigin, log: RoomLog): boolean {
  const others = replayed.filter(
    ({ codeVersion, nodeVersion, arch: of }) =>
      codeVersion !== own.codeVersion || nodeVersion !== own.nodeVersion || of !== own.arch,
  );
  if (others.length === 0) return true;
  const stepsLost = lastIndex - (checkpoint?.index ?? 0);
  const writtenBy = others.map(({ codeVersion, nodeVersion, arch: of }) => ({
    codeVersion,
    nodeVersion,
    arch: of,
  }));
  log.warn(
    { stepsLost, checkpoint: checkpoint?.name ?? null, writtenBy },
    "other code has written the journal: the room goes on from its last checkpoint, and what came after is lost",
  );
  return false;
}
