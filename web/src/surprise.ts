import type { Candidate, Score } from "./api";

/** A text and the surprise, in bits, of each UTF-16 unit of its beginning; NaN where the model knows none. */
export interface ScoredText {
  text: string;
  surprise: number[];
}

/** Which of the levels of the style sheet a surprise has: 0, expected, to 6. */
export const kLevels = 7;
export const levelOf = (bits: number) => Math.min(kLevels - 1, Math.floor(bits));

const encoder = new TextEncoder();

/** The bytes of a token: of a character, or "bytes:\xE2\x82", which are none by themselves. */
function bytesOf(token: string): number[] {
  if (!token.startsWith("bytes:")) return [...encoder.encode(token)];
  return [...token.matchAll(/\\x(..)/g)].map(([, digits]) => parseInt(digits!, 16));
}

const sameLetter = (a: string, b: string) => a === b || a.toLowerCase() === b.toLowerCase();

/**
 * Lays tokens along the text that they were read from. Characters that the model does not know were skipped, so they
 * have no token; a character of several tokens has the sum of their surprise.
 */
export function align(text: string, { characters, surprise }: Pick<Score, "characters" | "surprise">): ScoredText {
  const result = new Array<number>(text.length).fill(NaN);
  let at = 0;
  for (let i = 0; i < characters.length && at < text.length;) {
    let [bits, token] = [surprise[i]!, characters[i]!];
    ++i;
    if (token.startsWith("bytes:")) {
      const bytes = bytesOf(token);
      const wanted = encoder.encode(String.fromCodePoint(text.codePointAt(at)!)).length;
      while (bytes.length < wanted && characters[i]?.startsWith("bytes:")) {
        bytes.push(...bytesOf(characters[i]!));
        bits += surprise[i++]!;
      }
      token = new TextDecoder().decode(new Uint8Array(bytes));
    }
    const found = findFrom(text, at, token);
    if (found < 0) continue;
    result.fill(bits, found, found + token.length);
    at = found + token.length;
  }
  return { text, surprise: result };
}

function findFrom(text: string, at: number, token: string): number {
  for (let i = at; i + token.length <= text.length; ++i) {
    if (sameLetter(text.slice(i, i + token.length), token)) return i;
  }
  return -1;
}

/** What is still true of a text that has been changed: a model reads from left to right. */
export function stillScored(scored: ScoredText, text: string): ScoredText {
  let same = 0;
  const most = Math.min(scored.surprise.length, text.length);
  while (same < most && scored.text[same] === text[same]) ++same;
  return { text: text.slice(0, same), surprise: scored.surprise.slice(0, same) };
}

/** The same for a longer text, of whose end nothing is known. */
export function fullLength({ surprise }: ScoredText, text: string): ScoredText {
  return { text, surprise: surprise.concat(new Array<number>(text.length - surprise.length).fill(NaN)) };
}

/** How many bits a character would have cost instead. */
export const bitsOf = ({ probability }: Candidate) => -Math.log2(probability);
