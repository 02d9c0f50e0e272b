/** What the runner and the process of a codec say to each other. */

export type CodecName = "rookery" | "colyseus" | "colyseus quantised";

export type CodecRequest = {
  readonly name: CodecName;
  /** How many ticks are encoded, and decoded. */
  readonly ticks: number;
};

export type CodecTimes = {
  /** Of a tick, on average. */
  readonly bytes: number;
  /** Microseconds of CPU time for one tick. */
  readonly encodeUs: number;
  readonly decodeUs: number;
};
