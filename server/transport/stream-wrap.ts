/**
 * Node's binding "stream_wrap", by which `net.Socket` itself reads and writes: semi-internal, and not to be had in a
 * Node that has it no more, or one with `--permission`. Who uses it has a way without.
 */

export type WriteRequest = { oncomplete: (status: number) => void; buffer: Uint8Array | undefined };

export type StreamWrap = {
  readonly WriteWrap: new () => WriteRequest;
  /** What the last call has come to, by the indexes below. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
};

export const STREAM_WRAP = streamWrap();

function streamWrap(): StreamWrap | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
  try {
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } =
      binding?.("stream_wrap") ?? {};
    if (WriteWrap === undefined || streamBaseState === undefined) return undefined;
    if (kReadBytesOrError === undefined || kLastWriteWasAsync === undefined) return undefined;
    return { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}
