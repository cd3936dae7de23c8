import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeInvitation, makeReset } from "../../../../src/modes/server/invites.ts";
import type { Message } from "../../../../src/modes/server/members.ts";
import { sha256 } from "../../../../src/wire/noise/primitives.ts";
import { House } from "./house.ts";

const PASSWORD = "correct horse battery";
let house: House;
let invite: Uint8Array;

beforeAll(async () => {
  house = await House.open();
  invite = await makeInvitation(house.options.store, { uses: 100, days: 7 }, house.clock.unixMs(), house.random);
  await desk().register(applicant(), registration({ name: "known" }));
});
afterAll(() => house[Symbol.asyncDispose]());

const desk = () => house.services.accounts;
const applicant = (ip = "192.0.2.1") => ({ deviceKey: house.random(32), ip });

function enrolment(changes: Partial<Message<"enrol">> = {}): Message<"enrol"> {
  const fields = { name: "known", password: PASSWORD, label: "laptop", signKey: house.random(32) };
  return { kind: "enrol", request: 1, ...fields, deviceList: new Uint8Array(), ...changes };
}

function registration(changes: Partial<Message<"register">> = {}): Message<"register"> {
  return { ...enrolment(), kind: "register", invite, ...changes };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
}

test("register() makes an account with one device, which signs in by its key alone", async () => {
  const ana = applicant();
  const identity = await desk().register(ana, registration({ name: "Ana" }));
  expect(identity).toMatchObject({ name: "ana", deviceKey: ana.deviceKey });
  expect(await desk().signIn(ana)).toEqual(identity);
  expect(await codeOf(desk().signIn(applicant()))).toBe("not-signed-in");
});

test.each([
  ["ADMIN", "bad-name"],
  ["admin", "bad-name"],
  ["\u0430dmin", "bad-name"],
  ["\uff41dmin", "bad-name"],
  ["admin\u200b", "bad-name"],
  ["ad\u00admin", "bad-name"],
  ["..", "bad-name"],
  ["a..b", "bad-name"],
  ["-xyz", "bad-name"],
  ["a/b", "bad-name"],
  ["ab", "bad-name"],
  ["a".repeat(33), "bad-name"],
  ["😀😀😀", "bad-name"],
  ["\u200fana", "bad-name"],
  ["KNOWN", "name-taken"],
])("bad input 66: register() of %j says %s", async (name, code) => {
  expect(await codeOf(desk().register(applicant(), registration({ name })))).toBe(code);
});

test("bad input 68: without a good invitation nobody registers, whatever is wrong with it, and guessing is capped", async () => {
  const { store } = house.options;
  const old = house.random(16);
  const nowMs = house.clock.unixMs();
  await store.invitations.create({
    inviteId: sha256(old),
    uses: 1,
    createdAtMs: 0,
    expiresAtMs: nowMs - 1,
    createdBy: null,
  });
  const single = await makeInvitation(store, { uses: 1, days: 1 }, nowMs, house.random);
  await desk().register(applicant(), registration({ name: "single", invite: single }));
  const guesses = [null, old, single, house.random(16)];
  const answers = guesses.map((guess, at) =>
    desk()
      .register(applicant("198.51.100.9"), registration({ name: `guest${at}`, invite: guess }))
      .catch((error: unknown) => error),
  );
  const messages = (await Promise.all(answers)).map((error) => (error instanceof Error ? error.message : ""));
  expect(new Set(messages).size).toBe(1);
  const codes: string[] = [];
  for (let guess = 0; guess < 30; guess++)
    codes.push(
      await codeOf(
        desk().register(applicant("198.51.100.9"), registration({ name: "guest", invite: house.random(16) })),
      ),
    );
  expect(codes.filter((code) => code === "bad-invite").length).toBe(16);
  expect(codes.at(-1)).toBe("limited");
  expect(await codeOf(desk().register(applicant("203.0.113.4"), registration({ name: "guest", invite: null })))).toBe(
    "bad-invite",
  );
});

test("bad input 69: open registration takes 100 an hour from one address", async () => {
  await using open = await House.open({ openRegistration: true });
  await open.enrol("taken");
  const register = (ip: string) =>
    codeOf(
      open.services.accounts.register(
        { deviceKey: open.random(32), ip },
        registration({ name: "taken", invite: null }),
      ),
    );
  const codes: string[] = [];
  for (let at = 0; at < 101; at++) codes.push(await register("192.0.2.1"));
  expect([codes.lastIndexOf("name-taken"), codes.at(-1)]).toEqual([99, "limited"]);
  expect(await register("192.0.2.2")).toBe("name-taken");
});

test("bad input 69: open registration from one address is capped over all nodes together", async () => {
  await using here = await House.open({ openRegistration: true, limits: { "limit-registrations": 4 } });
  await here.enrol("taken");
  const there = await House.open(here.options);
  const codes: string[] = [];
  for (let at = 0; at < 6; at++) {
    const { accounts } = (at % 2 === 0 ? here : there).services;
    const message = registration({ name: "taken", invite: null });
    codes.push(await codeOf(accounts.register({ deviceKey: here.random(32), ip: "192.0.2.1" }, message)));
  }
  expect(codes).toEqual([...Array.from({ length: 4 }, () => "name-taken"), "limited", "limited"]);
});

test("bad input 72: a device key has one account; none is zero or the server's", async () => {
  const ana = applicant();
  await desk().register(ana, registration({ name: "first.owner" }));
  expect(await codeOf(desk().register(ana, registration({ name: "second.owner" })))).toBe("already-registered");
  expect(await codeOf(desk().enrol(ana, enrolment()))).toBe("already-registered");
  expect(await house.options.store.accounts.find("second.owner")).toBeNull();
  const zero = { deviceKey: new Uint8Array(32), ip: "192.0.2.1" };
  expect(await codeOf(desk().register(zero, registration({ name: "nobody" })))).toBe("bad-message");
  const server = { deviceKey: house.serverKey, ip: "192.0.2.1" };
  expect(await codeOf(desk().register(server, registration({ name: "nobody" })))).toBe("bad-message");
  expect(await codeOf(desk().enrol(applicant(), enrolment({ signKey: new Uint8Array(32) })))).toBe("bad-message");
});

test("bad input 60: an unknown name and a wrong password have one answer", async () => {
  const answers = [enrolment({ name: "unknown" }), enrolment({ password: "wrong horse battery" })].map((message) =>
    desk()
      .enrol(applicant("203.0.113.60"), message)
      .catch((error: unknown) => error),
  );
  const [unknown, wrong] = await Promise.all(answers);
  expect(unknown).toMatchObject({ code: "wrong-password", retryMs: 0 });
  expect(unknown).toEqual(wrong as Error);
});

test("bad input 61: an owner on a known device signs in while strangers guess", async () => {
  const owner = applicant("203.0.113.61");
  await desk().enrol(owner, enrolment());
  for (let guess = 0; guess < 6; guess++)
    await codeOf(desk().enrol(applicant(`198.18.${guess}.1`), enrolment({ password: "wrong horse battery" })));
  expect(await codeOf(desk().enrol(applicant("198.18.99.1"), enrolment()))).toBe("limited");
  expect(await codeOf(desk().enrol(owner, enrolment({ password: "wrong horse battery" })))).toBe("wrong-password");
});

test("bad input 64: a name and password typed another way are the same", async () => {
  const password = "caf\u00e9 au lait, svp";
  await desk().register(applicant(), registration({ name: "rene", password }));
  expect((await desk().enrol(applicant(), enrolment({ name: "ReNe", password: password.normalize("NFD") }))).name).toBe(
    "rene",
  );
});

test("bad input 65: an account whose hash is damaged fails like a wrong password, and the log tells", async () => {
  const { userId } = await desk().register(applicant(), registration({ name: "damaged" }));
  await house.options.store.accounts.setPasswordHash(userId, "$argon2id$v=19$m=4194304,t=2,p=1$AAAA$AAAA");
  expect(await codeOf(desk().enrol(applicant(), enrolment({ name: "damaged" })))).toBe("wrong-password");
  expect(house.logged.filter((line) => line.includes("password-hash-damaged")).length).toBe(1);
});

test("enrol() makes a hash of today's cost out of an older one", async () => {
  const { userId } = await desk().register(applicant(), registration({ name: "older" }));
  const cheap = await Bun.password.hash(PASSWORD, { algorithm: "argon2id", memoryCost: 4_096, timeCost: 1 });
  await house.options.store.accounts.setPasswordHash(userId, cheap);
  await desk().enrol(applicant(), enrolment({ name: "older" }));
  expect((await house.options.store.accounts.findById(userId))?.passwordHash).toStartWith(
    "$argon2id$v=19$m=19456,t=2,",
  );
});

test("bad input 71: a changed and a reset password revoke the other devices", async () => {
  const [laptop, phone] = [applicant(), applicant()];
  const onLaptop = await desk().register(laptop, registration({ name: "changing" }));
  const onPhone = await desk().enrol(phone, enrolment({ name: "changing" }));
  const { credentials } = desk();
  const change = (password: string, newPassword: string) =>
    credentials.change(laptop, { name: "changing", password }, newPassword, onLaptop.deviceId);
  expect(await codeOf(change("wrong horse battery", "another horse battery"))).toBe("wrong-password");
  expect(await codeOf(change(PASSWORD, "short"))).toBe("weak-password");
  expect(await change(PASSWORD, "another horse battery")).toEqual([onPhone.deviceId]);
  expect(await codeOf(desk().signIn(phone))).toBe("not-signed-in");

  const secret = await makeReset(house.options.store, onLaptop.userId, house.clock.unixMs(), house.random);
  const reset = (name: string, by: Uint8Array) => credentials.reset(applicant(), name, by, "yet another horse");
  expect(await codeOf(reset("changing", house.random(16)))).toBe("wrong-password");
  expect(await codeOf(reset("nobody.here", secret))).toBe("wrong-password");
  expect(await reset("changing", secret)).toEqual([onLaptop.deviceId]);
  expect(await codeOf(reset("changing", secret))).toBe("wrong-password");
  const again = enrolment({ name: "changing", password: "yet another horse" });
  expect((await desk().enrol(applicant(), again)).name).toBe("changing");
});

test("enrol() leaves no device behind when the operator blocks the account meanwhile", async () => {
  const { store } = house.options;
  const { userId } = await desk().register(applicant(), registration({ name: "shut.out" }));
  const late = applicant();
  const enrolling = codeOf(desk().enrol(late, enrolment({ name: "shut.out" })));
  await new Promise(setImmediate); // the password is being hashed
  await store.accounts.setBlocked(userId, true);
  await store.devices.revokeAll(userId, house.clock.unixMs());
  expect(await enrolling).toBe("revoked");
  expect(await store.devices.findByKey(late.deviceKey)).toBeNull();
  expect(await codeOf(desk().enrol(applicant(), enrolment({ name: "shut.out" })))).toBe("wrong-password");
  await store.accounts.setBlocked(userId, false);
  expect((await desk().enrol(applicant(), enrolment({ name: "shut.out" }))).name).toBe("shut.out");
});

test("bad input 73: the seventeenth device of an account is refused", async () => {
  await house.enrol("many");
  for (let device = 1; device < 16; device++) await house.enrol("many");
  const { store } = house.options;
  const account = await store.accounts.find("many");
  await store.accounts.setPasswordHash(
    account?.userId ?? new Uint8Array(16),
    await Bun.password.hash(PASSWORD, { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 }),
  );
  expect(await codeOf(desk().enrol(applicant(), enrolment({ name: "many" })))).toBe("limited");
});
