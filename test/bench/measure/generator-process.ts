/** The load generator as seen by the runner: a process that is asked and answers, within a time limit. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type {
  BurstRequest,
  FromGenerator,
  Joined,
  JoinRequest,
  Measured,
  ToGenerator,
} from "../generator/messages.ts";

const MAIN = fileURLToPath(new URL("../generator/main.ts", import.meta.url));
const JOIN_MS = 60_000;
const BURST_MS = 120_000;
/** On top of the window. */
const ANSWER_MS = 10_000;

export class GeneratorProcess implements AsyncDisposable {
  readonly #child: ChildProcess = fork(MAIN);

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async join(request: Omit<JoinRequest, "type">): Promise<Joined> {
    const answer = await this.#ask({ type: "join", ...request }, JOIN_MS);
    if (answer.type !== "joined") throw new Error("the generator did not say that it has joined");
    return answer;
  }

  async measure(windowMs: number): Promise<Measured> {
    const answer = await this.#ask({ type: "measure", windowMs }, windowMs + ANSWER_MS);
    if (answer.type !== "measured") throw new Error("the generator did not say what it has measured");
    return answer;
  }

  /** @returns seconds from the first attempt to the last welcome */
  async joinMore(burst: BurstRequest): Promise<number> {
    return await this.#burst({ type: "join more", ...burst });
  }

  /** @returns seconds from the first join to the last end */
  async comeAndGo(burst: BurstRequest): Promise<number> {
    return await this.#burst({ type: "come and go", ...burst });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  async #burst(request: ToGenerator): Promise<number> {
    const answer = await this.#ask(request, BURST_MS);
    if (answer.type !== "done") throw new Error("the generator did not say that it has done it");
    return answer.seconds;
  }

  async #ask(request: ToGenerator, waitMs: number): Promise<FromGenerator> {
    const { promise, resolve, reject } = Promise.withResolvers<FromGenerator>();
    const timer = setTimeout(
      () => reject(new Error(`the load generator did not answer "${request.type}" within ${waitMs} ms`)),
      waitMs,
    );
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`the load generator ended: ${signal ?? code}`));
    this.#child.once("message", resolve);
    this.#child.once("exit", onExit);
    this.#child.send(request);
    const answer = await promise.finally(() => {
      clearTimeout(timer);
      this.#child.off("exit", onExit);
    });
    if (answer.type === "failed") throw new Error(`the load generator failed: ${answer.reason}`);
    return answer;
  }
}
