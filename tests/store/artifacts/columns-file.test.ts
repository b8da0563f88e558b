import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Columns, decodeColumns, encodeColumns } from '../../../store/artifacts/columns-file.ts';

const all = (): Columns => ({
  spendCents: new Float64Array([1.5, Number.NaN, -0]),
  margin: new Float32Array([0.25, 1]),
  label: new Int32Array([-1, 2 ** 31 - 1]),
  offset: new Uint32Array([0, 2 ** 32 - 1, 7, 8, 9]),
  bytes: new Uint8Array([255]),
  none: new Float64Array(0),
});

const corrupt = (text: string) =>
  expect.objectContaining({
    code: 'ARTIFACT_CORRUPT',
    message: expect.stringContaining(text) as string,
  }) as Error;

test('every type comes back as it was, in its order', () => {
  const decoded = decodeColumns(encodeColumns(all()));
  expect(decoded).toEqual(all());
  expect(Object.keys(decoded)).toEqual(Object.keys(all()));
});

test('the same columns give the same bytes, whatever memory they lie in', () => {
  const wide = new Float64Array([0, 1, 2, 3]);
  const shared = new Float64Array(new SharedArrayBuffer(16));
  shared.set([1, 2]);
  const bytes = encodeColumns({ x: new Float64Array([1, 2]) });
  expect(encodeColumns({ x: wide.subarray(1, 3) })).toEqual(bytes);
  expect(encodeColumns({ x: shared })).toEqual(bytes);
});

test('columns are views of the file where it is aligned, copies where it is not', () => {
  const file = encodeColumns(all());
  expect(file.byteOffset % 8).toBe(0);
  expect(decodeColumns(file).spendCents?.buffer).toBe(file.buffer);
  const shifted = new Uint8Array(file.length + 1).subarray(1);
  shifted.set(file);
  const decoded = decodeColumns(shifted);
  expect(decoded).toEqual(all());
  expect(decoded.spendCents?.buffer).not.toBe(shifted.buffer);
});

test('every column begins at a multiple of 64 bytes', () => {
  const file = encodeColumns(all());
  for (const column of Object.values(decodeColumns(file))) {
    expect((column.byteOffset - file.byteOffset) % 64).toBe(0);
  }
});

test('an array of another type is refused by its name', () => {
  const columns = { codes: new Uint16Array(1) } as unknown as Columns;
  expect(() => encodeColumns(columns)).toThrow(
    new RangeError('column codes needs one of float64, float32, int32, uint32, uint8, found Uint16Array'),
  );
});

describe('a damaged file is called corrupt', () => {
  test('another kind of file', () => {
    expect(() => decodeColumns(Buffer.from('PAR1'))).toThrow(corrupt('STRATAC1'));
    expect(() => decodeColumns(new Uint8Array(0))).toThrow(corrupt('STRATAC1'));
  });

  test('cut short', () => {
    const file = encodeColumns(all());
    expect(() => decodeColumns(file.subarray(0, 20))).toThrow(corrupt('header needs'));
    expect(() => decodeColumns(file.subarray(0, file.length - 64))).toThrow(
      corrupt('column bytes needs bytes'),
    );
  });

  test.each([
    ['{"columns":[{"name":"x"}]}', 'header does not list'],
    ['{"columns":[{"name":"x","dtype":"float16","length":1,"offset":0}]}', 'header does not list'],
    ['{"columns":[{"name":"x","dtype":"uint8","length":-1,"offset":0}]}', 'header does not list'],
    ['{"columns":[{"name":"x","dtype":"uint8","length":1,"offset":3}]}', 'header does not list'],
    ['null', 'header does not list'],
    ['{', 'not JSON'],
  ])('header %s', (header, text) => {
    const file = Buffer.alloc(128);
    file.write('STRATAC1', 'latin1');
    file.writeUInt32LE(header.length, 8);
    file.write(header, 12);
    expect(() => decodeColumns(file)).toThrow(corrupt(text));
  });

  test('one wrong byte in the header never ends in another error', () => {
    const good = encodeColumns(all());
    const headerEnd = 12 + good.readUInt32LE(8);
    fc.assert(
      fc.property(fc.nat(headerEnd - 1), fc.nat(255), (at, byte) => {
        const file = Buffer.from(good);
        file[at] = byte;
        try {
          decodeColumns(file);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ARTIFACT_CORRUPT' });
        }
      }),
    );
  });
});
