/**
 * Where journals are: the layout of DATA_DIR. Everything in it is for the server's user alone, since journals hold
 * what players did.
 *
 *   lease                  who uses the directory; see lease.ts
 *   rooms/<room id>/       journals and checkpoints
 *   quarantine/<room id>/  those of rooms that crashed their workers, kept for a replay
 *   removed/<room id>/     on its way out
 *   code/                  compiled code, by which the next worker starts faster
 *
 * Workers write into a room's own directory; only the primary, which holds the lease, moves and deletes them.
 */
import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode, nodeFs } from "./journal-fs.ts";
import { Lease, type LeaseOptions } from "./lease.ts";

const ROOMS = "rooms";
const QUARANTINE = "quarantine";
const REMOVED = "removed";
const CODE = "code";
/** Url-safe base64, as ids are made: no separator, no dot. */
const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Makes the layout, takes the lease, and deletes what an earlier server had begun to delete.
 *
 * @returns the lease, to be released when the server stops
 * @throws DataDirectoryInUse, or what the file system throws
 */
export function openDataDirectory(options: LeaseOptions): Lease {
  const { directory } = options;
  nodeFs.makeDirectory(directory);
  const lease = Lease.acquire(options);
  try {
    for (const name of [ROOMS, QUARANTINE]) nodeFs.makeDirectory(join(directory, name));
    rmSync(join(directory, REMOVED), { recursive: true, force: true });
    nodeFs.makeDirectory(join(directory, REMOVED));
  } catch (error) {
    lease.release();
    throw error;
  }
  return lease;
}

/** @throws RangeError for an id that is not one, such as "../other" */
export function roomDirectory(dataDirectory: string, roomId: string): string {
  return join(dataDirectory, ROOMS, checked(roomId));
}

/** @throws RangeError for an id that is not one */
export function quarantineDirectory(dataDirectory: string, roomId: string): string {
  return join(dataDirectory, QUARANTINE, checked(roomId));
}

/** For Node's compile cache, which makes it. */
export function codeDirectory(dataDirectory: string): string {
  return join(dataDirectory, CODE);
}

/** @returns the ids of all rooms that have files, in no particular order */
export function listRooms(dataDirectory: string): string[] {
  return listDirectories(join(dataDirectory, ROOMS));
}

/** @returns the ids of all rooms in quarantine */
export function listQuarantine(dataDirectory: string): string[] {
  return listDirectories(join(dataDirectory, QUARANTINE));
}

/** Puts a room's files aside, under the same id: no restart takes it up again. */
export function quarantineRoom(dataDirectory: string, roomId: string): void {
  renameSync(roomDirectory(dataDirectory, roomId), quarantineDirectory(dataDirectory, roomId));
}

/**
 * Deletes a room's files, if it has any. It is moved away first: a server that dies in between would otherwise leave
 * a part of the room, which the next one might take for a room.
 */
export function removeRoomFiles(dataDirectory: string, roomId: string): void {
  const removed = join(dataDirectory, REMOVED, checked(roomId));
  try {
    renameSync(roomDirectory(dataDirectory, roomId), removed);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  rmSync(removed, { recursive: true, force: true });
}

function checked(roomId: string): string {
  if (!ROOM_ID.test(roomId)) throw new RangeError(`${JSON.stringify(roomId)} is not a room id.`);
  return roomId;
}

/** Links are not followed: a directory is one itself. */
function listDirectories(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && ROOM_ID.test(entry.name))
    .map(({ name }) => name);
}
