/** Waits for the next message of a type that a client gets. */
const WAIT_MS = 20_000;

type Listens = { onMessage(type: string, listener: (payload: unknown) => void): () => void };

export async function nextMessage(room: Listens, type: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => reject(new Error(`no message "${type}" within ${WAIT_MS} ms`)), WAIT_MS);
  const stop = room.onMessage(type, resolve);
  return await promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
}
