import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./sources.ts";

/** What a compose file says of one container. */
export interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** `SOURCE:TARGET[:ro]` */
  readonly volumes?: readonly string[];
}

/** What stands for another text when a container is run by hand: longer ones first. */
export type Stands = ReadonlyMap<string, string>;

/** A compose file, whose services can be started by hand on other ports and in other folders. */
export class ComposeFile {
  readonly #services: Readonly<Record<string, ComposeService>>;

  /** @param path inside the repository */
  constructor(path: string) {
    const { services } = Bun.YAML.parse(readFileSync(join(root, path), "utf8")) as {
      readonly services: Readonly<Record<string, ComposeService>>;
    };
    this.#services = services;
  }

  service(name: string): ComposeService {
    const service = this.#services[name];
    if (service === undefined) throw new RangeError(`there is no service ${name}`);
    return service;
  }

  command(name: string, stands: Stands, folderOf: (volume: string) => string): readonly string[] {
    const { command = [], volumes = [] } = this.service(name);
    const mounts = volumes.map((mount) => mount.split(":"));
    return command.map((word) => {
      const mount = mounts.find(([, target = ""]) => word.startsWith(`${target}/`));
      const [source = "", target = ""] = mount ?? [];
      return mount === undefined ? replaced(word, stands) : join(folderOf(source), word.slice(target.length));
    });
  }

  environment(name: string, stands: Stands): Record<string, string> {
    const entries = Object.entries(this.service(name).environment ?? {});
    return Object.fromEntries(entries.map(([key, value]) => [key, replaced(value, stands)]));
  }
}

export function replaced(text: string, stands: Stands): string {
  let result = text;
  for (const [from, to] of stands) result = result.replaceAll(from, to);
  return result;
}
