import { expect, test } from "bun:test";
import fc from "fast-check";
import { PagedBytes, PagePool } from "../../../../src/wire/session/paged-bytes.ts";

test("PagedBytes gives back what was written, across pages and out of order", () => {
  const piece = fc.record({ offset: fc.nat(300_000), length: fc.nat(90_000), value: fc.integer({ min: 1, max: 255 }) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const [paged, flat] = [new PagedBytes(new PagePool()), new Uint8Array(400_000)];
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
  const paged = new PagedBytes(null);
  paged.write(65_530, new Uint8Array(20).fill(7));
  const view = paged.view(65_530, 20);
  expect(view).toEqual(new Uint8Array(6).fill(7));
  paged.releaseBefore(65_540);
  expect(view).toEqual(new Uint8Array(6).fill(7));
  expect(paged.view(65_540, 5)).toEqual(new Uint8Array(5).fill(7));
});

test("PagedBytes writes to the memory of released pages again, unless it has no pool", () => {
  for (const pool of [new PagePool(), null]) {
    const paged = new PagedBytes(pool);
    paged.write(0, new Uint8Array(65_536).fill(7));
    const view = paged.view(0, 65_536);
    paged.releaseBefore(65_536);
    paged.write(65_536, new Uint8Array(65_536).fill(8));
    expect(view[0]).toBe(pool === null ? 7 : 8);
  }
});

test("PagePool lends to all who share it, and keeps 4 MiB at most", () => {
  const pool = new PagePool();
  const [one, two] = [new PagedBytes(pool), new PagedBytes(pool)];
  one.write(0, new Uint8Array(100 * 65_536).fill(1));
  const views = Array.from({ length: 100 }, (_, page) => one.view(page * 65_536, 1));
  one.releaseBefore(100 * 65_536);
  two.write(0, new Uint8Array(100 * 65_536).fill(2));
  expect(views.filter(([byte]) => byte === 2)).toHaveLength(64);
});
