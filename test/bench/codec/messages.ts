/** What the runner and the process of the codecs say to each other. */

export type CodecRequest = {
  readonly rounds: number;
  /** How many each codec encodes and decodes in a round. */
  readonly ticks: number;
};

export type CodecTimes = {
  readonly name: string;
  /** Of a tick, on average. */
  readonly bytes: number;
  /** Microseconds of CPU time for one tick, of each round. */
  readonly encodeUs: number[];
  readonly decodeUs: number[];
};
