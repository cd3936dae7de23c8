/** Looks every so often whether it is so, for so long at most. Milliseconds. @throws the signal's reason */
export async function until(
  isSo: () => boolean,
  {
    patienceMs,
    everyMs,
    signal,
  }: { readonly patienceMs: number; readonly everyMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  for (const end = performance.now() + patienceMs; !isSo() && performance.now() < end;) {
    await Bun.sleep(everyMs);
    signal?.throwIfAborted();
  }
}
