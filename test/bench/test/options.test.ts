import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../../../shared/command-line.ts";
import { helpText, parseOptions } from "../options.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).slice(0, -1);
const KNOWN = ["w1", "capacity"];

describe("the command line", () => {
  test("by default everything runs in full", () => {
    const everything = { quick: false, json: false, only: undefined, clients: undefined, against: undefined };
    expect(parseOptions([], KNOWN)).toEqual(everything);
  });

  test("takes some workloads, some numbers of clients, and flags", () => {
    const args = ["--only", "capacity,w1", "--quick", "--json", "--clients", "320,960", "--against", ROOT];
    const chosen = { quick: true, json: true, only: ["capacity", "w1"], clients: [320, 960], against: ROOT };
    expect(parseOptions(args, KNOWN)).toEqual(chosen);
  });

  test("asks for help before anything else", () => {
    expect(parseOptions(["--help", "--only", "w9"], KNOWN)).toBe("help");
    expect(helpText([{ name: "w1", about: "the arena" }])).toContain("  w1  the arena\n");
  });

  test.each([
    [["--only", "w9"], /no workload "w9"; there are w1, capacity/],
    [["--clients", "many"], /--clients .* not "many"/],
    [["--clients", "0"], /--clients .* not "0"/],
    [["--clients", "320,"], /--clients .* not ""/],
    [["--against", "server"], /--against takes a checkout of Rookery; there is no .* in .*server/],
    [["--fast"], /--fast.*see --help/],
    [["w1"], /see --help/],
  ])("refuses %j with a sentence", (args, sentence) => {
    expect(() => parseOptions(args, KNOWN)).toThrow(OptionsError);
    expect(() => parseOptions(args, KNOWN)).toThrow(sentence);
  });
});
