/**
 * Reading JSON text without losing anything (RFC 8259).
 *
 * `JSON.parse` rounds integers above 2^53-1, drops all but the last of two equal keys and turns `1.0` into
 * `1`. To-device content is passed on exactly as it came, so this cursor walks the text itself: it validates,
 * decodes the strings that are asked for, and tells where a value begins and ends. It never builds a tree
 * (json.ts does) and never recurses on nesting that it only skips.
 */

/** The text is not JSON. `offset` counts UTF-16 code units from 0. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly offset: number;

  constructor(offset: number, what: string) {
    super(what);
    this.offset = offset;
  }
}

/** One line of valid JSON without white space between its tokens. Made by `compactJson` and the encoders. */
export type JsonText = string & { readonly __brand: 'JsonText' };

/** The kinds of JSON values. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** A place in a JSON text that moves forward. Every method throws JsonSyntaxError where the text is not JSON. */
export class JsonCursor {
  readonly text: string;
  offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Moves to the next value and tells its kind without consuming it. */
  kind(): JsonKind {
    this.skipWhitespace();
    const code = this.text.charCodeAt(this.offset);
    switch (code) {
      case OPEN_BRACE:
        return 'object';
      case OPEN_BRACKET:
        return 'array';
      case QUOTE:
        return 'string';
      case LOWER_T:
      case LOWER_F:
        return 'boolean';
      case LOWER_N:
        return 'null';
      default:
        if (code === MINUS || isDigit(code)) return 'number';
        throw this.unexpected('a value');
    }
  }

  /** Visits the members of an object in order; `visit` must consume the value. */
  object(visit: (key: string) => void): void {
    this.expect(OPEN_BRACE, 'an object');
    this.skipWhitespace();
    if (this.take(CLOSE_BRACE)) return;
    for (;;) {
      const key = this.string();
      this.expect(COLON, 'a colon');
      visit(key);
      this.skipWhitespace();
      if (this.take(CLOSE_BRACE)) return;
      this.expect(COMMA, 'a comma or a closing brace');
    }
  }

  /** Visits the items of an array in order; `visit` must consume the value. */
  array(visit: (index: number) => void): void {
    this.expect(OPEN_BRACKET, 'an array');
    this.skipWhitespace();
    if (this.take(CLOSE_BRACKET)) return;
    for (let index = 0; ; index += 1) {
      visit(index);
      this.skipWhitespace();
      if (this.take(CLOSE_BRACKET)) return;
      this.expect(COMMA, 'a comma or a closing bracket');
    }
  }

  /** Consumes a string and decodes its escapes; lone surrogates stay as they are. */
  string(): string {
    const { start, escaped } = this.skipString();
    if (!escaped) return this.text.slice(start + 1, this.offset - 1);
    try {
      return JSON.parse(this.text.slice(start, this.offset)) as string;
    } catch {
      throw new JsonSyntaxError(start, 'a string has an escape that JSON does not know');
    }
  }

  /** Consumes a number and gives it as it is written. */
  number(): string {
    this.skipWhitespace();
    NUMBER.lastIndex = this.offset;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.unexpected('a number');
    this.offset = NUMBER.lastIndex;
    return match[0];
  }

  /** Consumes `true`, `false` or `null`. */
  literal(): boolean | null {
    this.skipWhitespace();
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.offset)) {
        this.offset += word.length;
        return value;
      }
    }
    throw this.unexpected('a value');
  }

  /** Consumes a value of any kind and any depth, and gives its text on one line. */
  slice(): JsonText {
    this.skipWhitespace();
    const start = this.offset;
    this.skip();
    return stripWhitespace(this.text.slice(start, this.offset));
  }

  /** Consumes a value of any kind and any depth. */
  skip(): void {
    const open: number[] = [];
    for (;;) {
      switch (this.kind()) {
        case 'object':
          this.offset += 1;
          this.skipWhitespace();
          if (!this.take(CLOSE_BRACE)) {
            open.push(CLOSE_BRACE);
            this.skipKey();
            continue;
          }
          break;
        case 'array':
          this.offset += 1;
          this.skipWhitespace();
          if (!this.take(CLOSE_BRACKET)) {
            open.push(CLOSE_BRACKET);
            continue;
          }
          break;
        case 'string':
          this.checkedSkipString();
          break;
        case 'number':
          this.number();
          break;
        default:
          this.literal();
      }
      // a value ended: close what ends with it, then go on after the comma
      for (;;) {
        const closing = open.at(-1);
        if (closing === undefined) return;
        this.skipWhitespace();
        if (this.take(closing)) {
          open.pop();
          continue;
        }
        this.expect(COMMA, 'a comma');
        if (closing === CLOSE_BRACE) this.skipKey();
        break;
      }
    }
  }

  /** Throws unless nothing but white space follows. */
  end(): void {
    this.skipWhitespace();
    if (this.offset < this.text.length) throw this.unexpected('the end');
  }

  private skipKey(): void {
    this.checkedSkipString();
    this.expect(COLON, 'a colon');
  }

  private checkedSkipString(): void {
    const { start, escaped } = this.skipString();
    if (escaped && BAD_ESCAPE.test(this.text.slice(start, this.offset))) {
      throw new JsonSyntaxError(start, 'a string has an escape that JSON does not know');
    }
  }

  private skipString(): { start: number; escaped: boolean } {
    const { text } = this;
    this.expect(QUOTE, 'a string');
    const start = this.offset - 1;
    let escaped = false;
    for (let index = this.offset; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code === QUOTE) {
        this.offset = index + 1;
        return { start, escaped };
      }
      if (code === BACKSLASH) {
        escaped = true;
        index += 1;
      } else if (code < 0x20) {
        throw new JsonSyntaxError(index, 'a string has a control character that is not escaped');
      }
    }
    throw new JsonSyntaxError(start, 'a string does not end');
  }

  private skipWhitespace(): void {
    const { text } = this;
    let code = text.charCodeAt(this.offset);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.offset += 1;
      code = text.charCodeAt(this.offset);
    }
  }

  private take(code: number): boolean {
    if (this.text.charCodeAt(this.offset) !== code) return false;
    this.offset += 1;
    return true;
  }

  private expect(code: number, what: string): void {
    this.skipWhitespace();
    if (!this.take(code)) throw this.unexpected(what);
  }

  private unexpected(wanted: string): JsonSyntaxError {
    const found = this.offset < this.text.length ? 'something else' : 'the end';
    return new JsonSyntaxError(this.offset, `expected ${wanted}, found ${found}`);
  }
}

/**
 * Puts a JSON text on one line: drops the white space between tokens, touches nothing else.
 * @throws JsonSyntaxError when the text is not one JSON value
 */
export function compactJson(text: string): JsonText {
  const cursor = new JsonCursor(text);
  const value = cursor.slice();
  cursor.end();
  return value;
}

function stripWhitespace(value: string): JsonText {
  if (!ANY_WHITESPACE.test(value)) return value as JsonText;
  let line = '';
  let kept = 0;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code === QUOTE) {
      index += 1;
      while (value.charCodeAt(index) !== QUOTE) index += value.charCodeAt(index) === BACKSLASH ? 2 : 1;
    } else if (code <= 0x20) {
      line += value.slice(kept, index);
      kept = index + 1;
    }
  }
  return (line + value.slice(kept)) as JsonText;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LOWER_T = 0x74;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LITERALS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A backslash, after any number of whole escapes, before what is no escape. */
const BAD_ESCAPE = /(?<!\\)(?:\\\\)*\\(?:[^"\\/bfnrtu]|u(?![0-9a-fA-F]{4}))/;
const ANY_WHITESPACE = /[ \t\n\r]/;
