import { type ScanLimits, scanValue, unpackScanned, type Value } from "../../src/wire/codec/msgpack.ts";
import { WireError } from "../../src/wire/errors.ts";

/** As the tables read a message: looked at first, then built. @throws WireError unless `bytes` are exactly one value within `limits` */
export function unpackValue(bytes: Uint8Array, limits: ScanLimits): Value {
  if (scanValue(bytes, 0, limits) !== bytes.length) throw new WireError("bad-message", "bytes behind the value");
  return unpackScanned(bytes);
}
