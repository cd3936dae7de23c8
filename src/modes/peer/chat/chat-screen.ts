import type { Terminal } from "../../cli/context.ts";
import type { PeerSession } from "../peer-session.ts";
import type { FilesFace } from "./room-files.ts";
import { type ChatOutcome, Room, type RoomOptions } from "./room.ts";
import { Screen } from "./screen.ts";

/** What else may be shown and asked in a chat while it goes on. */
export interface ChatFace extends FilesFace {
  /** Ends this chat, because it goes on in another session. */
  moveOn(): void;
}

export interface ChatScreenOptions extends RoomOptions {
  readonly terminal: Terminal;
  /** Called once, when the screen stands. */
  readonly onOpen?: (face: ChatFace) => void;
}

/**
 * A chat at a terminal, from the first line to the last; it takes the whole session and closes it. Needs `terminal.fullScreen`.
 * The terminal is as it was when this resolves. Never rejects for anything that the other end does.
 */
export async function chatScreen(session: PeerSession, options: ChatScreenOptions): Promise<ChatOutcome> {
  let changed: () => void = () => undefined;
  const room = new Room(session, options, () => changed());
  using screen = new Screen(options.terminal, room, options.clock);
  changed = screen.changed;
  options.onOpen?.(room);
  const outcome = await room.over;
  await room.close();
  return outcome;
}
