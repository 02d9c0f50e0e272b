/** What a browser has to load: the whole client in one file. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

const BYTES_MAX = 25 * 1024;

describe("the client in one file", () => {
  let bundle: Uint8Array;
  let text: string;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [new URL("../../../client-sim/sdk/index.ts", import.meta.url).pathname],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
    });
    const [file] = outputFiles;
    if (file === undefined || outputFiles.length > 1) throw new Error("it is not one file");
    bundle = file.contents;
    text = file.text;
  });

  it(`is smaller than ${BYTES_MAX} bytes when compressed`, () => {
    expect(gzipSync(bundle, { level: 9 }).length).toBeLessThan(BYTES_MAX);
  });

  it("imports nothing, from Node or elsewhere", () => {
    expect(text).not.toMatch(/\bimport\b|\brequire\b|node:/);
  });

  it("makes no code from text, which pages may forbid", () => {
    expect(text).not.toMatch(/\beval\b|\bFunction\(/);
  });

  it("has all of it", async () => {
    const module: unknown = await import(
      `data:text/javascript;base64,${Buffer.from(bundle).toString("base64")}`
    );
    expect(Object.keys(module as object).sort()).toEqual(["Client", "ERRORS", "RookeryError"]);
    expect(text).toContain("interpolate");
    expect(text).toContain("predict");
  });
});
