import { isUtf8 } from 'node:buffer';

// Where each record of a CSV file begins and ends, and which of them cannot be split into fields. DuckDB's
// reader is several times faster at making columns, but what it refuses it drops, counts wrongly after a
// quoted line break, and a quotation mark that is never closed takes the rest of the file with it. So the
// lines are counted here, and only records that are sound are given to it.

export interface RecordOptions {
  delimiter: string;
  /** Fields of the header. */
  fields: number;
  /** Records with more bytes are unreadable: a file without line ends must not fill the memory. */
  longest: number;
}

export interface RecordVisitor {
  /** Bytes of a sound record without its line end; `ends` is that of the line. */
  onRecord?(bytes: Buffer, begin: number, end: number): void;
  /** A line that cannot be split. `bytes` begins with it; they belong to the scanner. */
  onUnreadable(line: number, reason: string, bytes: Buffer): void;
}

export interface RecordCounts {
  /** Sound records after the header. */
  records: number;
  unreadable: number;
  /** Ends of all records that have one, by kind. */
  ends: { lf: number; crlf: number; cr: number };
  /** Records over several lines. */
  severalLines: number;
  /** Lines that hold no row: of nothing but blanks, and before the header of no length, too. */
  blankLines: number;
  notUtf8: number;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;

const CLOSED = 0;
const UNFINISHED = 1;
const STRAY = 2;

/** One file, in pieces of any size: the verdict on a record does not depend on where they are cut. */
export class RecordScanner {
  readonly counts: RecordCounts = {
    records: 0,
    unreadable: 0,
    ends: { lf: 0, crlf: 0, cr: 0 },
    severalLines: 0,
    blankLines: 0,
    notUtf8: 0,
  };
  /** Of the next record. */
  line = 1;
  private rest: Buffer = Buffer.alloc(0);
  private skipsToLineEnd = false;
  private hasHeader = false;
  private readonly stops = new Uint8Array(256);
  private readonly delimiter: number;
  private readonly options: RecordOptions;
  private readonly visitor: RecordVisitor;
  // Of the record scanned last.
  private end = 0;
  private next = 0;
  private fields = 0;
  private innerBreaks = 0;
  private hasNul = false;

  constructor(options: RecordOptions, visitor: RecordVisitor) {
    this.options = options;
    this.visitor = visitor;
    this.delimiter = options.delimiter.charCodeAt(0);
    for (const byte of [this.delimiter, LF, CR, 0]) this.stops[byte] = 1;
  }

  push(chunk: Buffer): void {
    this.take(this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]), false);
  }

  finish(): RecordCounts {
    this.take(this.rest, true);
    return this.counts;
  }

  private take(data: Buffer, isLast: boolean): void {
    let begin = 0;
    if (this.skipsToLineEnd) {
      // Looked for natively: here a gigabyte may go by.
      const hasEnd = data.includes(LF) || data.includes(CR);
      begin = hasEnd ? this.afterLine(data, 0, isLast) : -1;
      if (begin < 0) {
        this.rest = lastReturn(data);
        return;
      }
      this.skipsToLineEnd = false;
      this.line++;
    }
    // One native look at all of it; only when that fails is each record looked at.
    const isText = isUtf8(isLast ? data : wholeCharacters(data));
    while (begin < data.length) {
      if (isText && this.hasHeader) begin = this.takePlain(data, begin);
      if (begin === data.length) break;
      const state = this.scan(data, begin, isLast);
      if (!isLast && state !== CLOSED && this.isCutOff(data, begin, state)) break;
      begin = this.judge(data, begin, state, isText, isLast);
      if (begin < 0) return;
    }
    // A copy, so that a piece of a few bytes does not keep a megabyte alive.
    this.rest = Buffer.from(data.subarray(begin));
  }

  /** Whether the verdict has to wait for the next piece: its end may say more, unless it is too long by now. */
  private isCutOff(data: Buffer, begin: number, state: number): boolean {
    if (data.length - begin > this.options.longest + 2) return false;
    return state === UNFINISHED || this.afterLine(data, begin, false) < 0;
  }

  /** Sound records without quotation marks, which nearly all are, in one tight loop; returns where they end. */
  private takePlain(data: Buffer, from: number): number {
    const { stops, delimiter, visitor, counts } = this;
    const { fields: wanted, longest } = this.options;
    const length = data.length;
    let begin = from;
    let fields = 1;
    let lf = 0;
    let crlf = 0;
    let after = data[from]!;
    for (let i = from; i < length && after !== QUOTE && after !== SPACE; ) {
      while (i < length && stops[data[i]!] === 0) i++;
      const byte = data[i]!;
      if (byte === delimiter) {
        fields++;
        after = data[++i]!;
        continue;
      }
      const isCrlf = byte === CR && data[i + 1] === LF;
      if ((byte !== LF && !isCrlf) || fields !== wanted || i - begin > longest) break;
      if (visitor.onRecord) visitor.onRecord(data, begin, i);
      if (isCrlf) crlf++;
      else lf++;
      i += isCrlf ? 2 : 1;
      begin = i;
      fields = 1;
      after = data[i]!;
    }
    counts.ends.lf += lf;
    counts.ends.crlf += crlf;
    counts.records += lf + crlf;
    this.line += lf + crlf;
    return begin;
  }

  /** Takes the record that was scanned; returns where the next one begins, -1 when that is in no piece yet. */
  private judge(data: Buffer, begin: number, state: number, isText: boolean, isLast: boolean): number {
    const { longest, fields } = this.options;
    if (state !== CLOSED || this.end - begin > longest) return this.resume(data, begin, state, isLast);
    const { end, next } = this;
    const lines = 1 + this.innerBreaks;
    this.countEnd(data, end, next);
    if (isBlank(data, begin, end)) {
      if (end > begin || !this.hasHeader) this.counts.blankLines++;
    } else if (!this.hasHeader) {
      this.hasHeader = true;
    } else {
      const isValid = isText || isUtf8(data.subarray(begin, end));
      if (!isValid) this.counts.notUtf8++;
      if (!isValid) this.refuse('is not UTF-8 text', data.subarray(begin, end));
      else if (this.hasNul) this.refuse('holds a NUL byte', data.subarray(begin, end));
      else if (this.fields !== fields)
        this.refuse(`has ${fieldsOf(this.fields)} where the header has ${fields}`, data.subarray(begin, end));
      else this.accept(data, begin, end);
    }
    this.line += lines;
    return next;
  }

  private accept(data: Buffer, begin: number, end: number): void {
    this.counts.records++;
    if (this.innerBreaks > 0) this.counts.severalLines++;
    this.visitor.onRecord?.(data, begin, end);
  }

  private countEnd(data: Buffer, end: number, next: number): void {
    const { ends } = this.counts;
    if (next - end === 2) ends.crlf++;
    else if (next > end && data[end] === LF) ends.lf++;
    else if (next > end) ends.cr++;
  }

  /** A record without a sound end: its first line is given up, reading goes on with the second. */
  private resume(data: Buffer, begin: number, state: number, isLast: boolean): number {
    const next = this.afterLine(data, begin, isLast);
    const lineEnd = next < 0 ? data.length : next;
    const isLong = lineEnd - begin > this.options.longest;
    const reason = isLong
      ? `is longer than ${this.options.longest.toLocaleString('en')} bytes`
      : state === STRAY && this.innerBreaks === 0
        ? 'has text after a closing quotation mark'
        : 'has a quotation mark that is never closed';
    this.hasHeader = true;
    this.refuse(reason, data.subarray(begin, lineEnd));
    if (next < 0) {
      this.skipsToLineEnd = !isLast;
      this.rest = lastReturn(data);
      return -1;
    }
    this.line++;
    return next;
  }

  private refuse(reason: string, bytes: Buffer): void {
    this.counts.unreadable++;
    this.visitor.onUnreadable(this.line, reason, bytes);
  }

  /** Where the line after the one at `from` begins, -1 when its end is not in the data. */
  private afterLine(data: Buffer, from: number, isLast: boolean): number {
    for (let i = from; i < data.length; i++) {
      if (data[i] === LF) return i + 1;
      if (data[i] !== CR) continue;
      if (i + 1 < data.length) return data[i + 1] === LF ? i + 2 : i + 1;
      if (isLast) return i + 1;
    }
    return -1;
  }

  /** Fields, breaks and the end of the record at `begin`. One blank before a quoted field and all behind it are not part of it. */
  private scan(data: Buffer, begin: number, isLast: boolean): number {
    const { stops, delimiter } = this;
    const length = data.length;
    let fields = 1;
    let innerBreaks = 0;
    let hasNul = false;
    let i = begin;
    for (;;) {
      let quote = i;
      // Behind more than one blank DuckDB takes a quotation mark for a part of the text.
      if (quote < length && data[quote] === SPACE) quote++;
      if (quote < length && data[quote] === QUOTE && delimiter !== SPACE) {
        i = quote + 1;
        let isOpen = true;
        while (isOpen && i < length) {
          const byte = data[i]!;
          if (byte === QUOTE) {
            if (data[i + 1] === QUOTE && i + 1 < length) i++;
            else isOpen = false;
          } else if (byte === LF || (byte === CR && data[i + 1] !== LF)) innerBreaks++;
          else if (byte === 0) hasNul = true;
          i++;
        }
        // A quotation mark at the very end of a piece may be the first of two.
        if (isOpen || (i === length && !isLast)) {
          this.innerBreaks = innerBreaks;
          return UNFINISHED;
        }
        while (i < length && data[i] === SPACE) i++;
        if (i < length && stops[data[i]!] === 0) {
          this.innerBreaks = innerBreaks;
          return STRAY;
        }
      } else {
        while (i < length && stops[data[i]!] === 0) i++;
      }
      while (i < length && data[i] === 0 && stops[0] === 1) {
        hasNul = true;
        i++;
        while (i < length && stops[data[i]!] === 0) i++;
      }
      if (i < length && data[i] === delimiter) {
        fields++;
        i++;
        continue;
      }
      // The line feed of a CRLF may be in the next piece.
      if (!isLast && (i === length || (data[i] === CR && i + 1 === length))) {
        this.innerBreaks = innerBreaks;
        return UNFINISHED;
      }
      this.end = i;
      this.next = i === length ? i : data[i] === CR && data[i + 1] === LF ? i + 2 : i + 1;
      this.fields = fields;
      this.innerBreaks = innerBreaks;
      this.hasNul = hasNul;
      return CLOSED;
    }
  }
}

/** A carriage return at the end of a piece: the line feed of it may be in the next one. */
function lastReturn(data: Buffer): Buffer {
  return Buffer.from(data[data.length - 1] === CR ? data.subarray(-1) : []);
}

function isBlank(data: Buffer, begin: number, end: number): boolean {
  let i = begin;
  while (i < end && data[i] === SPACE) i++;
  return i === end;
}

function fieldsOf(count: number): string {
  return count === 1 ? '1 field' : `${count} fields`;
}

/** Without the beginning of a character at the end, which the next piece finishes. */
function wholeCharacters(data: Buffer): Buffer {
  let end = data.length;
  while (end > 0 && data.length - end < 3 && (data[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && data[end - 1]! >= 0xc0 ? data.subarray(0, end - 1) : data;
}
