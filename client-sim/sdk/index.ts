/** The client SDK: what a game's client imports. */
export { ERRORS, type ErrorCode, RookeryError } from "../../shared/errors.ts";
export type { RoomListing } from "../../shared/protocol/wire.ts";
export { Client, type ClientOptions, type JoinOptions } from "./client.ts";
export type { Entities, Interpolated, InterpolateOptions, Interpolator } from "./interpolator.ts";
export type { NetworkConditions } from "./network-conditions.ts";
export type { NumberKey } from "./number-fields.ts";
export type { PredictOptions, Predictor } from "./predictor.ts";
export type { ConnectionState, Room, RoomClock } from "./room.ts";
export type { StateInfo } from "./session.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
export type { DynamicState, MessageSchemas, RoomOptions, StateOf } from "./types.ts";
