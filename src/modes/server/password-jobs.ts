/** Work for password-thread.ts. */
export type PasswordJob =
  | { readonly kind: "hash"; readonly password: string; readonly memoryKiB: number; readonly passes: number }
  | { readonly kind: "verify"; readonly password: string; readonly stored: string };

/** A hash in PHC form, or whether it matches. */
export type PasswordResult<Job extends PasswordJob> = Job["kind"] extends "hash" ? string : boolean;

export type PasswordOutcome = { readonly value: string | boolean } | { readonly error: string };

/** argon2id. Takes about 50 ms. */
export function outcomeOf(job: PasswordJob): PasswordOutcome {
  try {
    return { value: resultOf(job) };
  } catch (error) {
    return { error: String(error) };
  }
}

function resultOf(job: PasswordJob): string | boolean {
  if (job.kind === "verify") return Bun.password.verifySync(job.password, job.stored, "argon2id");
  return Bun.password.hashSync(job.password, {
    algorithm: "argon2id",
    memoryCost: job.memoryKiB,
    timeCost: job.passes,
  });
}
