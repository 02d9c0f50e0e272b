/** What a replay says: text for a person, or one JSON object. */
import { inspect } from "node:util";
import type { JournalStep } from "../journal/step-codec.ts";
import { type OpenedJournal, versionText } from "./open-journal.ts";
import { count, type EventCounts, type Replay } from "./replay-room.ts";

const HASH_DIGITS = 8;
/** Width of the names in front of values. */
const NAME_COLUMNS = 12;

/** Printed before the first step, since a room may crash the process. */
export function formatJournal({ room, epochs, versions }: OpenedJournal): string {
  const { roomType, roomId, code } = room.header.create;
  const { checkpoint } = room;
  return table([
    ["room", `${roomType} ${roomId}, code ${code}`],
    ["epochs", epochs.join(", ")],
    ["written by", versions.map(versionText).join("; ")],
    [
      "begins",
      checkpoint === undefined
        ? "with the first step"
        : `with the checkpoint ${checkpoint.name}, after step ${checkpoint.index}`,
    ],
  ]);
}

export function formatLastStep({ index, atMs, events }: JournalStep): string {
  return `Applying step ${index}, the last, at ${seconds(atMs)} of room time: ${countsText(count(events))}.\n`;
}

export function formatReplay(replay: Replay): string {
  const { steps, step, ticks, tick, events, tookMs, end } = replay;
  const roomMs = replay.toMs - replay.fromMs;
  const rows: [string, string][] = [
    ["steps", `${steps}, the last is ${step}`],
    ["ticks", `${ticks}, the last is ${tick}`],
    ["events", countsText(events)],
    ["time", `${seconds(roomMs)} of room time in ${seconds(tookMs)}: ${timesRealTime(replay)} x real time`],
  ];
  if (end.kind === "failed")
    return `${table(rows)}\nThe room failed at step ${step}, in "${end.event}":\n${inspect(end.cause)}\n`;
  return `${table([...rows, ["hash", hex(end.hash)]])}\n${toJson(end.state, 2)}\n`;
}

/** What the two texts say, for programs. */
export function formatJson({ room, epochs, versions, warnings }: OpenedJournal, replay: Replay): string {
  const { roomType, roomId, code } = room.header.create;
  const { checkpoint } = room;
  const { end, ...progress } = replay;
  return `${toJson({
    roomType,
    roomId,
    code,
    epochs,
    versions,
    checkpoint: checkpoint === undefined ? null : { name: checkpoint.name, step: checkpoint.index },
    ...progress,
    timesRealTime: timesRealTime(replay),
    warnings,
    ...(end.kind === "done"
      ? { hash: hex(end.hash), state: end.state }
      : { failure: { step: replay.step, event: end.event, error: inspect(end.cause) } }),
  })}\n`;
}

function table(rows: readonly (readonly [name: string, value: string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(NAME_COLUMNS)}${value}\n`).join("");
}

function countsText(counts: EventCounts): string {
  return Object.entries(counts)
    .map(([type, number]) => `${number} ${type}`)
    .join(", ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Rounded to three digits, which is as much as a measurement like this says. */
function timesRealTime({ fromMs, toMs, tookMs }: Replay): number {
  return Number(((toMs - fromMs) / tookMs).toPrecision(3));
}

function hex(hash: number): string {
  return hash.toString(16).padStart(HASH_DIGITS, "0");
}

/** Maps, which the plain form of a state has, as objects. */
function toJson(value: object, indent?: number): string {
  const replacer = (_key: string, inner: unknown) =>
    inner instanceof Map ? Object.fromEntries(inner) : inner;
  return JSON.stringify(value, replacer, indent);
}
