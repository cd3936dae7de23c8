import type { AccountStore } from "../../store/accounts.ts";
import { utf8 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { readPrivateFile, replacePrivateFile } from "../runtime/private-file.ts";
import type { Clock } from "./clock.ts";

/**
 * A number that stands in the store and, apart from it, in a file: it rises at each start and with each revoked device. A store with a
 * lower one than the file came from a backup that may hold devices revoked since.
 */
export class Generation {
  readonly #store: AccountStore;
  readonly #file: string;
  #last: Promise<void> = Promise.resolve();

  constructor(store: AccountStore, file: string) {
    this.#store = store;
    this.#file = file;
  }

  /** @returns how many devices have to enrol again because the store was restored; null when it was not. @throws UserError `config` */
  async start(clock: Pick<Clock, "unixMs">): Promise<number | null> {
    const written = this.#read();
    const isRestored = written !== null && (await this.#store.generation()) < written;
    const revoked = isRestored ? await this.#store.devices.revokeEveryone(clock.unixMs()) : null;
    await this.#raise(written ?? 0);
    return revoked;
  }

  /** After devices were revoked. */
  async raise(): Promise<void> {
    const turn = this.#last.then(() => this.#raise(0));
    this.#last = turn.catch(() => {});
    await turn;
  }

  async #raise(above: number): Promise<void> {
    const generation = await this.#store.bumpGeneration(above);
    replacePrivateFile(this.#file, utf8(`${generation}\n`));
  }

  #read(): number | null {
    const bytes = readPrivateFile(this.#file, "secret");
    const text = bytes === null ? "" : new TextDecoder().decode(bytes).trim();
    if (bytes === null) return null;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new UserError("config", `cannot use ${this.#file}: it is damaged`, {
      hint: "if accounts.db was not restored from a backup, remove this file",
    });
  }
}
