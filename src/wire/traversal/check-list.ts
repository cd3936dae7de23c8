import { familyOf, sameAddress, type UdpAddress } from "../address.ts";
import { MAX_ANNOUNCED, type Candidate } from "./candidate.ts";
import { CheckPair } from "./check-pair.ts";
import { permitFor, type OwnNetwork, type Permit } from "./permit.ts";

export interface LocalSocket {
  readonly socket: number;
  readonly family: 4 | 6;
}

/** The newest that the server told of one peer. */
const MAX_ATTESTED = 16;

/** All pairs of our sockets and the other end's addresses that may be checked, best first. */
export class CheckList {
  #own: OwnNetwork;
  readonly #sockets: LocalSocket[] = [];
  #attested: readonly UdpAddress[] = [];
  /** In order of arrival. */
  #candidates: Candidate[] = [];
  #pairs: CheckPair[] = [];

  constructor(own: OwnNetwork) {
    this.#own = own;
  }

  /** By rank, and in order of arrival within one. */
  get pairs(): readonly CheckPair[] {
    return this.#pairs;
  }

  find(socket: number, remote: UdpAddress): CheckPair | undefined {
    return this.#pairs.find((pair) => pair.socket === socket && sameAddress(pair.remote, remote));
  }

  /** @returns the pairs that are new */
  addSocket(local: LocalSocket): readonly CheckPair[] {
    if (this.hasSocket(local.socket)) return [];
    this.#sockets.push(local);
    return this.#pairUp();
  }

  hasSocket(socket: number): boolean {
    return this.#sockets.some((local) => local.socket === socket);
  }

  /** For a socket that is of use towards this one address alone. @returns null when it must not be checked, or there is no room for it */
  addAlone(socket: number, candidate: Candidate): CheckPair | null {
    const permit = this.#permit(candidate);
    if (permit === null || !this.#makeRoomAlone()) return null;
    const pair = new CheckPair(socket, candidate.address, candidate.type, permit);
    this.#insert([pair]);
    return pair;
  }

  /** The socket is closed. */
  removeSocket(socket: number): void {
    this.#pairs = this.#pairs.filter((pair) => pair.socket !== socket);
  }

  isAttested(ip: string): boolean {
    return this.#attested.some((address) => address.ip === ip);
  }

  /** @returns the pairs that are new: none when it is known, must not be checked, or there is no room for it */
  addCandidate(candidate: Candidate): readonly CheckPair[] {
    const isKnown = this.#candidates.some(({ address }) => sameAddress(address, candidate.address));
    if (isKnown || this.#permit(candidate) === null || !this.#makeRoom(candidate.address)) return [];
    this.#candidates.push(candidate);
    return this.#pairUp();
  }

  /** @returns the pairs that are new, or that may be checked more often now */
  attest(addresses: readonly UdpAddress[]): readonly CheckPair[] {
    const fresh = addresses.filter((address) => !this.#attested.some((each) => sameAddress(each, address)));
    this.#attested = [...this.#attested, ...fresh].slice(-MAX_ATTESTED);
    return [
      ...this.#judgeAnew(),
      ...fresh.flatMap((address) => this.addCandidate({ type: "server-reflexive", address })),
    ];
  }

  /** @returns the pairs that are new, or that may be checked more often now */
  setOwn(own: OwnNetwork): readonly CheckPair[] {
    this.#own = own;
    return this.#judgeAnew();
  }

  #permit(candidate: Candidate): Permit | null {
    return permitFor(candidate, this.#own, this.#attested);
  }

  #pairUp(): readonly CheckPair[] {
    const fresh = this.#sockets.flatMap(({ socket, family }) =>
      this.#candidates.flatMap((candidate) => {
        const { type, address } = candidate;
        if (familyOf(address.ip) !== family || this.find(socket, address) !== undefined) return [];
        const permit = this.#permit(candidate);
        return permit === null ? [] : [new CheckPair(socket, address, type, permit)];
      }),
    );
    this.#insert(fresh);
    return fresh;
  }

  #insert(fresh: readonly CheckPair[]): void {
    this.#pairs = [...this.#pairs, ...fresh].toSorted((a, b) => a.permit.rank - b.permit.rank);
  }

  /** Drops the pairs that must not be checked any more. */
  #judgeAnew(): readonly CheckPair[] {
    const raised: CheckPair[] = [];
    this.#pairs = this.#pairs.filter((pair) => {
      const permit = this.#permit({ type: pair.type, address: pair.remote });
      if (permit === null) return false;
      if (permit.maxChecks > pair.permit.maxChecks) raised.push(pair);
      pair.permit = permit;
      return true;
    });
    return [...raised, ...this.#pairUp()];
  }

  /** Where there is none, the oldest address goes that has come to nothing. Attested ones have places of their own. */
  #makeRoom(address: UdpAddress): boolean {
    const isAttested = this.#attested.some((each) => sameAddress(each, address));
    if (this.#candidates.length < (isAttested ? MAX_ANNOUNCED + MAX_ATTESTED : MAX_ANNOUNCED)) return true;
    const index = this.#candidates.findIndex((candidate) => this.#isWorthless(candidate));
    const [worthless] = index < 0 ? [] : this.#candidates.splice(index, 1);
    if (worthless !== undefined)
      this.#pairs = this.#pairs.filter(({ remote }) => !sameAddress(remote, worthless.address));
    return worthless !== undefined;
  }

  /** Whoever has one packet of the other end's for each of its ports must not fill our memory. */
  #makeRoomAlone(): boolean {
    const alone = this.#pairs.filter(({ socket }) => !this.hasSocket(socket));
    if (alone.length < MAX_ANNOUNCED) return true;
    const worthless = alone.find((pair) => pair.isIdle && !pair.hasAnswered);
    this.#pairs = this.#pairs.filter((pair) => pair !== worthless);
    return worthless !== undefined;
  }

  #isWorthless({ address }: Candidate): boolean {
    return this.#pairs.every((pair) => !sameAddress(pair.remote, address) || (pair.isIdle && !pair.hasAnswered));
  }
}
