import type { Candidate } from "./api";

/** How a character is drawn from what the model expects. */
export interface Sampling {
  temperature: number; // 0: always the most probable
  top_k: number; // 0: all
  top_p: number; // 1: all
}

export interface Chance extends Candidate {
  chance: number; // to be drawn
}

const kNeverDrawn = new Set(["<unk>", "<pad>", "<BOS>"]);

/**
 * The chances of candidates, the most probable first, in the order of `rune sample`: temperature, the top k, then of
 * those the fewest that together reach the share top_p.
 */
export function chances(candidates: Candidate[], { temperature, top_k, top_p }: Sampling): Chance[] {
  const drawn = candidates.filter(({ character }) => !kNeverDrawn.has(character));
  const best = drawn[0]?.probability ?? 0;
  const weights = drawn.map(({ probability }, i) => {
    if (temperature === 0) return i === 0 ? 1 : 0;
    if (top_k > 0 && i >= top_k) return 0;
    return Math.pow(probability / best, 1 / temperature);
  });
  const enough = top_p * weights.reduce((sum, weight) => sum + weight, 0);
  let [before, kept] = [0, 0];
  const nucleus = weights.map((weight) => {
    const inside = before < enough;
    before += weight;
    if (inside) kept += weight;
    return inside ? weight : 0;
  });
  return drawn.map((candidate, i) => ({ ...candidate, chance: nucleus[i]! / kept }));
}
