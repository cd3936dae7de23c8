import { expect, test } from "bun:test";
import type { PresenceChange } from "../../../../src/store/presence.ts";
import { OnlineView } from "../../../../src/store/redis/online-view.ts";
import { randomBytes } from "../../../contract/samples.ts";

const person = (name: string) => ({ userId: randomBytes(16), name });

async function nextCall(view: OnlineView): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly PresenceChange[]>();
  const stop = view.subscribe(resolve);
  const changes = await promise;
  stop();
  return changes.map(({ name, online }) => `${name} ${online}`);
}

test("OnlineView tells in one call what came together, without who left and came back meanwhile", async () => {
  const view = new OnlineView();
  const [ana, ben, cyd] = [person("ana"), person("ben"), person("cyd")] as const;
  view.set(ana, true);
  view.set(ana, true);
  expect(await nextCall(view)).toEqual(["ana true"]);
  view.set(ana, false);
  view.set(ben, true);
  view.set(ana, true);
  view.set(cyd, false);
  expect(await nextCall(view)).toEqual(["ben true"]);
  view.end();
});

test("OnlineView.replace() tells the differences alone", async () => {
  const view = new OnlineView();
  const [ana, ben, cyd] = [person("ana"), person("ben"), person("cyd")] as const;
  view.replace([ana, ben]);
  expect(await nextCall(view)).toEqual(["ana true", "ben true"]);
  view.replace([ben, cyd]);
  expect(await nextCall(view)).toEqual(["ana false", "cyd true"]);
  view.end();
});
