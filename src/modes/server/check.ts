import { formatCount } from "../cli/amounts.ts";
import type { ServeCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import { isServed, lookAtFolder } from "./check-folder.ts";
import { aboutPlace } from "./check-place.ts";
import { aboutStores } from "./check-stores.ts";
import { attempt, type Finding, warning } from "./finding.ts";
import { unsafeLimits } from "./limits.ts";
import { type Listener, listen } from "./listeners.ts";
import { doubtAboutMetrics } from "./metrics-door.ts";

/**
 * `--check`: tells what is wrong or doubtful about settings, data folder, ports, certificate and databases, one line each, and leaves
 * all as it was. A server may run meanwhile.
 * @returns 0 unless something is wrong. @throws UserError `config` after the findings when something is
 */
export async function check(command: ServeCommand, context: ServerContext): Promise<number> {
  const { data, output, settings } = context;
  const hasOthers = settings.get("presence") !== null || settings.get("presence-file") !== null;
  const findings = [
    ...aboutPeople(command),
    ...(await lookAtFolder(data)),
    ...(isServed(data) ? [] : await aboutPorts(command)),
    ...(await aboutPlace(command, hasOthers)),
    ...(await aboutStores(context)),
  ];
  for (const finding of findings) output.event({ event: "finding", ...finding });
  const wrong = findings.filter(({ level }) => level === "wrong").length;
  if (wrong > 0)
    throw new UserError("config", `this server would not start: ${formatCount(wrong, "problem")}`, {
      hint: "mend what the lines above name",
    });
  output.note(findings.length === 0 ? "nothing is wrong, and nothing is doubtful" : "nothing is wrong");
  return 0;
}

function aboutPeople(command: ServeCommand): readonly Finding[] {
  const isRoot = process.getuid?.() === 0;
  const doubt = command.metrics === null ? null : doubtAboutMetrics(command.metrics);
  return [
    ...unsafeLimits(command).map(({ message, hint }) => warning(message, hint)),
    ...(command.logLevel === "debug"
      ? [warning("the log will hold names and addresses of people", "use log-level debug only to look for a fault")]
      : []),
    ...(doubt === null ? [] : [warning(doubt, "give metrics an address of loopback, or :PORT alone")]),
    ...(isRoot
      ? [warning("the server would run as root", "give it a user of its own, as packaging/p2p.service does")]
      : []),
  ];
}

/** Opens what a server would, and closes it at once. */
async function aboutPorts({ listen: places }: ServeCommand): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const opened: Listener[] = [];
  const silent = {
    fetch: () => new Response(null, { status: 503 }),
    websocket: { message: () => undefined },
    onDatagram: () => null,
    onFault: () => undefined,
  };
  for (const at of places) {
    const listener = await attempt(findings, () => listen(at, silent));
    if (listener !== null) opened.push(listener);
  }
  for (const { tcp, udp } of opened) {
    udp.close();
    await tcp.stop(true);
  }
  return findings;
}
