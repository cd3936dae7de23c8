import { existsSync, renameSync } from "node:fs";
import { toBase32, toHex } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { problemWithName } from "../cli/names.ts";
import { withFileLock } from "../runtime/file-lock.ts";
import { readPrivateFile, replacePrivateFile } from "../runtime/private-file.ts";
import type { Home } from "./home.ts";
import { asBytes, asFlag, asList, asObject, asOneOf, asText, Damaged, formatJson, parseObject } from "./stored-json.ts";
import {
  judge,
  type Judgement,
  type OfferedDevice,
  type Person,
  type Pin,
  stranger,
  withDevices,
  withoutVerified,
  withVerified,
} from "./trust.ts";

/** Under server key, then name. */
type Book = Map<string, Map<string, Person>>;

const VERSION = 1;

/**
 * The people known in a home, each under (server key, name): the same name on another server is somebody else. Every call reads
 * the file anew, since several programs of one person share it. All methods throw UserError `config` when the file cannot be
 * used, and `unverified` when it is damaged: then it was kept aside, and no pin was dropped without a word.
 */
export class People {
  readonly #file: string;
  readonly #server: string;

  constructor(home: Home, serverKey: Uint8Array) {
    this.#file = home.people;
    this.#server = toBase32(serverKey);
  }

  /** Somebody never met is a stranger, not null. */
  find(name: string): Person {
    return this.#read().get(this.#server)?.get(name) ?? stranger(name);
  }

  /** By name. */
  list(): Person[] {
    const people = [...(this.#read().get(this.#server)?.values() ?? [])];
    return people.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  judge(name: string, offered: readonly OfferedDevice[]): Judgement<OfferedDevice> {
    return judge(this.find(name), offered);
  }

  /**
   * Remembers devices after a session, or a list of the server, showed them: all of a stranger's are trusted from now on, an
   * unknown one of a known person is on record as `changed`.
   * @param deviceList the signed list that came with them; null leaves the one on record
   */
  pin(name: string, devices: readonly OfferedDevice[], deviceList: Uint8Array | null): Promise<Person> {
    return this.#change(name, (person) => withDevices(person, devices, deviceList));
  }

  /** The numbers of the device with this key were compared and equal. */
  markVerified(name: string, key: Uint8Array): Promise<Person> {
    return this.#change(name, (person) => withVerified(person, key));
  }

  /** Forgets that numbers were compared. */
  resetVerified(name: string): Promise<Person> {
    return this.#change(name, withoutVerified);
  }

  /** From now on their chat needs no question, and with `files` their files neither. */
  trust(name: string, trust: "chat" | "files"): Promise<Person> {
    return this.#change(name, (person) => ({ ...person, trust }));
  }

  setBlocked(name: string, blocked: boolean): Promise<Person> {
    return this.#change(name, (person) => ({ ...person, blocked }));
  }

  async #change(name: string, change: (person: Person) => Person): Promise<Person> {
    return withFileLock(this.#file, () => {
      const book = this.#read();
      const people = book.get(this.#server) ?? new Map<string, Person>();
      const before = people.get(name);
      const changed = change(before ?? stranger(name));
      book.set(this.#server, people.set(name, changed));
      const bytes = formatJson(formatBook(book));
      replacePrivateFile(this.#file, bytes);
      return changed;
    });
  }

  #read(): Book {
    const bytes = readPrivateFile(this.#file, "own");
    if (bytes === null) return new Map();
    try {
      return parseBook(this.#file, bytes);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      throw keptAside(this.#file, error.message);
    }
  }
}

function keptAside(file: string, reason: string): UserError {
  let aside = `${file}.bad`;
  for (let number = 2; existsSync(aside); number++) aside = `${file}.bad-${number}`;
  renameSync(file, aside);
  return new UserError(
    "unverified",
    `cannot read ${file}: ${reason}; it is kept as ${aside}, and nobody's keys are known now`,
    {
      hint: `restore ${file} from a backup; without it everybody is met anew, so compare safety numbers`,
    },
  );
}

function formatBook(book: Book): object {
  const servers = [...book].map(([server, people]) => [server, formatPeople(people)]);
  return { version: VERSION, servers: Object.fromEntries(servers) as object };
}

function formatPeople(people: ReadonlyMap<string, Person>): object {
  return Object.fromEntries([...people].map(([name, person]) => [name, formatPerson(person)])) as object;
}

function formatPerson({ nick, blocked, trust, devices, deviceList }: Person): object {
  return { nick, blocked, trust, devices: devices.map(formatPin), deviceList: toHex(deviceList) };
}

function formatPin({ id, key, signKey, state }: Pin): object {
  return { id: toHex(id), key: toHex(key), signKey: toHex(signKey), state };
}

function parseBook(file: string, bytes: Uint8Array): Book {
  const { version, servers } = parseObject(bytes);
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1)
    throw new Damaged("it has no version");
  if (version > VERSION)
    throw new UserError("config", `cannot use ${file}: a newer p2p wrote it (version ${version})`, {
      hint: "use that p2p",
    });
  const book: Book = new Map();
  for (const [server, people] of Object.entries(asObject(servers, "servers"))) book.set(server, parsePeople(people));
  return book;
}

function parsePeople(value: unknown): Map<string, Person> {
  const people = new Map<string, Person>();
  for (const [name, person] of Object.entries(asObject(value, "a server"))) {
    if (problemWithName(name) !== null) throw new Damaged("a name in it is no name");
    people.set(name, parsePerson(name, asObject(person, name)));
  }
  return people;
}

function parsePerson(
  name: string,
  { nick, blocked, trust, devices, deviceList }: Readonly<Record<string, unknown>>,
): Person {
  return {
    name,
    nick: nick === null ? null : asText(nick, `the nick of ${name}`),
    blocked: asFlag(blocked, `blocked of ${name}`),
    trust: trust === null ? null : asOneOf(trust, ["chat", "files"], `trust of ${name}`),
    devices: asList(devices, `devices of ${name}`).map((device) => parsePin(asObject(device, `a device of ${name}`))),
    deviceList: asBytes(deviceList, null, `deviceList of ${name}`),
  };
}

function parsePin({ id, key, signKey, state }: Readonly<Record<string, unknown>>): Pin {
  return {
    id: asBytes(id, 16, "a device id"),
    key: asBytes(key, 32, "a device key"),
    signKey: asBytes(signKey, 32, "a sign key"),
    state: asOneOf(state, ["new", "verified", "changed"], "a state"),
  };
}
