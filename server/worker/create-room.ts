/** Makes a hosted room, new or from what an earlier owner of it has written down. */
import { RookeryError } from "../../shared/errors.ts";
import type { CreateRoom } from "../ipc/messages.ts";
import type { RoomClass } from "../room/room-class.ts";
import { RoomFailure } from "../room/room-events.ts";
import { HostedRoom } from "./hosted-room.ts";
import { openRoom } from "./room-recorder.ts";
import type { RoomServices } from "./room-services.ts";

/**
 * @param survivors sessions whose connections have outlived the last owner, and follow
 * @throws RookeryError ROOM_CREATE_FAILED, with the author's error as its cause
 */
export function createHostedRoom(
  create: CreateRoom,
  roomClass: RoomClass,
  services: RoomServices,
  survivors: ReadonlySet<string> = new Set(),
): HostedRoom {
  const { journals, log } = services;
  try {
    const isWrittenDown = journals !== undefined && roomClass.durability !== "none";
    const opened = isWrittenDown ? openRoom(create, roomClass, journals, log) : undefined;
    return new HostedRoom(create, roomClass, services, opened, survivors);
  } catch (error) {
    throw new RookeryError("ROOM_CREATE_FAILED", undefined, {
      cause: error instanceof RoomFailure ? error.cause : error,
    });
  }
}
