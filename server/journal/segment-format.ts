/**
 * What a room's directory holds, by name and by header:
 *
 *   <epoch>-<number>.journal      a segment: a header, then one record per step. Each owner has its own epoch and
 *                                 writes its own segments, number 0, 1, ...; nobody ever appends to another's.
 *   <epoch>-<index>.checkpoint    the room as it was after the step of that index
 *   <...>.checkpoint.tmp          a checkpoint that was never finished
 */
import * as v from "valibot";
import type { CreateRoom } from "../ipc/messages.ts";
import { RecordKind } from "./records.ts";
import { BadValue, type ValueReader } from "./value-reader.ts";
import type { ValueWriter } from "./value-writer.ts";

const FORMAT_VERSION = 1;
/** Largest segment that is written or read; a checkpoint begins a new one long before. */
export const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;
/** Largest header; most of it are the options the room was created with. */
export const HEADER_BYTES_MAX = 64 * 1024;

/** What a room came from, and which code runs it: another code may not give the same states from the same steps. */
export type RoomOrigin = {
  /** Its epoch is that of the owner who writes. */
  readonly create: CreateRoom;
  readonly codeVersion: string;
  readonly nodeVersion: string;
  readonly arch: string;
};

export type SegmentHeader = RoomOrigin & {
  /** Counts the segments of one epoch from 0. */
  readonly number: number;
  /** Index of the step of the first record. */
  readonly firstIndex: number;
};

export type SegmentName = { readonly name: string; readonly epoch: number; readonly number: number };
export type CheckpointName = { readonly name: string; readonly epoch: number; readonly index: number };

const uint = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Header: v.GenericSchema<unknown, SegmentHeader> = v.object({
  create: v.object({
    roomId: v.string(),
    roomType: v.string(),
    code: v.string(),
    options: v.record(v.string(), v.unknown()),
    seed: v.number(),
    epoch: uint,
  }),
  codeVersion: v.string(),
  nodeVersion: v.string(),
  arch: v.string(),
  number: uint,
  firstIndex: v.pipe(uint, v.minValue(1)),
});

export function segmentName(epoch: number, number: number): string {
  return `${epoch}-${number}.journal`;
}

export function checkpointName(epoch: number, index: number): string {
  return `${epoch}-${index}.checkpoint`;
}

export const TEMPORARY_SUFFIX = ".tmp";

/** @returns undefined for a name that `segmentName` does not make */
export function parseSegmentName(name: string): SegmentName | undefined {
  const numbers = parseNumbers(name, ".journal");
  return numbers && { name, epoch: numbers[0], number: numbers[1] };
}

/** @returns undefined for a name that `checkpointName` does not make */
export function parseCheckpointName(name: string): CheckpointName | undefined {
  const numbers = parseNumbers(name, ".checkpoint");
  return numbers && { name, epoch: numbers[0], index: numbers[1] };
}

/** @returns the largest epoch that any of these files belongs to, or undefined if there is none */
export function latestEpoch(names: readonly string[]): number | undefined {
  const epochs = names.flatMap((name) => {
    const parsed = parseSegmentName(name) ?? parseCheckpointName(name);
    return parsed === undefined ? [] : [parsed.epoch];
  });
  return epochs.length === 0 ? undefined : epochs.reduce((a, b) => Math.max(a, b));
}

/** @throws TypeError for options that are not plain */
export function encodeHeader(writer: ValueWriter, header: SegmentHeader): void {
  writer.number(RecordKind.HEADER);
  writer.number(FORMAT_VERSION);
  writer.value(header);
}

/** @throws BadValue */
export function decodeHeader(reader: ValueReader): SegmentHeader {
  if (reader.uint() !== RecordKind.HEADER) throw new BadValue("a segment begins with a header");
  const version = reader.uint();
  if (version !== FORMAT_VERSION)
    throw new BadValue(`the format version is ${version}, not ${FORMAT_VERSION}`);
  const header = v.safeParse(Header, reader.value());
  if (!header.success || !reader.isAtEnd) throw new BadValue("the header does not have its fields");
  return header.output;
}

function parseNumbers(name: string, suffix: string): [number, number] | undefined {
  const match = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})(\.[a-z]+)$/.exec(name);
  if (match?.[3] !== suffix) return undefined;
  const numbers: [number, number] = [Number(match[1]), Number(match[2])];
  return numbers.every(Number.isSafeInteger) ? numbers : undefined;
}
