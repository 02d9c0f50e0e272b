/**
 * A client of a mortal room on a bare socket. It does nothing by itself: a test sees RESUME and all else as it came, and
 * answers when and what it likes. It keeps what it has sent, as a client must.
 */
import { expect } from "vitest";
import {
  ClientMessage,
  type ClientValue,
  type JoinAnswer,
  ServerMessage,
  type Welcome,
} from "../../../shared/protocol/wire.ts";
import { clientFrame, handshakeHead, RawClient } from "../../support/raw-client.ts";
import type { Account } from "../../support/rooms/mortal.ts";
import type { ServerProcess } from "../../support/server-process.ts";

type Offer = Parameters<typeof handshakeHead>[1];
type Resume = { readonly nonce: number; readonly ack: number };

export class MortalClient {
  readonly raw: RawClient;
  readonly #sent: ClientValue[];

  private constructor(raw: RawClient, sent: ClientValue[] = []) {
    this.raw = raw;
    this.#sent = sent;
  }

  /** Sends a handshake, and waits for nothing. */
  static async open(server: ServerProcess, path: string, offer?: Offer): Promise<MortalClient> {
    const client = new MortalClient(await new RawClient(server.port).connected());
    client.raw.socket.write(handshakeHead(path, offer));
    return client;
  }

  /** Creates a room of this name, and has a seat in it. */
  static async create(server: ServerProcess, roomType: string, name: string): Promise<MortalClient> {
    const options = encodeURIComponent(JSON.stringify({ name }));
    const client = await MortalClient.open(server, `/ws/${roomType}?mode=create&options=${options}`);
    return await client.seated();
  }

  /** Has another seat in this client's room. */
  async joinedBy(server: ServerProcess): Promise<MortalClient> {
    const client = await MortalClient.open(server, this.wayIn);
    return await client.seated();
  }

  /** The same session on a new connection. */
  async resumed(server: ServerProcess): Promise<MortalClient> {
    const eventsReceived = this.events.length;
    const resume = this.welcome.resumeToken;
    const raw = new RawClient(server.port);
    raw.socket.write(handshakeHead("/ws", { resume, eventsReceived }));
    return await new MortalClient(raw, this.#sent).seated();
  }

  async seated(): Promise<MortalClient> {
    await this.raw.until(() => this.welcomes.length > 0, "WELCOME");
    return this;
  }

  /** Address at which others join this room in the handshake. */
  get wayIn(): string {
    const { roomType, roomId } = this.welcome;
    return `/ws/${roomType}?mode=joinById&roomId=${roomId}`;
  }

  get welcomes(): Welcome[] {
    return this.raw.values.flatMap((value) => (value[0] === ServerMessage.WELCOME ? [value[2]] : []));
  }

  get welcome(): Welcome {
    const welcome = this.welcomes.at(-1);
    if (welcome === undefined) throw new Error("no WELCOME has come");
    return welcome;
  }

  get roomId(): string {
    return this.welcome.roomId;
  }

  get sessionId(): string {
    return this.welcome.sessionId;
  }

  get resumes(): Resume[] {
    return this.raw.values.flatMap((value) =>
      value[0] === ServerMessage.RESUME ? [{ nonce: value[1], ack: value[3] }] : [],
    );
  }

  get events(): [name: string, payload: unknown][] {
    return this.raw.values.flatMap((value) =>
      value[0] === ServerMessage.EVENT ? [[value[1], value[2]] as [string, unknown]] : [],
    );
  }

  /** Payloads of the events of a name. */
  heard(name: string): unknown[] {
    return this.events.filter(([each]) => each === name).map(([, payload]) => payload);
  }

  async hears(name: string, count: number): Promise<unknown[]> {
    await this.raw.until(() => this.heard(name).length >= count, `${count} events "${name}"`);
    return this.heard(name);
  }

  async isToldTo(hook: string): Promise<void> {
    await this.raw.until(() => this.heard("noted").includes(hook), hook);
  }

  /** Sends messages in one piece: of one name, one for each payload. */
  say(name: string, ...payloads: unknown[]): void {
    const values = payloads.map((payload, index): ClientValue => {
      return [ClientMessage.MESSAGE, this.#sent.length + 1 + index, 0, name, payload];
    });
    this.#sent.push(...values);
    this.raw.socket.write(Buffer.concat(values.map(clientFrame)));
  }

  async account(): Promise<Account> {
    const count = this.heard("account").length + 1;
    this.say("account", null);
    return (await this.hears("account", count)).at(-1) as Account;
  }

  /** Of the next tick. */
  async state(): Promise<void> {
    const count = this.#states;
    await this.raw.until(() => this.#states > count, "STATE");
  }

  get #states(): number {
    return this.raw.values.filter(([type]) => type === ServerMessage.STATE).length;
  }

  /** What was sent before has arrived. */
  async answered(): Promise<void> {
    this.raw.socket.write(clientFrame([ClientMessage.PING, 1, 0]));
    await this.raw.until(({ values }) => values.some(([type]) => type === ServerMessage.PONG), "PONG");
  }

  write(value: ClientValue): void {
    this.raw.socket.write(clientFrame(value));
  }

  async asked(times = 1): Promise<Resume> {
    await this.raw.until(() => this.resumes.length >= times, `RESUME ${times}`);
    return this.resumes.at(-1) as Resume;
  }

  /** Answers the last RESUME, and sends again what the room has not. */
  answer(eventsReceived = this.events.length): void {
    const { nonce, ack } = this.resumes.at(-1) as Resume;
    const resync: ClientValue = [ClientMessage.RESYNC, nonce, eventsReceived, this.welcome.schemaHash];
    this.raw.socket.write(Buffer.concat([resync, ...this.#sent.slice(ack)].map(clientFrame)));
  }

  /** Goes on over the same connection, with the next owner of its room. */
  async goesOn(): Promise<void> {
    const welcomes = this.welcomes.length;
    await this.asked(welcomes);
    this.answer();
    await this.raw.until(() => this.welcomes.length > welcomes, "another WELCOME");
  }

  async closed(): Promise<void> {
    if (!this.raw.isClosed) await new Promise((resolve) => this.raw.socket.once("close", resolve));
  }

  async leave(): Promise<void> {
    this.write([ClientMessage.LEAVE]);
    await this.raw.until(({ closeCode }) => closeCode !== undefined, "the close");
    this.raw.socket.destroy();
  }
}

/** Asks for a seat over HTTP. */
export async function requestSeat(
  server: ServerProcess,
  roomType: string,
  body: { readonly mode: string; readonly roomId?: string; readonly options?: object },
  token = "",
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return await fetch(`${server.url}/join/${roomType}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
}

export async function ticketFor(server: ServerProcess, { welcome }: MortalClient): Promise<JoinAnswer> {
  const { roomType, roomId } = welcome;
  const answer = await requestSeat(server, roomType, { mode: "joinById", roomId });
  expect(answer.status).toBe(200);
  return (await answer.json()) as JoinAnswer;
}
