/**
 * Primary drawing orders as data ([MS-RDPEGDI] 2.2.2.2.1.1.2.x): the fields of those that are announced, in wire order,
 * under the specification's names.
 */

/**
 * How a field is written: `coord` is an i16 that may come as an i8 to add, `color` three bytes, lowest first, a number
 * that many bytes, `variable` a length byte and so many bytes.
 */
export type OrderField = 'coord' | 'i16' | 'u8' | 'u16' | 'color' | 'variable' | number;

export interface PrimaryLayout {
  /** Encoding order number: orderType. */
  type: number;
  /** Negotiation order number: index in orderSupport of the Order capability set. */
  negotiation: number;
  fields: Readonly<Record<string, OrderField>>;
}

const destination = { nLeftRect: 'coord', nTopRect: 'coord', nWidth: 'coord', nHeight: 'coord' } as const;
const source = { nXSrc: 'coord', nYSrc: 'coord' } as const;
const colors = { backColor: 'color', foreColor: 'color' } as const;
const brush = { brushOrgX: 'u8', brushOrgY: 'u8', brushStyle: 'u8', brushHatch: 'u8', brushExtra: 7 } as const;

export const primaryLayouts = {
  dstBlt: { type: 0, negotiation: 0, fields: { ...destination, bRop: 'u8' } },
  patBlt: { type: 1, negotiation: 1, fields: { ...destination, bRop: 'u8', ...colors, ...brush } },
  scrBlt: { type: 2, negotiation: 2, fields: { ...destination, bRop: 'u8', ...source } },
  lineTo: {
    type: 9,
    negotiation: 8,
    fields: {
      backMode: 'u16',
      nXStart: 'coord',
      nYStart: 'coord',
      nXEnd: 'coord',
      nYEnd: 'coord',
      backColor: 'color',
      bRop2: 'u8',
      penStyle: 'u8',
      penWidth: 'u8',
      penColor: 'color',
    },
  },
  // announced together with PatBlt
  opaqueRect: {
    type: 10,
    negotiation: 1,
    fields: { ...destination, redOrPaletteIndex: 'u8', green: 'u8', blue: 'u8' },
  },
  memBlt: {
    type: 13,
    negotiation: 3,
    fields: { cacheId: 'u16', ...destination, bRop: 'u8', ...source, cacheIndex: 'u16' },
  },
  mem3Blt: {
    type: 14,
    negotiation: 4,
    fields: { cacheId: 'u16', ...destination, bRop: 'u8', ...source, ...colors, ...brush, cacheIndex: 'u16' },
  },
  glyphIndex: {
    type: 27,
    negotiation: 27,
    fields: {
      cacheId: 'u8',
      flAccel: 'u8',
      ulCharInc: 'u8',
      fOpRedundant: 'u8',
      ...colors,
      bkLeft: 'i16',
      bkTop: 'i16',
      bkRight: 'i16',
      bkBottom: 'i16',
      opLeft: 'i16',
      opTop: 'i16',
      opRight: 'i16',
      opBottom: 'i16',
      ...brush,
      x: 'i16',
      y: 'i16',
      variableBytes: 'variable',
    },
  },
} as const satisfies Record<string, PrimaryLayout>;

type Layouts = typeof primaryLayouts;
type ValueOf<F> = F extends number | 'variable' ? Uint8Array : number;

export type PrimaryKind = keyof Layouts;

/** The fields of one order. */
export type PrimaryFields<K extends PrimaryKind> = {
  -readonly [F in keyof Layouts[K]['fields']]: ValueOf<Layouts[K]['fields'][F]>;
};

/** Fields that several orders have in common. */
export type DestinationFields = Pick<PrimaryFields<'dstBlt'>, keyof typeof destination>;
export type BrushFields = Pick<PrimaryFields<'patBlt'>, keyof typeof brush | keyof typeof colors>;

export const primaryKinds = Object.keys(primaryLayouts) as PrimaryKind[];

const kindOfType = new Map(primaryKinds.map((kind) => [primaryLayouts[kind].type as number, kind]));
const fieldsOf = new Map(primaryKinds.map((kind) => [kind, Object.entries<OrderField>(primaryLayouts[kind].fields)]));

/** The order with this orderType, or undefined where it is none of these. */
export function primaryKindOf(type: number): PrimaryKind | undefined {
  return kindOfType.get(type);
}

/** Names and encodings of an order's fields, in wire order. */
export function primaryFields(kind: PrimaryKind): readonly [name: string, field: OrderField][] {
  return fieldsOf.get(kind)!;
}

/** Bytes that say which fields are present: the first field is bit 0 of the first, one bit is spare. */
export function fieldFlagBytes(kind: PrimaryKind): number {
  return Math.ceil((primaryFields(kind).length + 1) / 8);
}

/** An order whose fields are all zero and empty: what a connection begins with. */
export function zeroFields<K extends PrimaryKind>(kind: K): PrimaryFields<K> {
  const zeroOf = (field: OrderField) =>
    typeof field === 'number' ? new Uint8Array(field) : field === 'variable' ? new Uint8Array(0) : 0;
  return Object.fromEntries(primaryFields(kind).map(([name, field]) => [name, zeroOf(field)])) as PrimaryFields<K>;
}
