/** What `work` resolves to. @throws Error when that takes longer */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not settled within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks until `isSo` says so. @throws Error when that takes longer */
export async function eventually(limitMs: number, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = performance.now() + limitMs; !(await isSo()); await Bun.sleep(20))
    if (performance.now() > deadline) throw new Error(`not so after ${limitMs} ms`);
}
