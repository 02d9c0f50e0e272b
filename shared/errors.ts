/**
 * The one table of errors a client can meet: over HTTP as `{ error: { code, message } }` with a status, over a
 * WebSocket as a close code with the same code name as its reason. PROTOCOL.md prints it.
 *
 * `retry` is advice to the client: "resume" the session on a new connection, "rejoin" with a new join, or "no".
 */
type ErrorEntry = {
  readonly status: number;
  readonly close: number;
  readonly retry: "resume" | "rejoin" | "no";
  readonly message: string;
};

export const ERRORS = {
  // The client's own doing.
  CONSENTED: {
    status: 200,
    close: 4000,
    retry: "no",
    message: "The client left.",
  },
  BAD_REQUEST: {
    status: 400,
    close: 4400,
    retry: "no",
    message: "The request cannot be understood.",
  },
  UNAUTHORIZED: {
    status: 401,
    close: 4401,
    retry: "no",
    message: "The token was not accepted.",
  },
  ORIGIN_REFUSED: {
    status: 403,
    close: 4403,
    retry: "no",
    message: "This origin may not connect.",
  },
  NOT_FOUND: {
    status: 404,
    close: 4404,
    retry: "no",
    message: "There is nothing at this address.",
  },
  ROOM_TYPE_UNKNOWN: {
    status: 404,
    close: 4410,
    retry: "no",
    message: "There is no room type of this name.",
  },
  ROOM_NOT_FOUND: {
    status: 404,
    close: 4411,
    retry: "rejoin",
    message: "There is no such room.",
  },
  ROOM_FULL: {
    status: 409,
    close: 4412,
    retry: "no",
    message: "The room is full.",
  },
  ROOM_LOCKED: {
    status: 409,
    close: 4413,
    retry: "no",
    message: "The room is locked.",
  },
  TICKET_INVALID: {
    status: 401,
    close: 4414,
    retry: "rejoin",
    message: "The ticket is invalid or has expired.",
  },
  SESSION_NOT_FOUND: {
    status: 404,
    close: 4415,
    retry: "rejoin",
    message: "The session has ended.",
  },
  RESUME_REFUSED: {
    status: 401,
    close: 4416,
    retry: "rejoin",
    message: "The resume token was not accepted.",
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    close: 4417,
    retry: "no",
    message: "The message is too large.",
  },
  RATE_LIMITED: {
    status: 429,
    close: 4429,
    retry: "no",
    message: "Too many messages.",
  },
  PROTOCOL_ERROR: {
    status: 400,
    close: 4420,
    retry: "no",
    message: "The client broke the protocol.",
  },
  MESSAGE_INVALID: {
    status: 400,
    close: 4421,
    retry: "no",
    message: "A message did not match its schema.",
  },
  MESSAGE_UNKNOWN: {
    status: 400,
    close: 4422,
    retry: "no",
    message: "The room has no message of this type.",
  },
  // The connection's.
  SLOW_CLIENT: {
    status: 408,
    close: 4430,
    retry: "resume",
    message: "The client reads too slowly.",
  },
  CLIENT_SILENT: {
    status: 408,
    close: 4431,
    retry: "resume",
    message: "The client has said nothing for too long.",
  },
  SUPERSEDED: {
    status: 409,
    close: 4432,
    retry: "no",
    message: "The session goes on over another connection.",
  },
  SESSION_OVERFLOW: {
    status: 507,
    close: 4433,
    retry: "rejoin",
    message: "The client missed more messages than are kept.",
  },
  // The room's.
  KICKED: {
    status: 403,
    close: 4440,
    retry: "no",
    message: "The room asked the client to leave.",
  },
  ROOM_CLOSED: {
    status: 410,
    close: 4441,
    retry: "no",
    message: "The room has closed.",
  },
  ROOM_ERROR: {
    status: 500,
    close: 4442,
    retry: "rejoin",
    message: "The room failed and was closed.",
  },
  ROOM_CREATE_FAILED: {
    status: 500,
    close: 4443,
    retry: "no",
    message: "The room could not be created.",
  },
  ROOM_LOST: {
    status: 410,
    close: 4444,
    retry: "rejoin",
    message: "The room was lost with its worker.",
  },
  ROOM_QUARANTINED: {
    status: 410,
    close: 4445,
    retry: "no",
    message: "The room crashed its process again and again and was put aside.",
  },
  // The server's.
  INTERNAL: {
    status: 500,
    close: 4500,
    retry: "rejoin",
    message: "The server failed.",
  },
  SERVER_SHUTTING_DOWN: {
    status: 503,
    close: 4503,
    retry: "rejoin",
    message: "The server is shutting down.",
  },
  SERVER_BUSY: {
    status: 503,
    close: 4504,
    retry: "rejoin",
    message: "The server is busy. Try again.",
  },
  TIMEOUT: {
    status: 504,
    close: 4505,
    retry: "rejoin",
    message: "The server did not answer in time.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

const codeByClose = new Map<number, ErrorCode>(
  Object.entries(ERRORS).map(([code, entry]) => [entry.close, code as ErrorCode]),
);

/** @returns the error a WebSocket close code stands for, or undefined for one that is not of the table. */
export function errorOfClose(close: number): ErrorCode | undefined {
  return codeByClose.get(close);
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERRORS, value);
}

/** An error of the table; `message` is the sentence for a person, `code` the name for a program. */
export class RookeryError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERRORS[code].message, options?: ErrorOptions) {
    super(message, options);
    this.name = "RookeryError";
    this.code = code;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get close(): number {
    return ERRORS[this.code].close;
  }
}
