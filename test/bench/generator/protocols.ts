/** The ways into a server: what a client sends to join a room, and what its inputs look like. */
import { decodeServerMessage } from "../../../shared/protocol/codec.ts";
import { ClientMessage, ServerMessage, SUBPROTOCOL } from "../../../shared/protocol/wire.ts";
import { CHAT } from "../chat/text.ts";
import { EVENT_START } from "./event-start.ts";
import { postJson } from "./http.ts";
import { FIRST_BYTE } from "./masked-frame.ts";
import type { InputForm, Protocol } from "./messages.ts";
import { MSGPACK, shortText } from "./msgpack-bytes.ts";

/** Where in the payload of a frame an input stands, and what else changes there from input to input. */
export type InputFrame = {
  readonly payload: Uint8Array;
  readonly inputOffset: number;
  /** Of a big-endian u16 that counts the inputs; undefined: they are not numbered. */
  readonly sequenceOffset: number | undefined;
  /** Of a big-endian u16, how many events the client has received; undefined: they are not acknowledged. */
  readonly eventsOffset: number | undefined;
};

/** How to open the WebSocket. */
export type Ticket = {
  readonly path: string;
  readonly headers: readonly string[];
  readonly roomId: string | undefined;
};

export type Joining = {
  /** What comes before the WebSocket. */
  readonly reserve: (port: number, roomType: string) => Ticket | Promise<Ticket>;
  /** Of the frames that a client sends: FIRST_BYTE.BINARY or TEXT. */
  readonly firstByte: number;
  /** What to send when the first message is here; undefined when there is none, or none is asked for. */
  readonly acknowledgement: Uint8Array | undefined;
  /** Whether the server answers that, and closes the connection of who sends something before. */
  readonly isAnswered?: true;
  /** Whether the server says something as soon as the client has joined. */
  readonly isWelcomed: boolean;
  /** The first bytes of a welcome. */
  readonly welcomeStart: Uint8Array;
  /** Whether the server says, before or in the welcome, which room a client has got into. */
  readonly tellsRoom: boolean;
  /** The room that this welcome is of, when it tells. */
  readonly roomOf: (welcome: Uint8Array) => string | undefined;
  readonly inputFrame: (inputBytes: number, form: InputForm) => InputFrame;
  /** The first bytes of what the room's code sends as CHAT.event; undefined: a message has nothing else. */
  readonly eventStart: Uint8Array | undefined;
  /** The message by which a client gives up its seat. */
  readonly leaving: Uint8Array;
};

/** Values of a MESSAGE and a LEAVE [M2], and of a WELCOME [M1]. */
const VALUES = { MESSAGE: 5, LEAVE: 1, WELCOME: 3 } as const;

/** [M2]: MESSAGE, its number and that of the events received as u16s, the room's first message, the input. */
function rookeryInput(inputBytes: number, form: InputForm): InputFrame {
  const head = [MSGPACK.ARRAY | VALUES.MESSAGE, ClientMessage.MESSAGE];
  const numbers = [MSGPACK.UINT16, 0, 0, MSGPACK.UINT16, 0, 0];
  const input = [form === "text" ? MSGPACK.STR8 : MSGPACK.BIN8, inputBytes, ...new Uint8Array(inputBytes)];
  const payload = Uint8Array.from([...head, ...numbers, 0, ...input]);
  return { payload, inputOffset: payload.length - inputBytes, sequenceOffset: 3, eventsOffset: 6 };
}

const COLYSEUS = { JOIN_ROOM: 10, LEAVE_ROOM: 12, ROOM_DATA: 13, ROOM_DATA_BYTES: 17, MOVE: 0 } as const;

/** Protocol byte, the message's type (a number, or a text for texts), the input. */
function colyseusInput(inputBytes: number, form: InputForm): InputFrame {
  const head =
    form === "text"
      ? [COLYSEUS.ROOM_DATA, ...shortText(CHAT.event), MSGPACK.STR8, inputBytes]
      : [COLYSEUS.ROOM_DATA_BYTES, COLYSEUS.MOVE];
  const payload = Uint8Array.from([...head, ...new Uint8Array(inputBytes)]);
  return { payload, inputOffset: head.length, sequenceOffset: undefined, eventsOffset: undefined };
}

/** As its client does: a seat over HTTP, then a WebSocket, and the join acknowledged there. */
async function reserveColyseusSeat(port: number, roomType: string): Promise<Ticket> {
  const { processId, roomId, sessionId } = await postJson(port, `/matchmake/joinOrCreate/${roomType}`);
  return { path: `/${processId}/${roomId}?sessionId=${sessionId}`, headers: [], roomId: String(roomId) };
}

/** [J1] */
async function reserveRookerySeat(port: number, roomType: string): Promise<Ticket> {
  const { ticket, roomId } = await postJson(port, `/join/${roomType}`);
  return { path: "/ws", headers: [offer(`ticket.${ticket}`)], roomId: String(roomId) };
}

/** [H2] */
function offer(...items: string[]): string {
  return `Sec-WebSocket-Protocol: ${[SUBPROTOCOL, ...items, "events.0"].join(", ")}`;
}

const rookery: Joining = {
  tellsRoom: true,
  firstByte: FIRST_BYTE.BINARY,
  reserve: (_port, roomType) => ({ path: `/ws/${roomType}`, headers: [offer()], roomId: undefined }),
  acknowledgement: undefined,
  isWelcomed: true,
  welcomeStart: Uint8Array.of(MSGPACK.ARRAY | VALUES.WELCOME, ServerMessage.WELCOME),
  roomOf: (welcome) => {
    const [first] = decodeServerMessage(welcome, undefined);
    return first?.[0] === ServerMessage.WELCOME ? first[2].roomId : undefined;
  },
  inputFrame: rookeryInput,
  eventStart: EVENT_START,
  leaving: Uint8Array.of(MSGPACK.ARRAY | VALUES.LEAVE, ClientMessage.LEAVE),
};

/** By a request of its own, as clients do that name the room or wait for a place. */
const rookeryTicket: Joining = { ...rookery, reserve: reserveRookerySeat };

/** Each client in a room of its own. */
const rookeryCreate: Joining = {
  ...rookery,
  reserve: (_port, roomType) => ({
    path: `/ws/${roomType}?mode=create`,
    headers: [offer()],
    roomId: undefined,
  }),
};

const colyseus: Joining = {
  tellsRoom: true,
  firstByte: FIRST_BYTE.BINARY,
  reserve: reserveColyseusSeat,
  acknowledgement: Uint8Array.of(COLYSEUS.JOIN_ROOM),
  isWelcomed: true,
  welcomeStart: Uint8Array.of(COLYSEUS.JOIN_ROOM),
  roomOf: () => undefined,
  inputFrame: colyseusInput,
  eventStart: undefined,
  leaving: Uint8Array.of(COLYSEUS.LEAVE_ROOM),
};

/** Engine.IO's packet 4 is a message; in it, Socket.IO's 0 connects, 1 disconnects and 2 is an event. */
const SOCKET_IO = { OPENED: "0{", CONNECT: "40", DISCONNECT: "41", EVENT: `42["${CHAT.event}",` } as const;

function socketIoInput(inputBytes: number): InputFrame {
  const head = `${SOCKET_IO.EVENT}"`;
  const payload = Buffer.from(`${head}${" ".repeat(inputBytes)}"]`);
  return { payload, inputOffset: head.length, sequenceOffset: undefined, eventsOffset: undefined };
}

/** As its client does when it begins with a WebSocket. It gets no ping in the time that a run takes. */
const socketIo: Joining = {
  tellsRoom: false,
  firstByte: FIRST_BYTE.TEXT,
  reserve: () => ({ path: "/socket.io/?EIO=4&transport=websocket", headers: [], roomId: undefined }),
  acknowledgement: Buffer.from(SOCKET_IO.CONNECT),
  isAnswered: true,
  isWelcomed: true,
  welcomeStart: Buffer.from(SOCKET_IO.OPENED),
  roomOf: () => undefined,
  inputFrame: socketIoInput,
  eventStart: Buffer.from(SOCKET_IO.EVENT),
  leaving: Buffer.from(SOCKET_IO.DISCONNECT),
};

/** The floor reads what Rookery reads, and knows no rooms by name. */
const floor: Joining = {
  tellsRoom: false,
  firstByte: FIRST_BYTE.BINARY,
  reserve: () => ({ path: "/", headers: [], roomId: undefined }),
  acknowledgement: undefined,
  isWelcomed: false,
  welcomeStart: new Uint8Array(),
  roomOf: () => undefined,
  inputFrame: rookeryInput,
  eventStart: undefined,
  leaving: rookery.leaving,
};

const floorChat: Joining = { ...floor, eventStart: EVENT_START };

export const PROTOCOLS: Readonly<Record<Protocol, Joining>> = {
  rookery,
  "rookery ticket": rookeryTicket,
  "rookery create": rookeryCreate,
  colyseus,
  "socket.io": socketIo,
  floor,
  "floor chat": floorChat,
};
