/**
 * Finds what can be replayed of a room: from its first step when all its segments are there, otherwise from its
 * newest checkpoint. Says what speaks against the same result, such as another version of the code.
 */
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { arch, version } from "node:process";
import { CODE_VERSION } from "../code-version.ts";
import { JournalDamaged } from "../journal/journal-errors.ts";
import { type RecoveredRoom, readRoom } from "../journal/journal-reader.ts";
import { parseSegmentName, type RoomOrigin } from "../journal/segment-format.ts";

/** What makes a replay impossible; its message is the one sentence to print. */
export class ReplayError extends Error {}

/** Which code wrote a part of the journal, or replays it. */
export type Version = Pick<RoomOrigin, "codeVersion" | "nodeVersion" | "arch">;

export type OpenedJournal = {
  readonly room: RecoveredRoom;
  /** Of its owners that wrote something which is still in effect, oldest first. */
  readonly epochs: readonly number[];
  readonly versions: readonly Version[];
  /** Sentences. */
  readonly warnings: readonly string[];
};

/** That of this process. */
export function ownVersion(): Version {
  return { codeVersion: CODE_VERSION, nodeVersion: version, arch };
}

/**
 * @param path a segment, or the directory of a room
 * @param own which code will replay it
 * @param from where to begin, if all steps are there: rooms that do not write their steps down have none
 * @throws ReplayError, JournalDamaged, or what the file system throws
 */
export function openJournal(
  path: string,
  own: Version,
  from: "first step" | "checkpoint" = "first step",
): OpenedJournal {
  const directory = directoryOf(path);
  const newest = readRoom(directory);
  if (newest === undefined)
    throw new ReplayError(`There is no journal in ${directory}: name the directory of one room.`);
  if (newest.lastIndex === 0) throw new ReplayError(`The room in ${directory} was never created.`);
  const warnings: string[] = [];
  const room =
    newest.checkpoint === undefined || from === "checkpoint"
      ? newest
      : wholeRoom(directory, newest, warnings);
  const headers = room.segments.map(({ header }) => header);
  const versions = distinct(headers.map(versionOf));
  for (const written of versions) {
    if (versionText(written) !== versionText(own))
      warnings.push(
        `It was written by ${versionText(written)}, and this is ${versionText(own)}: they may not give the same states.`,
      );
  }
  if (room.cutBytes > 0)
    warnings.push(`Its last ${room.cutBytes} bytes are a record that was never finished: it is left out.`);
  return { room, epochs: [...new Set(headers.map(({ create }) => create.epoch))], versions, warnings };
}

export function versionText({ codeVersion, nodeVersion, arch }: Version): string {
  return `version ${codeVersion} on Node ${nodeVersion}, ${arch}`;
}

function directoryOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new ReplayError(`There is no file or directory ${path}.`);
  if (stats.isDirectory()) return path;
  if (parseSegmentName(basename(path)) === undefined)
    throw new ReplayError(`${path} is no segment of a journal: they have names such as 1-0.journal.`);
  return dirname(path);
}

/** A recorded room has every step since the first, unless its disk was full for a while. */
function wholeRoom(directory: string, newest: RecoveredRoom, warnings: string[]): RecoveredRoom {
  if (newest.segments[0]?.header.firstIndex !== 1) return newest;
  try {
    return readRoom(directory, { fromStart: true }) ?? newest;
  } catch (error) {
    if (!(error instanceof JournalDamaged)) throw error;
    warnings.push(`${error.message} The replay therefore begins at the newest checkpoint.`);
    return newest;
  }
}

function versionOf({ codeVersion, nodeVersion, arch }: RoomOrigin): Version {
  return { codeVersion, nodeVersion, arch };
}

function distinct(versions: readonly Version[]): Version[] {
  return [...new Map(versions.map((version) => [versionText(version), version])).values()];
}
