/** What a workload comes to: rows of medians and the bounds they are held to. This is what `--json` prints. */

export type Row = {
  readonly server: string;
  readonly clients: number;
  /** Microseconds of CPU time, user and system, of all processes of the server. */
  readonly cpuUsPerUpdate: number;
  /** As received, with the headers of frames. */
  readonly bytesPerClientPerSecond: number;
  /** Growth of the resident memory of all processes of the server; 1 KB is 1,024 bytes. */
  readonly rssKbPerClient: number;
  /** Between two updates of one client, as it receives them. */
  readonly tickIntervalMs: { readonly p50: number; readonly p99: number };
};

export type Bound = {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly ok: boolean;
};

/** What does not fit into rows. */
export type Table = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
};

export type WorkloadResult = {
  readonly workload: string;
  readonly pairs: number;
  readonly rows: readonly Row[];
  readonly bounds: readonly Bound[];
  readonly tables?: readonly Table[];
};

export function atMost(name: string, value: number, limit: number): Bound {
  return { name: `${name}, at most`, value, limit, ok: value <= limit };
}

export function atLeast(name: string, value: number, limit: number): Bound {
  return { name: `${name}, at least`, value, limit, ok: value >= limit };
}

/** @throws Error when there is no such row */
export function rowOf(rows: readonly Row[], server: string, clients?: number): Row {
  const row = rows.find((each) => each.server === server && (clients ?? each.clients) === each.clients);
  if (row === undefined) throw new Error(`no row of ${server} at ${clients ?? "any number of"} clients`);
  return row;
}
