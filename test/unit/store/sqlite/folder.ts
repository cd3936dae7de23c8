import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own for one test, gone afterwards. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "p2p-store-"));
  readonly file = join(this.path, "accounts.db");

  names(): readonly string[] {
    return readdirSync(this.path).sort();
  }

  /** `0600`, as `chmod` takes it. */
  mode(name: string): string {
    return `0${(statSync(join(this.path, name)).mode & 0o777).toString(8)}`;
  }

  bytes(): Uint8Array {
    return new Uint8Array(readFileSync(this.file));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
