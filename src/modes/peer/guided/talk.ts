import { type ChatFace, chatScreen } from "../chat/chat-screen.ts";
import type { ChatOutcome } from "../chat/room.ts";
import type { Incoming } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { offerLines, offerSum } from "../prompts/offer-lines.ts";
import type { Desk } from "./desk.ts";
import { ChangingFace, deskFace } from "./faces.ts";
import { filePolicy } from "./file-policy.ts";
import { takeFiles } from "./take-files.ts";
import { changedKey } from "./tell-problem.ts";
import { markVerified } from "./verification.ts";
import { watched } from "./watched.ts";

/** Names in an offer take part of a row only. Columns. */
const NAME_COLUMNS = 72;

/** Rings somebody for a chat and talks until one of the two leaves. @throws UserError why they could not be reached */
export async function callPerson(desk: Desk, person: string): Promise<ChatOutcome> {
  const { node, clock, context } = desk;
  const { output, settings, terminal } = context;
  output.status(`ringing ${person}; Esc stops`);
  const ring = (signal: AbortSignal): Promise<PeerSession> =>
    node.ask(person, { purpose: "chat", waitMs: settings.waitMs, signal });
  const session = await watched(terminal, clock, desk.signal, ring).finally(() => output.status(""));
  return talk(desk, session);
}

/** The chat of a session that stands. Whoever is accepted once needs no question the next time. */
export async function talk(desk: Desk, session: PeerSession): Promise<ChatOutcome> {
  const { context, node, doorbell, ownKey } = desk;
  if (node.people.find(session.peer).trust === null) await node.people.trust(session.peer, "chat");
  const company = new Company(desk, session);
  const outcome = await chatScreen(session, {
    ...desk,
    me: node.name,
    terminal: context.terminal,
    files: filePolicy(desk, session.peer),
    markVerified: () => markVerified(node.people, session, ownKey),
    onOpen: (face) => company.join(face),
  });
  doorbell.listen(null);
  await company.leave();
  return outcome;
}

/** Others who ring while a chat is open: their files are asked about in it, another chat waits until this one is left. */
class Company {
  readonly #desk: Desk;
  readonly #session: PeerSession;
  readonly #faces: ChangingFace;
  readonly #taking = new Set<Promise<void>>();
  readonly #calledOff = new AbortController();

  constructor(desk: Desk, session: PeerSession) {
    this.#desk = desk;
    this.#session = session;
    this.#faces = new ChangingFace(deskFace(desk));
  }

  join(face: ChatFace): void {
    this.#faces.change(face);
    const warned = (name: string): void => face.note(changedKey(name).message);
    this.#desk.doorbell.listen({ rung: (incoming) => this.#rung(face, incoming), warned });
  }

  /** What came meanwhile and is not through yet goes on in front of the person. */
  async leave(): Promise<void> {
    const { clock, context, signal } = this.#desk;
    this.#faces.change(deskFace(this.#desk));
    if (this.#taking.size === 0) return;
    await watched(context.terminal, clock, signal, async (called) => {
      called.addEventListener("abort", () => this.#calledOff.abort(called.reason), { once: true });
      await Promise.all(this.#taking);
    });
  }

  #rung(face: ChatFace, incoming: Incoming): void {
    const { from, purpose } = incoming;
    if (purpose === "files") return this.#take(incoming);
    // It is them, from another program or after a break: the chat goes on there.
    if (from === this.#session.peer) return face.moveOn();
    face.note(`${from} wants to chat; leave this chat to answer`);
  }

  #take(incoming: Incoming): void {
    this.#desk.doorbell.claim(incoming);
    const taking = takeFiles(this.#desk, incoming, {
      face: this.#faces,
      ask: () => this.#ask(incoming),
      run: (receive) => receive(AbortSignal.any([this.#desk.signal, this.#calledOff.signal])),
    });
    this.#taking.add(taking);
    void taking.then(() => this.#taking.delete(taking));
  }

  #ask({ from, offer, withdrawn }: Incoming): Promise<boolean | null> {
    const { count, bytes, first } = offer ?? { count: 0, bytes: 0, first: [] };
    const shown = { count, bytes, files: first };
    this.#faces.note(`${from} offers ${offerSum(shown)}`);
    for (const line of offerLines(shown, NAME_COLUMNS)) this.#faces.note(`  ${line}`);
    const over = new AbortController();
    void withdrawn.then(() => over.abort());
    const prompt = `save ${offerSum(shown)} of ${from} in ${this.#desk.folder.path}?`;
    return this.#faces.ask({ prompt, fallback: true }, over.signal);
  }
}
