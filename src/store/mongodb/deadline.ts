/** Told apart from what the driver says. */
export class DeadlineError extends Error {
  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
    this.name = "DeadlineError";
  }
}

/** What every driver call of some work is given. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** The database gives up as well. */
  readonly maxTimeMS: number;
}

/**
 * Runs `work`, which may be several driver calls, for at most so long. The signal ends a call that waits; some calls
 * never settle when their connection is cut at a bad moment, and those are left behind.
 * @throws DeadlineError, or what the work rejects with
 */
export async function withDeadline<T>(deadlineMs: number, work: (call: CallOptions) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new DeadlineError(deadlineMs);
    late.reject(error);
    controller.abort(error);
  }, deadlineMs);
  try {
    return await Promise.race([work({ signal: controller.signal, maxTimeMS: deadlineMs }), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
