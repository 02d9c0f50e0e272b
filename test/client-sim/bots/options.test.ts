import { describe, expect, it } from "vitest";
import { descriptorLimit, descriptorShortage } from "../../../client-sim/bots/descriptors.ts";
import { HELP, type Options, parseOptions } from "../../../client-sim/bots/options.ts";
import { OptionsError } from "../../../shared/command-line.ts";

function parse(...args: string[]): Options {
  const options = parseOptions(args);
  if (options === "help") throw new Error("help was not asked for");
  return options;
}

describe("options", () => {
  it("have defaults", () => {
    expect(parse()).toEqual({
      url: "http://127.0.0.1:2567",
      workers: undefined,
      room: "arena",
      clients: 100,
      durationSeconds: 30,
      rampSeconds: 5,
      inputsPerSecond: 20,
      latencyMs: 0,
      jitterMs: 0,
      direct: false,
      predict: false,
      seed: 1,
      json: false,
      bounds: { minJoined: 1, maxP99Ms: undefined, maxDivergences: undefined, maxMissingTicks: undefined },
    });
  });

  it("are all read", () => {
    const text =
      "--spawn --workers 2 --room connect-four --clients 7 --duration 1.5 --ramp 0 --rate 2.5 --latency 80 " +
      "--jitter 20 --direct --predict --seed 9 --json --min-joined 6 --max-p99-ms 50 --max-divergences 0 --max-missing-ticks 3";
    expect(parse(...text.split(" "))).toEqual({
      url: undefined,
      workers: 2,
      room: "connect-four",
      clients: 7,
      durationSeconds: 1.5,
      rampSeconds: 0,
      inputsPerSecond: 2.5,
      latencyMs: 80,
      jitterMs: 20,
      direct: true,
      predict: true,
      seed: 9,
      json: true,
      bounds: { minJoined: 6, maxP99Ms: 50, maxDivergences: 0, maxMissingTicks: 3 },
    });
  });

  it.each([
    ["--clients 0", "--clients must be a whole number from 1 to 100000"],
    ["--clients 1.5", "--clients must be a whole number"],
    ["--clients many", '(it is "many")'],
    ["--clients=", "--clients must be"],
    ["--rate=-1", "--rate must be a number from 0"],
    ["--duration 0", "--duration must be"],
    ["--duration Infinity", "--duration must be"],
    ["--url ftp://somewhere", "--url must look like"],
    ["--url somewhere", "--url must look like"],
    ["--spawn --url http://127.0.0.1:1", "not both"],
    ["--workers 2", "--workers needs --spawn"],
    ["--clients 5 --min-joined 6", "--min-joined must be a whole number from 0 to 5"],
    ["--room=", "--room must name"],
    ["--color", "--color"],
    ["--clients", "--clients"],
    ["arena", "arena"],
  ])("refuse %s in one sentence", (text, part) => {
    const attempt = () => parseOptions(text.split(" "));
    expect(attempt).toThrow(OptionsError);
    expect(attempt).toThrow(part);
    expect(attempt).toThrow(/^[^\n]+[.)]$/);
  });

  it("are all in the help, which is shown when asked for", () => {
    expect(parseOptions(["--help"])).toBe("help");
    for (const name of ["url", "spawn", "workers", "room", "clients", "ramp", "duration", "rate", "latency"])
      expect(HELP).toContain(`--${name} `);
    for (const name of [
      "jitter",
      "direct",
      "predict",
      "seed",
      "json",
      "min-joined",
      "max-p99-ms",
      "max-divergences",
    ])
      expect(HELP).toContain(`--${name} `);
    expect(HELP).toContain("--max-missing-ticks ");
    for (const line of HELP.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe("file descriptors", () => {
  it("suffice, or a sentence says how many are needed", () => {
    expect(descriptorShortage(200, 256, 1_024)).toBeUndefined();
    expect(descriptorShortage(1_000, 256, 1_024)).toMatch(
      /^1000 clients need about 1320 file descriptors and this process may have 1024: .*ulimit -n/,
    );
  });

  it("have a limit that this process can tell", () => {
    expect(descriptorLimit()).toBeGreaterThan(64);
  });
});
