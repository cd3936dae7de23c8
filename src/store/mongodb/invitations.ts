import { requireBytes, requireInteger, requireTime } from "../checks.ts";
import type { Invitation, Invitations, InvitationState } from "../invitations.ts";
import { ID_BYTES, KEY_BYTES, MAX_INVITATION_USES } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { binary, bytesIn, clearingAfter, type InvitationDocument } from "./documents.ts";

export class MongoInvitations implements Invitations {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get #invitations(): Collections["invitations"] {
    return this.#connection.collections.invitations;
  }

  get #accounts(): Collections["accounts"] {
    return this.#connection.collections.accounts;
  }

  async create({ inviteId, uses, createdAtMs, expiresAtMs, createdBy }: Invitation): Promise<void> {
    const document: InvitationDocument = {
      _id: binary(requireBytes("invitation", inviteId, KEY_BYTES)),
      uses: requireInteger("uses", uses, 1, MAX_INVITATION_USES),
      createdAtMs: requireTime("creation time", createdAtMs),
      expiresAtMs: requireTime("expiry", expiresAtMs),
      clearAt: clearingAfter(expiresAtMs, 1),
      createdBy: createdBy === null ? null : binary(requireBytes("user id", createdBy, ID_BYTES)),
    };
    const work = (call: CallOptions) => this.#invitations.insertOne(document, call);
    await perform(this.#connection, "create the invitation", work);
  }

  async find(inviteId: Uint8Array, nowMs: number): Promise<InvitationState | null> {
    const _id = binary(requireBytes("invitation", inviteId, KEY_BYTES));
    requireTime("now", nowMs);
    return perform(this.#connection, "find the invitation", async (call) => {
      const found = await this.#invitations.findOne({ _id, expiresAtMs: { $gt: nowMs } }, call);
      return found === null ? null : this.#counted(found, call);
    });
  }

  async list(nowMs: number): Promise<readonly InvitationState[]> {
    requireTime("now", nowMs);
    const options = { sort: { createdAtMs: 1, _id: 1 } } as const;
    return perform(this.#connection, "list invitations", async (call) => {
      const found = await this.#invitations.find({ expiresAtMs: { $gt: nowMs } }, { ...call, ...options }).toArray();
      return Promise.all(found.map((document) => this.#counted(document, call)));
    });
  }

  async #counted(document: InvitationDocument, call: CallOptions): Promise<InvitationState> {
    const { _id, uses, createdAtMs, expiresAtMs, createdBy } = document;
    const spent = await this.#accounts.countDocuments({ inviteId: _id }, call);
    const maker = createdBy === null ? null : bytesIn(createdBy);
    return { inviteId: bytesIn(_id), uses, createdAtMs, expiresAtMs, createdBy: maker, spent };
  }
}
