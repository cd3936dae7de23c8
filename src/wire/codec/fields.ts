import type { Value } from "./msgpack.ts";
import type { Field } from "./schema.ts";

function unsigned(bits: string, max: number): Field<number> {
  const fits = (value: Value): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
  return plainField(`an unsigned ${bits}-bit number`, fits);
}

export const u8 = unsigned("8", 0xff);
export const u16 = unsigned("16", 0xffff);
export const u32 = unsigned("32", 0xffff_ffff);
/** As far as a double counts exactly. */
export const u53 = unsigned("53", Number.MAX_SAFE_INTEGER);

export const bool: Field<boolean> = plainField("true or false", (value) => typeof value === "boolean");

/** UTF-8 of at most `maxBytes` bytes without lone surrogates. */
export function text(maxBytes: number): Field<string> {
  const fits = (value: Value): value is string =>
    typeof value === "string" && value.isWellFormed() && Buffer.byteLength(value) <= maxBytes;
  return plainField(`text of at most ${maxBytes} bytes`, fits);
}

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Field<Word> {
  return plainField(`one of ${words.join(", ")}`, (value): value is Word => words.some((word) => word === value));
}

/** Exactly `length` bytes. */
export function bytes(length: number): Field<Uint8Array> {
  return binary(`${length} bytes`, (value) => value.length === length);
}

/** At most `length` bytes. */
export function upTo(length: number): Field<Uint8Array> {
  return binary(`at most ${length} bytes`, (value) => value.length <= length);
}

/** Nil stands for null. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    shape: `${field.shape}, or nothing`,
    maxCount: field.maxCount,
    encode: (value) => (value === null ? null : field.encode(value)),
    accepts: (value) => value === null || field.accepts(value),
    decode: (value) => (value === null ? null : field.decode(value)),
  };
}

/** At most `max` elements of one shape. */
export function list<T>(element: Field<T>, max: number): Field<readonly T[]> {
  return {
    shape: `a list of at most ${max}, each ${element.shape}`,
    maxCount: Math.max(max, element.maxCount),
    encode: (values) => values.map((value) => element.encode(value)),
    accepts: (value) => isArray(value) && value.length <= max && value.every((each) => element.accepts(each)),
    decode(value) {
      if (!isArray(value) || value.length > max) return undefined;
      return everyDecoded(value, (each) => element.decode(each));
    },
  };
}

type RecordOf<M extends Readonly<Record<string, Field<unknown>>>> = {
  readonly [Name in keyof M]: M[Name] extends Field<infer T> ? T : never;
};

/** A group of named fields: an array on the wire, in the order written here; fields behind the known ones are ignored. */
export function record<M extends Readonly<Record<string, Field<unknown>>>>(fields: M): Field<RecordOf<M>> {
  const entries = Object.entries(fields);
  return {
    shape: `[${entries.map(([name]) => name).join(", ")}]`,
    maxCount: Math.max(entries.length + 8, ...entries.map(([, field]) => field.maxCount)),
    encode: (values) => entries.map(([name, field]) => field.encode(values[name])),
    accepts: (value) =>
      isArray(value) &&
      value.length >= entries.length &&
      entries.every(([, field], at) => field.accepts(value[at] ?? null)),
    decode(value) {
      if (!isArray(value) || value.length < entries.length) return undefined;
      const decoded = everyDecoded(entries, ([, field], index) => field.decode(value[index] ?? null));
      return decoded && (Object.fromEntries(entries.map(([name], index) => [name, decoded[index]])) as RecordOf<M>);
    },
  };
}

function binary(shape: string, fits: (value: Uint8Array) => boolean): Field<Uint8Array> {
  const accepts = (value: Value): value is Uint8Array => value instanceof Uint8Array && fits(value);
  return { ...plainField(shape, accepts), decode: (value) => (accepts(value) ? plain(value) : undefined) };
}

/** One that is on the wire as it is here. */
function plainField<T extends Value>(shape: string, accepts: (value: Value) => value is T): Field<T> {
  return {
    shape,
    maxCount: 0,
    encode: (value) => value,
    accepts,
    decode: (value) => (accepts(value) ? value : undefined),
  };
}

/** The library hands out parts of the message, which would hold all of it in memory. */
function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value);
}

function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function everyDecoded<From, To>(
  values: readonly From[],
  decode: (value: From, index: number) => To | undefined,
): readonly To[] | undefined {
  const decoded: To[] = [];
  for (const [index, value] of values.entries()) {
    const each = decode(value, index);
    if (each === undefined) return undefined;
    decoded.push(each);
  }
  return decoded;
}
