import type { NodeMessage } from "../../wire/messages/nodes.ts";
import type { BlockLists } from "./block-lists.ts";
import type { NodeLink } from "./cluster/node-link.ts";
import type { Directory } from "./directory.ts";
import type { Hub } from "./hub.ts";
import type { Member } from "./members.ts";
import type { Watchers } from "./watchers.ts";

type Blocked = NodeMessage & { readonly kind: "blocked" };

export interface BlockingOptions {
  readonly directory: Directory;
  readonly blockLists: BlockLists;
  readonly hub: Hub;
  readonly watchers: Watchers;
  readonly link: NodeLink;
}

/** One person will hear nothing of another, or will again: at once, on every node. */
export class Blocking {
  readonly #options: BlockingOptions;

  constructor(options: BlockingOptions) {
    this.#options = options;
  }

  /** @param onWritten what else comes of it follows. @throws Refusal `no-such-person` */
  async set(member: Member, typedName: string, blocked: boolean, onWritten: () => void): Promise<void> {
    const { directory, link } = this.#options;
    const { userId, name } = member.identity;
    const other = await directory.setBlocked(member, typedName, blocked);
    const message = { kind: "blocked", userId, name, otherId: other.userId, blocked } as const;
    link.broadcast(message);
    const spread = this.#spread(message);
    onWritten();
    await spread;
  }

  /** Another node has written it down. */
  async hear(message: Blocked): Promise<void> {
    this.#options.blockLists.forget(message.userId);
    await this.#spread(message);
  }

  async #spread({ userId, name, otherId, blocked }: Blocked): Promise<void> {
    const { hub, watchers } = this.#options;
    if (blocked) hub.silence(userId, otherId);
    await watchers.blockChanged({ userId: otherId }, { userId, name });
  }
}
