/** What a demonstration holds and must let go of, however it ends. */
export class Stage implements AsyncDisposable {
  readonly #held = new AsyncDisposableStack();

  /** Lets go of it when the stage is cleared, or at once when that has been already. @throws Error then */
  async hold<T extends AsyncDisposable>(resource: T): Promise<T> {
    if (!this.#held.disposed) return this.#held.use(resource);
    await resource[Symbol.asyncDispose]();
    throw new Error("interrupted");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }
}

/**
 * Runs `play`, and clears the stage after it, also when a signal comes in the middle: what dies with the stage ends the play.
 * @returns 130 or 143 when one came, else null
 * @throws what `play` threw
 */
export async function perform(play: (stage: Stage) => Promise<void>): Promise<number | null> {
  await using stage = new Stage();
  const signal = Promise.withResolvers<number>();
  process.once("SIGINT", () => signal.resolve(130));
  process.once("SIGTERM", () => signal.resolve(143));
  const played = play(stage);
  const status = await Promise.race([signal.promise, played.then(() => null)]);
  if (status === null) return null;
  await stage[Symbol.asyncDispose]();
  await played.catch(() => undefined);
  return status;
}
