import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Community } from "../support/community.ts";
import { hasTerminal, Terminal } from "../support/terminal.ts";

test("of two programs of one person one gets the message, and the other has no error to tell", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using one = await ben.receiving();
  await using two = await ben.receiving();
  for (const text of ["first", "second", "third"]) expect((await ana.run("msg", "ben", text)).exitCode).toBe(0);
  const ends = [];
  for (const receiver of [one, two]) {
    receiver.signal("SIGTERM");
    ends.push(await receiver.finished());
  }
  const events = ends.flatMap((end) => end.events);
  const texts = events.flatMap((event) => (event.event === "message" ? [event.text] : []));
  expect(texts.sort()).toEqual(["first", "second", "third"]);
  const errors = events.flatMap((event) => (event.event === "error" ? [event.code] : []));
  expect(errors).toEqual(["terminated", "terminated"]);
});

test("what fails for one person says which, and why", async () => {
  await using town = await Community.found();
  const ana = await town.register("ana");
  const file = join(town.folder, "note.txt");
  await writeFile(file, "a note");
  const last = async (...args: string[]) => (await ana.run(...args)).events.at(-1);
  expect(await last("send", file, "@nemo")).toMatchObject({
    code: "no-such-person",
    exit: 4,
    message: "cannot reach nemo: nobody here has this name",
  });
  const several = await ana.run("send", file, "@nemo", "@nobody-else");
  expect(several.stderr).toContain("nothing was sent to nobody-else");
  expect(await last("contacts", "block", "ana")).toMatchObject({
    code: "usage",
    message: "cannot block ana: that is you",
  });
  expect(await last("verify", "@me")).toMatchObject({ hint: "talk to it once: `p2p msg @me hello`" });
});

test("users and contacts say so when there is nobody, and block tells who is online", async () => {
  await using town = await Community.found();
  const ana = await town.register("ana");
  expect((await ana.run("users")).stderr).toContain("nobody else has an account here yet");
  expect((await ana.run("contacts")).stderr).toContain("you have met nobody yet");
  const ben = await town.register("ben");
  await using receiver = await ben.receiving();
  expect((await ana.run("contacts", "block", "ben")).events.at(-1)).toMatchObject({
    name: "ben",
    online: true,
    blocked: true,
  });
  receiver.signal("SIGTERM");
});

test("receive --no says whom it declined", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using receiver = await ben.receiving("--no");
  expect((await ana.run("msg", "ben", "hi")).events.at(-1)).toMatchObject({
    code: "declined",
    exit: 6,
    message: "cannot reach ben: they declined",
    hint: "ask them by other means first",
  });
  await receiver.waitForText(/declined ana, as --no says/);
});

test("passwd says that the old password is wrong", async () => {
  await using town = await Community.found();
  const ana = await town.register("ana");
  const [old, fresh] = [join(town.folder, "old"), join(town.folder, "new")];
  await writeFile(old, "not the one of ana\n");
  await writeFile(fresh, "a new one for ana\n");
  const { exitCode, events } = await ana.run("passwd", "--password-file", old, "--new-password-file", fresh);
  expect(exitCode).toBe(3);
  expect(events.at(-1)).toMatchObject({ message: "cannot change the password of ana: the old one is wrong" });
});

test.skipIf(!hasTerminal)("receive says who gave up while its question stood", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using receiver = await Terminal.start(["receive", "--home", ben.home, "--out", ben.inbox]);
  await receiver.waitFor("waiting");
  const { exitCode, events } = await ana.run("send", ana.passwordFile, "@ben", "--wait", "2");
  expect(exitCode).toBe(5);
  expect(events.at(-1)).toMatchObject({ code: "no-answer" });
  await receiver.waitFor("ana has given up");
  await receiver.press("C-c");
  expect(await receiver.exited()).toBe(130);
});
