import { describe, expect, it } from "vitest";
import { OptionsError } from "../../shared/command-line.ts";
import { cases } from "./cases.ts";
import { helpOf, type Options, parseOptions } from "./options.ts";

function parse(text: string): Options {
  const options = parseOptions(text.split(" "), cases);
  if (options === "help") throw new Error("help was not asked for");
  return options;
}

describe("options", () => {
  it("are the case's own by default", () => {
    expect(parse("kill")).toEqual({
      name: "kill",
      chaosCase: cases.kill,
      times: 200,
      clients: 100,
      workers: 2,
      seed: 1,
      json: false,
    });
    expect(parse("connect-four")).toMatchObject({ times: 50, clients: 2 });
    expect(parse("connect-four --clients 9")).toMatchObject({ clients: 2 });
  });

  it("are all read", () => {
    expect(parse("kill --times 3 --clients 20 --workers 1 --seed 9 --json")).toMatchObject({
      times: 3,
      clients: 20,
      workers: 1,
      seed: 9,
      json: true,
    });
  });

  it("with many clients make fewer kills usual", () => {
    expect(parse("kill --clients 1000")).toMatchObject({ times: 20, clients: 1_000 });
  });

  it.each([
    ["", "Name one case of kill, cut"],
    ["maim", '(it is "maim")'],
    ["toString", '(it is "toString")'],
    ["kill cut", '(it is "kill" "cut")'],
    ["kill --times 0", "--times must be a whole number from 1"],
    ["kill --times 1.5", "--times must be"],
    ["kill --clients many", '(it is "many")'],
    ["kill --workers=", "--workers must be"],
    ["kill --clients 0", "--clients must be"],
    ["kill --seed=-1", "--seed must be"],
    ["kill --hard", "--hard"],
    ["kill --times", "--times"],
  ])("refuse %j in one sentence", (text, part) => {
    const attempt = () => parseOptions(text.split(" ").filter(Boolean), cases);
    expect(attempt).toThrow(OptionsError);
    expect(attempt).toThrow(part);
    expect(attempt).toThrow(/^[^\n]+[.)]$/);
  });

  it("and all cases are in the help, which is shown when asked for", () => {
    expect(parseOptions(["--help"], cases)).toBe("help");
    const help = helpOf(cases);
    for (const name of Object.keys(cases)) expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const name of ["times", "clients", "workers", "seed", "json"]) expect(help).toContain(`--${name} `);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe("the bounds of kill", () => {
  const bounds = (text: string) => cases.kill?.bounds(parse(text));

  it.each([
    ["kill", 250],
    ["kill --workers 1", 800],
    ["kill --clients 1000", 1_000],
    ["kill --clients 1000 --workers 1", 1_000],
  ])("follow from the size (%s)", (text, pauseP99MsMax) => {
    expect(bounds(text)).toEqual({ keptShareMin: 0.99, pauseP99MsMax, roomsQuarantined: 0 });
  });
});
