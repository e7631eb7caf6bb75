/** controlFlags, the first byte of every drawing order ([MS-RDPEGDI] 2.2.2.2.1 and 2.2.2.2.1.1.2). */
export const ControlFlag = {
  standard: 0x01,
  secondary: 0x02,
  /** Of primary orders: */
  bounds: 0x04,
  typeChange: 0x08,
  deltaCoordinates: 0x10,
  zeroBoundsDeltas: 0x20,
  zeroFieldByteBit0: 0x40,
  zeroFieldByteBit1: 0x80,
} as const;
