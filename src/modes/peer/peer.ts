import type { PeerCommand } from "../cli/command.ts";
import type { PeerContext } from "../cli/context.ts";

/** Runs one command of a person. Each is loaded when it is asked for. @returns the exit status */
export async function runPeer(command: PeerCommand, context: PeerContext): Promise<number> {
  switch (command.kind) {
    case "peer":
      return (await import("./guided/guided.ts")).runGuided(context);
    case "register":
    case "login":
      return (await import("./commands/account.ts")).runEnrol(command, context);
    case "logout":
      return (await import("./commands/account.ts")).runLogout(context);
    case "whoami":
      return (await import("./commands/account.ts")).runWhoami(context);
    case "passwd":
      return (await import("./commands/account.ts")).runPasswd(command, context);
    case "devices":
      return (await import("./commands/account.ts")).runDevices(context);
    case "device-revoke":
      return (await import("./commands/account.ts")).runRevoke(command, context);
    case "users":
      return (await import("./commands/directory.ts")).runUsers(context);
    case "contacts":
      return (await import("./commands/directory.ts")).runContacts(context);
    case "block":
    case "unblock":
      return (await import("./commands/directory.ts")).runBlock(command, context);
    case "chat":
      return (await import("./commands/chat.ts")).runChat(command, context);
    case "msg":
      return (await import("./commands/message.ts")).runMessage(command, context);
    case "ping":
      return (await import("./commands/ping.ts")).runPing(command, context);
    case "doctor":
      return (await import("./commands/doctor.ts")).runDoctor(command, context);
    case "send":
      return (await import("./commands/send.ts")).runSend(command, context);
    case "receive":
      return (await import("./commands/receive.ts")).runReceive(command, context);
    case "verify":
    default:
      return (await import("./commands/verify.ts")).runVerify(command, context);
  }
}
