/**
 * Redis cannot be used for now. Never leaves this folder: whoever calls goes on without.
 * @param reason as in "PLACE REASON"
 */
export class AwayError extends Error {
  readonly reason: string;
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "AwayError";
    this.reason = reason;
  }
}

/** What a server answers that is there, but not for us, or not now. By the first word of its answer. */
const answers = new Map([
  ["NOAUTH", "asks for a password"],
  ["WRONGPASS", "refuses the user or password"],
  ["NOPERM", "does not give this user the rights it needs"],
  ["OOM", "has no memory left"],
  ["READONLY", "is a replica that takes no writes"],
  ["MISCONF", "cannot save to its disk and takes no writes"],
  ["NOREPLICAS", "has too few replicas and takes no writes"],
  ["LOADING", "is still loading its data"],
  ["BUSY", "is busy with a script"],
  ["MASTERDOWN", "has lost its master"],
  ["CLUSTERDOWN", "is a Cluster that is not whole"],
  ["TRYAGAIN", "is moving its data"],
  ["MOVED", "belongs to a Cluster"],
  ["ASK", "belongs to a Cluster"],
]);

/** Which of these no waiting mends. */
const forGood = new Set(["NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "ASK"]);

const failures: readonly (readonly [RegExp, string])[] = [
  [/certificate|self.signed|ERR_TLS|ERR_SSL/i, "has a certificate that nobody here vouches for"],
  [/ECONNREFUSED|refused/i, "refuses connections"],
  [/timed? ?out|ETIMEDOUT/i, "does not answer"],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/i, "is a name that nobody knows"],
  [/please report|protocol error/i, "answers in another language than Redis"],
  [/CLUSTERDOWN|redirections|failed to refresh/i, "is a Cluster that is not whole"],
  [/sentinel/i, "is not known to any sentinel that answers"],
  [/closed|aborted|ECONNRESET|EPIPE|writeable|max retries|ended|startup nodes|slots cache/i, "is not connected"],
];

/** @returns why Redis cannot be used, or null for an error that is a defect of ours */
export function reasonIn(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const answer = answers.get(firstWord(error));
  if (answer !== undefined) return answer;
  if (error.name === "ReplyError") return null;
  const text = `${error.name} ${"code" in error ? String(error.code) : ""} ${error.message}`;
  return failures.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

export function isForGood(error: unknown): boolean {
  return error instanceof Error && forGood.has(firstWord(error));
}

function firstWord({ message }: Error): string {
  return /^[A-Z]+/.exec(message)?.[0] ?? "";
}
