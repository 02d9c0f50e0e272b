/** Reads what a join asks for, out of an HTTP body or a WebSocket address. */
import * as v from "valibot";
import { RookeryError } from "../../shared/errors.ts";
import { assertPlain } from "../../shared/protocol/plain.ts";
import { JOIN_MODES, type JoinRequest } from "../../shared/protocol/wire.ts";

const ID_LENGTH_MAX = 64;
const Id = v.pipe(v.string(), v.minLength(1), v.maxLength(ID_LENGTH_MAX));

const Join = v.object({
  mode: v.optional(v.picklist(JOIN_MODES)),
  options: v.optional(v.record(v.string(), v.unknown())),
  roomId: v.optional(Id),
  code: v.optional(Id),
});

/** @throws RookeryError BAD_REQUEST with a sentence that names what is wrong */
export function parseJoinBody(body: string): JoinRequest {
  return checkJoin(body === "" ? {} : parseJson(body, "The body"));
}

/** @throws RookeryError BAD_REQUEST with a sentence that names what is wrong */
export function parseJoinQuery(query: URLSearchParams): JoinRequest {
  const { options, ...rest } = Object.fromEntries(query);
  return checkJoin({ ...rest, ...(options === undefined ? {} : { options: parseJson(options, "options") }) });
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RookeryError("BAD_REQUEST", `${what} must be JSON.`);
  }
}

/** Options are written down with the room: no deeper than values on the wire may be. */
function plain(request: JoinRequest): JoinRequest {
  try {
    assertPlain(request.options ?? {});
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RookeryError("BAD_REQUEST", "options nest too deeply.");
  }
  return request;
}

function checkJoin(value: unknown): JoinRequest {
  const parsed = v.safeParse(Join, value);
  if (parsed.success) return plain(parsed.output as JoinRequest);
  const issue = parsed.issues[0];
  const name = v.getDotPath(issue) ?? "The request";
  throw new RookeryError("BAD_REQUEST", `${name}: ${issue.message}`);
}
