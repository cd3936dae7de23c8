import { ChannelClient, ChannelServer } from "../../src/wire/rendezvous/channel.ts";

const EMPTY = new Uint8Array();

/** The peer's end of a channel that seals whatever it is given. */
export class RawChannelClient extends ChannelClient {
  sealBytes(plain: Uint8Array): Uint8Array {
    if (this.ciphers === null) throw new Error("the channel is not open yet");
    return this.ciphers.send.encryptWithAd(EMPTY, plain);
  }
}

/** The server's end of the same kind. */
export class RawChannelServer extends ChannelServer {
  sealBytes(plain: Uint8Array): Uint8Array {
    if (this.ciphers === null) throw new Error("the channel is not open yet");
    return this.ciphers.send.encryptWithAd(EMPTY, plain);
  }
}
