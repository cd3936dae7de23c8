import type * as Zlib from "node:zlib";
import type { Zstd } from "../../wire/messages/packed.ts";

/** A frame may ask for a window of 2^16 bytes, as much as the longest message has; the library would give 2^27. */
const MAX_WINDOW_LOG = 16;

let loaded: typeof Zlib | null = null;

/** Of the platform; takes up some MB, so it is there when the first message needs it. */
function zlib(): typeof Zlib {
  return (loaded ??= process.getBuiltinModule("node:zlib"));
}

export const zstd: Zstd = {
  compress(bytes) {
    return plain(zlib().zstdCompressSync(bytes));
  },

  // Bun.zstdDecompressSync() knows no bound. What is cut short ends without an error, hence the look at the length.
  decompress(frame, bytes) {
    const { constants, zstdDecompressSync } = zlib();
    const params = { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG };
    try {
      const out = zstdDecompressSync(frame, { maxOutputLength: bytes, params });
      return out.length === bytes ? plain(out) : null;
    } catch {
      return null;
    }
  },
};

function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
