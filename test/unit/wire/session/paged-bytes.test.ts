import { expect, test } from "bun:test";
import fc from "fast-check";
import { PagedBytes } from "../../../../src/wire/session/paged-bytes.ts";

test("PagedBytes gives back what was written, across pages and out of order", () => {
  const piece = fc.record({ offset: fc.nat(300_000), length: fc.nat(90_000), value: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const [paged, flat] = [new PagedBytes({ isShared: false }), new Uint8Array(400_000)];
      for (const { offset, length, value } of pieces) {
        const bytes = new Uint8Array(length).fill(value);
        paged.write(offset, bytes);
        flat.set(bytes, offset);
      }
      const out = new Uint8Array(400_000);
      paged.copyTo(0, out.length, out, 0);
      expect(Buffer.from(out).equals(flat)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("PagedBytes.view() ends with its page, and stays as it is after releaseBefore()", () => {
  const paged = new PagedBytes({ isShared: true });
  paged.write(65_530, new Uint8Array(20).fill(7));
  const view = paged.view(65_530, 20);
  expect(view).toEqual(new Uint8Array(6).fill(7));
  paged.releaseBefore(65_540);
  expect(view).toEqual(new Uint8Array(6).fill(7));
  expect(paged.view(65_540, 5)).toEqual(new Uint8Array(5).fill(7));
});

test("PagedBytes writes to the memory of released pages again, unless it was shared", () => {
  for (const isShared of [false, true]) {
    const paged = new PagedBytes({ isShared });
    paged.write(0, new Uint8Array(65_536).fill(7));
    const view = paged.view(0, 65_536);
    paged.releaseBefore(65_536);
    paged.write(65_536, new Uint8Array(65_536).fill(8));
    expect(view[0]).toBe(isShared ? 7 : 8);
  }
});
