import { WireError } from "../errors.ts";
import { packValue, scanValue, unpackScanned, type ScanLimits, type Value } from "./msgpack.ts";

/** One position of a message: how a value of `T` stands on the wire, and what is refused there. */
export interface Field<T> {
  /** For messages about a bad value. */
  readonly shape: string;
  /** The longest array that may stand here; 0 for what is no array. */
  readonly maxCount: number;
  encode(value: T): Value;
  /** Whether `decode` would take it; builds nothing. */
  accepts(value: Value): boolean;
  /** @returns undefined when the value does not fit; never throws */
  decode(value: Value): T | undefined;
}

type FieldMap = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
type Fields<M extends FieldMap> = { readonly [Name in keyof M]: ValueOf<M[Name]> };

export interface MessageSpec<M extends FieldMap> {
  readonly number: number;
  readonly fields: M;
}

type Specs = Readonly<Record<string, MessageSpec<FieldMap>>>;

/** The union of the messages of a table, told apart by `kind`. */
export type AnyOf<S extends Specs> = {
  [Kind in keyof S & string]: { readonly kind: Kind } & Fields<S[Kind]["fields"]>;
}[keyof S & string];

export interface Table<Message> {
  readonly name: string;
  readonly kinds: readonly string[];
  encode(message: Message): Uint8Array;
  /** @throws WireError `bad-message`, or `unknown-type` for a kind that is not in the table */
  decode(bytes: Uint8Array): Message;
  /** One message out of a row of them. @returns it and the offset behind it */
  decodeAt(bytes: Uint8Array, at: number): { readonly message: Message; readonly end: number };
}

const MAX_DEPTH = 8;

/** Fields stand on the wire behind `number` in the order written here. Numbers of removed messages are never given again. */
export function message<M extends FieldMap>(number: number, fields: M): MessageSpec<M> {
  return { number, fields };
}

/** A reader ignores fields behind those it knows, so that a newer peer can add one. `maxBytes` bounds an encoded message. */
export function table<S extends Specs>(name: string, specs: S, maxBytes: number): Table<AnyOf<S>> {
  const rows = new Map<number, Row>();
  const byKind = new Map<string, Row>();
  for (const [kind, spec] of Object.entries(specs)) {
    const row = rowOf(kind, spec);
    rows.set(spec.number, row);
    byKind.set(kind, row);
  }
  const decodeAt = (bytes: Uint8Array, at: number) => {
    const { number, count } = peek(bytes, at);
    const row = rows.get(number);
    if (row === undefined) throw new WireError("unknown-type", `${name}: no message has number ${number}`);
    if (count - 1 < row.fields.length) throw new WireError("bad-message", `${name} ${row.kind}: fields are missing`);
    const end = scanValue(bytes, at, row.limits);
    if (end - at > maxBytes) throw new WireError("bad-message", `${name} ${row.kind}: longer than ${maxBytes} bytes`);
    return { message: fromValues(name, row, unpackScanned(bytes.subarray(at, end))) as AnyOf<S>, end };
  };
  return {
    name,
    kinds: Object.keys(specs),
    encode(message) {
      const row = byKind.get(message.kind);
      if (row === undefined) throw new RangeError(`${name}: ${message.kind} is not in the table`);
      return toBytes(name, row, message, maxBytes);
    },
    decode(bytes) {
      const { message, end } = decodeAt(bytes, 0);
      if (end !== bytes.length) throw new WireError("bad-message", `${name}: bytes behind the message`);
      return message;
    },
    decodeAt,
  };
}

interface Row {
  readonly number: number;
  readonly kind: string;
  readonly fields: ReadonlyArray<readonly [string, Field<unknown>]>;
  readonly limits: ScanLimits;
}

/** Room for fields that a newer peer appends. */
const SPARE_FIELDS = 8;

function rowOf(kind: string, spec: MessageSpec<FieldMap>): Row {
  const fields = Object.entries(spec.fields);
  const maxCount = Math.max(fields.length + 1 + SPARE_FIELDS, ...fields.map(([, field]) => field.maxCount));
  return { number: spec.number, kind, fields, limits: { maxDepth: MAX_DEPTH, maxCount } };
}

/** Reads the array head and the message number without unpacking. */
function peek(bytes: Uint8Array, at: number): { number: number; count: number } {
  const head = bytes[at] ?? 0;
  const long = head === 0xdc;
  if (!long && (head & 0xf0) !== 0x90) throw new WireError("bad-message", "not a message: no array");
  const count = long ? ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0) : head & 0x0f;
  const number = bytes[at + (long ? 3 : 1)];
  if (count === 0 || number === undefined || number > 0x7f)
    throw new WireError("bad-message", "not a message: no number");
  return { number, count };
}

function fromValues(name: string, row: Row, value: Value): Readonly<Record<string, unknown>> {
  const values = value as readonly Value[];
  const decoded: Record<string, unknown> = { kind: row.kind };
  let index = 0;
  for (const [field, type] of row.fields) {
    const fieldValue = type.decode(values[++index] ?? null);
    if (fieldValue === undefined)
      throw new WireError("bad-message", `${name} ${row.kind}: ${field} is not ${type.shape}`);
    decoded[field] = fieldValue;
  }
  return decoded;
}

function toBytes(name: string, row: Row, values: Readonly<Record<string, unknown>>, maxBytes: number): Uint8Array {
  const encoded: Value[] = [row.number];
  for (const [field, type] of row.fields) {
    const value = type.encode(values[field]);
    // What the other end would refuse must not leave: the mistake is ours and belongs here, not in its log.
    if (!type.accepts(value)) throw new RangeError(`${name} ${row.kind}: ${field} is not ${type.shape}`);
    encoded.push(value);
  }
  const bytes = packValue(encoded);
  if (bytes.length > maxBytes)
    throw new RangeError(`${name} ${row.kind}: ${bytes.length} bytes are over the limit of ${maxBytes}`);
  return bytes;
}
