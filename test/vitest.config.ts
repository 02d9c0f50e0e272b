import { defineConfig } from "vitest/config";

/** Tests that start processes share two cores with them, so files run a few at a time and get generous time limits. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is polled for must become true; how soon, on a busy machine, is not what is tested.
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 2,
  },
});
