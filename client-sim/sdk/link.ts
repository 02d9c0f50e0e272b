/**
 * The way to a room across connections: joins, resumes the session when a connection is lost, and joins anew when the
 * session is lost.
 *
 *     joining --> open --> resuming --> rejoining --> ended
 *                  ^           |            |
 *                  +-----------+------------+
 *
 * Each phase but `open` has a deadline. What is tried next follows from what is at hand: with a ticket or a resume
 * token a WebSocket, with neither of them a new join.
 */
import { ERRORS } from "../../shared/errors.ts";
import { formatOffer } from "../../shared/protocol/handshake.ts";
import type { ServerValue, Welcome } from "../../shared/protocol/wire.ts";
import type { Scheduler, TimerHandle } from "../../shared/time.ts";
import { Connection } from "./connection.ts";
import type { Http } from "./http.ts";
import { directUrl, type JoinIntent, requestTicket, socketUrl } from "./join-request.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { Backoff, isTransient, keepsSession, type Loss, lossOfCode, lossOfError } from "./retry-policy.ts";
import type { WebSocketLike } from "./socket.ts";

/** What opens a WebSocket to a seat. */
export type Credential = {
  readonly url: string;
  readonly offer: { readonly ticket: string } | { readonly resume: string };
};

export type LinkSetup = {
  readonly http: Http;
  readonly openSocket: (url: string, protocols: string[]) => WebSocketLike;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  /** Join in the WebSocket handshake instead of over HTTP. */
  readonly direct: boolean;
  /** What to ask for while there is no credential; absent when a resume token is all there is. */
  readonly intent: JoinIntent | undefined;
  readonly credential: Credential | undefined;
  /** Ask for the same again when the session is lost. */
  readonly rejoin: boolean;
};

export type LinkHandlers = {
  /** What to say in a handshake; of events only when it continues a session, since a new one has none. */
  readonly offer: (continues: boolean) => { readonly schemaHash?: string; readonly eventsReceived: number };
  readonly onMessage: (values: readonly ServerValue[], bytes: number) => void;
  readonly onBeat: () => void;
  readonly onDropped: (loss: Loss) => void;
  readonly onEnded: (loss: Loss) => void;
};

export type LinkPhase = "joining" | "open" | "resuming" | "rejoining" | "ended";

export class Link {
  readonly #setup: LinkSetup;
  readonly #handlers: LinkHandlers;
  readonly #backoff: Backoff;
  #phase: LinkPhase = "joining";
  #credential: Credential | undefined;
  #connection: Connection | undefined;
  /** Where the session is resumed; a ticket tells another address when another machine has the room. */
  #url: string;
  #reconnectMs = 0;
  #deadlineMs: number;
  #attempts = 0;
  #openedAtMs = 0;
  #isLeaving = false;
  #timer: TimerHandle | undefined;

  constructor(setup: LinkSetup, handlers: LinkHandlers) {
    this.#setup = setup;
    this.#handlers = handlers;
    this.#backoff = new Backoff(setup.random);
    this.#credential = setup.credential;
    this.#url = socketUrl(setup.http.baseUrl);
    this.#deadlineMs = setup.scheduler.now() + CLIENT_LIMITS.joinDeadlineMs;
  }

  start(): void {
    this.#attempt();
  }

  get phase(): LinkPhase {
    return this.#phase;
  }

  /** True once the session has ended or is about to: nothing more can be sent. */
  get isOver(): boolean {
    return this.#isLeaving || this.#phase === "ended";
  }

  /** True when the connection is of a session that has been before: not with a ticket, and not joined in its handshake. */
  get continues(): boolean {
    return this.#credential !== undefined && "resume" in this.#credential.offer;
  }

  /** @returns false when there is no connection that takes messages */
  send(bytes: Uint8Array): boolean {
    if (!this.#connection?.isWelcomed) return false;
    this.#connection.send(bytes);
    return true;
  }

  /** Answers a server that has taken the connection over, and knows of the session as well. */
  answer(bytes: Uint8Array): void {
    this.#connection?.send(bytes);
  }

  /** The server has opened the session on this connection. */
  adopt(welcome: Welcome): void {
    this.#reconnectMs = welcome.reconnectMs;
    this.#credential = { url: this.#url, offer: { resume: welcome.resumeToken } };
  }

  /** The whole state is there. */
  settle(): void {
    if (this.#phase === "open") return;
    this.#phase = "open";
    this.#openedAtMs = this.#setup.scheduler.now();
  }

  /** Whatever ends the connection from now on, the session ends with it; `onEnded` comes in bounded time. */
  leave(request: Uint8Array): void {
    if (this.isOver) return;
    this.#isLeaving = true;
    const consented = lossOfCode("CONSENTED");
    if (!this.send(request)) return this.#end(consented);
    this.#timer = this.#setup.scheduler.setTimeout(() => this.#end(consented), CLIENT_LIMITS.leaveMs);
  }

  #attempt(): void {
    this.#attempts += 1;
    const { intent, http, direct } = this.#setup;
    if (this.#credential !== undefined) return this.#open(this.#credential.url, this.#credential.offer);
    if (intent === undefined) return this.#end(lossOfCode("SESSION_NOT_FOUND"));
    if (direct) {
      const offer = http.token === undefined ? {} : { token: http.token };
      return this.#open(directUrl(http.baseUrl, intent), offer);
    }
    requestTicket(http, intent).then(
      ({ url, ticket }) => {
        if (this.#phase === "ended") return;
        this.#url = url;
        this.#credential = { url, offer: { ticket } };
        this.#open(url, { ticket });
      },
      (error: unknown) => this.#lost(lossOfError(error)),
    );
  }

  #open(url: string, offer: { ticket?: string; resume?: string; token?: string }): void {
    const { openSocket, scheduler } = this.#setup;
    try {
      const socket = openSocket(
        url,
        formatOffer({ ...offer, ...this.#handlers.offer(offer.resume !== undefined) }),
      );
      this.#connection = new Connection(
        socket,
        {
          onMessage: this.#handlers.onMessage,
          onBeat: this.#handlers.onBeat,
          onLost: (loss) => this.#lost(loss),
        },
        scheduler,
      );
    } catch (error) {
      this.#lost(lossOfError(error));
    }
  }

  #lost(loss: Loss): void {
    this.#connection = undefined;
    if (this.#phase === "ended") return;
    if (this.#isLeaving || loss.retry === "no") return this.#end(loss);
    const wasOpen = this.#phase === "open";
    if (wasOpen) this.#enter("resuming", this.#reconnectMs + CLIENT_LIMITS.resumeGraceMs);

    if (!keepsSession(loss)) this.#credential = undefined;
    const delayMs = Math.max(this.#backoff.nextMs(), loss.retryAfterMs);
    if (this.#phase === "joining" && !(isTransient(loss) && this.#attempts < CLIENT_LIMITS.joinAttemptsMax)) {
      return this.#end(loss);
    }
    if (this.#phase === "resuming" && (this.#credential === undefined || this.#isTooLate(delayMs))) {
      if (!this.#setup.rejoin) return this.#end(loss);
      this.#credential = undefined;
      this.#enter("rejoining", CLIENT_LIMITS.rejoinMs);
    }
    if (this.#isTooLate(delayMs)) return this.#end(loss);
    this.#timer = this.#setup.scheduler.setTimeout(() => this.#attempt(), delayMs);
    if (wasOpen) this.#handlers.onDropped(loss);
  }

  #enter(phase: "resuming" | "rejoining", forMs: number): void {
    const nowMs = this.#setup.scheduler.now();
    if (this.#phase === "open" && nowMs - this.#openedAtMs >= CLIENT_LIMITS.stableMs) this.#backoff.reset();
    this.#phase = phase;
    this.#deadlineMs = nowMs + forMs;
  }

  #isTooLate(delayMs: number): boolean {
    return this.#setup.scheduler.now() + delayMs > this.#deadlineMs;
  }

  #end(loss: Loss): void {
    this.#phase = "ended";
    if (this.#timer !== undefined) this.#setup.scheduler.clearTimeout(this.#timer);
    this.#connection?.close(ERRORS.CONSENTED.close);
    this.#connection = undefined;
    this.#handlers.onEnded(loss);
  }
}
